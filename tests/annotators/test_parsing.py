"""Hair: colours and bare scalp from painted class maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from lacelang.annotators.faces import COLOURS, mesh, parsing
from lacelang.annotators.faces.annotation import MEASURES, colour_features, shipped_probe

Bytes = NDArray[np.uint8]


@pytest.fixture
def classes() -> Bytes:
    """A head: hair in the top quarter, skin below, background at the sides."""
    out = np.zeros((256, 256), dtype=np.uint8)
    out[20:64, 64:192] = parsing.HAIR
    out[64:220, 64:192] = parsing.SKIN
    return out


@pytest.fixture
def points() -> NDArray[np.float64]:
    """A mesh as wide as the head whose brows are in row 100."""
    out = np.zeros((mesh.POINTS, 3))
    out[:, 0] = np.linspace(64, 192, mesh.POINTS)
    out[:, 1] = 150
    out[list(mesh.BROWS), 1] = 100
    return out


def painted(classes: Bytes, colour: tuple[int, int, int]) -> Bytes:
    image = np.full((*classes.shape, 3), 200, dtype=np.uint8)
    image[classes == parsing.HAIR] = colour
    return image


def test_median_lab_reads_the_hair_alone(classes: Bytes) -> None:
    lab = parsing.median_lab(painted(classes, (0, 0, 255)), classes, parsing.HAIR)
    assert lab == pytest.approx((32.3, 79.2, -107.9), abs=0.3)  # sRGB blue in CIELAB


def test_hair_that_is_hidden_has_no_colour(classes: Bytes) -> None:
    classes[classes == parsing.HAIR] = parsing.HAT
    lab = parsing.median_lab(painted(classes, (0, 0, 0)), classes, parsing.HAIR)
    assert all(math.isnan(value) for value in lab)


def test_scalp_share(classes: Bytes, points: NDArray[np.float64]) -> None:
    # Above the brows: 44 rows of hair, 36 of skin.
    assert parsing.scalp_share(classes, points) == pytest.approx(36 / 80)
    bald = np.where(classes == parsing.HAIR, parsing.SKIN, classes).astype(np.uint8)
    assert parsing.scalp_share(bald, points) == 1.0
    hat = np.where(classes == parsing.HAIR, parsing.HAT, classes).astype(np.uint8)
    assert parsing.scalp_share(hat, points) == pytest.approx(36 / 80), "a hat is not a bald head"


@pytest.mark.parametrize(
    ("lab", "colour"),
    [
        ((8.0, 1.0, 0.0), "black"),
        ((25.0, 8.0, 10.0), "brown"),
        ((62.0, 8.0, 26.0), "blond"),
        ((66.0, 1.0, 1.0), "gray"),
        ((35.0, 26.0, 26.0), "red"),
    ],
)
def test_typical_colours(lab: tuple[float, float, float], colour: str) -> None:
    logits = shipped_probe("haircolor")(colour_features(raw(lab, (64.0, 16.0, 16.0))))
    assert COLOURS[int(logits.argmax())] == colour


def raw(hair: object, skin: object) -> NDArray[np.float32]:
    """Raw measures of these colours, (3,) or (N, 3) each."""
    hair, skin = np.asarray(hair), np.asarray(skin)
    found = np.zeros((*hair.shape[:-1], len(MEASURES)), np.float32)
    for name, colour in (("hair", hair), ("skin", skin)):
        for i, axis in enumerate("lab"):
            found[..., MEASURES.index(f"{name}_{axis}")] = colour[..., i]
    return found


def test_colour_features_work_in_batches() -> None:
    rng = np.random.default_rng(0)
    lab, skin = rng.uniform(0, 80, (5, 3)), rng.uniform(0, 80, (5, 3))
    batch = colour_features(raw(lab, skin))
    assert batch.shape == (5, 21)
    assert batch[3] == pytest.approx(colour_features(raw(lab[3], skin[3])))

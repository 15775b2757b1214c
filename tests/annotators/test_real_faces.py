"""The real annotators on a few real faces whose attributes were checked by eye."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from experiments.eye_labels import EyeLabel
from lacelang.annotators import faces
from lacelang.annotators.declaration import Measure
from lacelang.annotators.faces.annotation import scores
from lacelang.generators.mobilestylegan import MOBILESTYLEGAN
from lacelang.storage.fetch import Archive

pytestmark = pytest.mark.weights

#: Two descriptors nearer than this are one person's, by the author of the network.
SAME_PERSON = 0.6

Image = NDArray[np.uint8]
ARCHIVE = Archive(
    "random-face",
    "2021.7.21.1",
    "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5",
)
# Index under seed 7 and truncation of each face, and what anybody sees.
FACES = {
    "bearded man in glasses, smiling": (29, 0.8),
    "white woman with black hair, serious": (45, 0.8),
    "blond woman, smiling": (40, 0.7),
    "man in profile to the right": (219, 1.0),
    "woman in profile to the left": (233, 0.8),
    "bald black man": (71, 1.0),
    "small child": (193, 0.8),
}


@pytest.fixture(scope="module")
def measure() -> Measure:
    return faces.FACES.load(threads=2)


@pytest.fixture(scope="module")
def images() -> dict[str, Image]:
    generator = MOBILESTYLEGAN.load(ARCHIVE, torch.device("cpu"), threads=2)
    labels = [EyeLabel(7, index, psi, {}) for index, psi in FACES.values()]
    with torch.inference_mode():
        z = np.stack([label.latent(generator.latent_dim) for label in labels])
        w = generator.mapping(torch.from_numpy(z))
        psi = torch.tensor([[label.truncation] for label in labels])
        return dict(zip(FACES, generator.decode(generator.truncate(w, psi)), strict=True))


@pytest.fixture(scope="module")
def seen(images: dict[str, Image], measure: Measure) -> dict[str, dict[str, float]]:
    return {name: faces.FACES.values(measure(image)) for name, image in images.items()}


def test_every_face_is_found(seen: dict[str, dict[str, float]]) -> None:
    assert all(np.isfinite(face["age"]) for face in seen.values())


def test_no_face_in_a_picture_of_nothing(measure: Measure) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    assert np.isnan(list(faces.FACES.values(measure(noise)).values())).all()


def test_bearded_man_in_glasses(seen: dict[str, dict[str, float]]) -> None:
    face = seen["bearded man in glasses, smiling"]
    assert [face[name] for name in ("beard", "glasses", "gender")] == [1, 1, 1]


def test_serious_woman(seen: dict[str, dict[str, float]]) -> None:
    face = seen["white woman with black hair, serious"]
    assert [face[name] for name in ("beard", "glasses", "gender", "smile")] == [0, 0, 0, 0]
    assert faces.COLOURS[int(face["haircolor"])] in ("black", "brown")
    assert abs(face["yaw"]) < 10


def test_blond_woman(seen: dict[str, dict[str, float]]) -> None:
    face = seen["blond woman, smiling"]
    assert [face[name] for name in ("smile", "beard", "gender")] == [1, 0, 0]
    assert faces.COLOURS[int(face["haircolor"])] == "blond"


def test_yaw_has_the_documented_sign(seen: dict[str, dict[str, float]]) -> None:
    assert seen["man in profile to the right"]["yaw"] > 35
    assert seen["woman in profile to the left"]["yaw"] < -30


def test_bald_man(seen: dict[str, dict[str, float]]) -> None:
    others = [face["bald"] for name, face in seen.items() if name != "bald black man"]
    assert seen["bald black man"]["bald"] > max(0.9, *others)


def test_age_of_a_child_and_of_the_grown(seen: dict[str, dict[str, float]]) -> None:
    assert seen["small child"]["age"] < 8
    assert 25 < seen["bald black man"]["age"] < 60


def test_mirror_negates_yaw_and_swaps_the_light(
    images: dict[str, Image], measure: Measure, seen: dict[str, dict[str, float]]
) -> None:
    for name in ("man in profile to the right", "blond woman, smiling"):
        mirrored = scores(measure(np.ascontiguousarray(images[name][:, ::-1])))
        assert mirrored["yaw"] == pytest.approx(-seen[name]["yaw"], abs=5)
        assert mirrored["light3"] == pytest.approx(1 - seen[name]["light3"], abs=0.1)
    assert mirrored["age"] == pytest.approx(seen["blond woman, smiling"]["age"], abs=4)


def test_the_same_picture_gives_the_same_answer(
    images: dict[str, Image], measure: Measure, seen: dict[str, dict[str, float]]
) -> None:
    assert faces.FACES.values(measure(images["small child"])) == seen["small child"]


@pytest.mark.parametrize("shape", [(1024, 1000, 3), (1024, 1024), (1024, 1024, 4)])
def test_other_pictures_are_refused(measure: Measure, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        measure(np.zeros(shape, dtype=np.uint8))


def test_a_face_is_itself_in_the_mirror_and_no_other(images: dict[str, Image]) -> None:
    describe = faces.IDENTITY.load()
    names = [name for name in images if "profile" not in name]
    described = np.stack([describe(images[name])["identity"] for name in names])
    mirrored = np.stack([describe(images[name][:, ::-1].copy())["identity"] for name in names])
    apart = np.linalg.norm(described[:, None] - mirrored[None], axis=2)
    assert (np.diag(apart) < SAME_PERSON).all()
    assert (apart[~np.eye(len(names), dtype=bool)] > SAME_PERSON).all()

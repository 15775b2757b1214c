"""A generated face is put back into its photograph, where it was cut out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lacelang.annotators.images import cv2
from lacelang.api import compile
from lacelang.engine.loading import load
from lacelang.inversion.alignment import cut
from lacelang.inversion.inverter import FaceInverter
from lacelang.inversion.pasting import head, mask_of, pasted
from lacelang.progress import Silent
from lacelang.storage.photos import Photo, read_photo

PHOTO = Path(__file__).parents[2] / "programs" / "me.jpg"
SIDE = 256
Pixels = NDArray[np.uint8]

SQUARES = {
    "upright": [[120, 60], [240, 60], [120, 180]],
    "tilted": [[120, 60], [260, 90], [90, 200]],
    "upside down": [[300, 250], [120, 250], [300, 70]],
    "mirrored": [[250, 60], [130, 60], [250, 180]],
    "larger than its image": [[-40, -60], [360, -60], [-40, 340]],
    "beyond the border": [[300, 200], [460, 220], [280, 360]],
}


def photograph() -> Pixels:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6).astype(float)
    return np.clip((smooth - 128) * 6 + 128, 0, 255).astype(np.uint8)


def circle(radius: float = 0.3) -> NDArray[np.bool_]:
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE - 0.5
    return np.asarray(np.hypot(x, y) < radius)


def inside(square: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which pixels touch the square."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    places = np.stack((x + 0.5, y + 0.5), -1) - square[0]
    share = places @ np.linalg.inv(np.stack((square[1] - square[0], square[2] - square[0])))
    near = 2.0 / np.linalg.norm(square[1] - square[0])
    return np.asarray(((share > -near) & (share < 1 + near)).all(-1))


@pytest.mark.parametrize("kind", SQUARES)
def test_what_was_cut_out_goes_back_to_where_it_was(kind: str) -> None:
    photo, square = photograph(), np.array(SQUARES[kind], float)
    part, _ = cut(photo, None, square, SIDE)
    found = pasted(photo, square, part, mask_of(circle()))
    error = np.abs(found.astype(int) - photo)
    # What is larger than its image is less sharp.
    within = 2.0 if kind == "larger than its image" else 1.0
    assert error.mean() < within
    assert np.percentile(error, 99) < 8 * within


@pytest.mark.parametrize("kind", SQUARES)
@pytest.mark.parametrize("radius", [0.3, 0.8])
def test_nothing_changes_outside_of_the_square(kind: str, radius: float) -> None:
    photo, square = photograph(), np.array(SQUARES[kind], float)
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[..., 1] = 255
    found = pasted(photo, square, image, mask_of(circle(radius)))
    changed = (found != photo).any(-1)
    assert found.dtype == np.uint8
    assert not changed[~inside(square, photo.shape)].any()
    middle = square[0] + 0.5 * (square[1] - square[0]) + 0.5 * (square[2] - square[0])
    if (middle < (400, 300)).all():
        at = found[int(middle[1]), int(middle[0])].astype(int)
        assert np.abs(at - (0, 255, 0)).max() <= 1


def test_a_square_beside_the_photograph_changes_nothing() -> None:
    photo = photograph()
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    for at in ((500, 10), (-300, 10), (10, 900)):
        square = np.array([[0.0, 0.0], [120.0, 0.0], [0.0, 120.0]]) + at
        np.testing.assert_array_equal(pasted(photo, square, image, mask_of(circle())), photo)


def test_colours_meet_at_the_border() -> None:
    """A face that is lighter all over has no edge where it ends, and its own colour inside."""
    photo = np.full((300, 400, 3), 90, np.uint8)
    image = np.full((SIDE, SIDE, 3), 130, np.uint8)
    square = np.array([[80.0, 30.0], [320.0, 30.0], [80.0, 270.0]])
    found = pasted(photo, square, image, mask_of(circle()))[150, :, 0].astype(int)
    assert found[200] >= 126
    assert np.abs(np.diff(found)).max() <= 5
    assert found.max() <= 132
    assert found.min() >= 88


def test_of_several_heads_that_in_the_middle_is_meant() -> None:
    classes = np.zeros((SIDE, SIDE), np.uint8)
    classes[circle(0.25)] = 1
    classes[:60, 60:200][classes[:60, 60:200] == 0] = 18  # a hat
    classes[80:200, :30] = 17  # somebody else's hair
    classes[230:] = 16  # clothes
    found = head(classes)
    np.testing.assert_array_equal(found, classes == 1)
    assert not head(np.zeros((SIDE, SIDE), np.uint8)).any()


def test_a_mask_shows_both_heads_and_ends_before_the_square() -> None:
    one, other = circle(0.2), np.roll(circle(0.2), 40, axis=1)
    mask = mask_of(one, other)
    assert mask[one | other].min() > 0.9
    assert 0.2 < mask.mean() < 0.35
    everywhere = mask_of(np.ones((SIDE, SIDE), bool))
    assert max(everywhere[0].max(), everywhere[:, -1].max()) < 0.01
    assert everywhere[SIDE // 2, SIDE // 2] == 1.0


@pytest.fixture(scope="module")
def inverter() -> FaceInverter:
    model = load(compile("sample 1 from ffhq").samples[0].model, "cpu", Silent())
    found = model.inverter(Silent())
    assert isinstance(found, FaceInverter)
    return found


@pytest.mark.weights
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_photograph_that_lies_on_its_side_and_is_larger_has_its_face_in_place(
    turns: int, inverter: FaceInverter
) -> None:
    small = read_photo(PHOTO, "me.jpg").pixels
    small = np.ascontiguousarray(np.rot90(small, turns))
    part = inverter.cut(Photo(small), "me.jpg", 1)
    large = np.asarray(cv2.resize(small, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_CUBIC))
    again = inverter.paste(Photo(large), part, part.image)
    assert again.shape == large.shape
    # Down to the finest detail, which is lost on the way there and back.
    before, after = (
        cv2.GaussianBlur(each.astype(np.float32), (0, 0), 3) for each in (large, again)
    )
    assert np.abs(after - before).mean() < 0.5
    assert np.abs(after - before).max() < 12
    painted = part.image.copy()
    painted[..., 0] = 255
    redder = inverter.paste(Photo(large), part, painted).astype(int) - large
    # The face is red, and the corners of the photograph are as they were.
    corners = part.corners * (large.shape[1], large.shape[0])
    middle = (corners[1] + corners[2]) / 2
    near = tuple(slice(int(at) - 40, int(at) + 40) for at in middle[::-1])
    assert redder[near][..., 0].mean() > 40
    assert np.abs(redder[near][..., 1:]).mean() < 4
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert not redder[row, column].any()

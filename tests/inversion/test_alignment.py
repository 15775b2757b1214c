"""Faces are found, and cut out as those of FFHQ were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from experiments import sample_photo
from lacelang.api import compile
from lacelang.errors import ResourceError
from lacelang.inversion.alignment import LEAST, AlignedFace, Aligner, cut, square_of
from lacelang.storage.photos import Photo, read_photo

pytestmark = pytest.mark.weights

PROGRAMS = Path(__file__).parents[2] / "programs"
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def align() -> Aligner:
    return Aligner(1)


@pytest.fixture(scope="module")
def photo() -> Photo:
    return read_photo(PROGRAMS / "me.jpg", "me.jpg")


@pytest.fixture(scope="module")
def found(align: Aligner, photo: Photo) -> AlignedFace:
    return align(photo, "me.jpg", side=256)


def scaled(image: Pixels, width: int) -> Pixels:
    size = width, round(len(image) * width / image.shape[1])
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def alike(a: Pixels, b: Pixels, within: float) -> None:
    middle = slice(40, 216)
    difference = np.abs(a[middle, middle].astype(float) - b[middle, middle])
    assert difference.mean() < within


def test_the_square_is_that_of_the_generated_face(found: AlignedFace) -> None:
    """The generator's own images are aligned: the square in the photograph is where one was put."""
    across = found.square[1] - found.square[0]
    side, middle = np.linalg.norm(across), (found.square[1] + found.square[2]) / 2
    assert abs(side / sample_photo.SIDE - 1) < 0.04
    assert abs(np.degrees(np.arctan2(across[1], across[0])) - sample_photo.TILT) < 1.0
    assert np.abs(middle - sample_photo.MIDDLE).max() < 0.015 * sample_photo.SIDE
    assert found.faces == 1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photograph_may_lie_on_its_side(
    turns: int, align: Aligner, photo: Photo, found: AlignedFace
) -> None:
    turned = Photo(np.ascontiguousarray(np.rot90(photo.pixels, turns)))
    alike(align(turned, "me.jpg", side=256).image, found.image, 4.0)


@pytest.mark.parametrize("width", [120, 1600])
def test_its_size_does_not_matter(
    width: int, align: Aligner, photo: Photo, found: AlignedFace
) -> None:
    alike(align(Photo(scaled(photo.pixels, width)), "me.jpg", side=256).image, found.image, 8.0)


def test_the_largest_face_comes_first(align: Aligner, photo: Photo, found: AlignedFace) -> None:
    small, large = scaled(photo.pixels, 150), scaled(photo.pixels, 420)
    several = np.full((600, 900, 3), 120, np.uint8)
    several[40 : 40 + len(small), 30:180] = small
    several[60 : 60 + len(large), 400:820] = large
    first, second = (align(Photo(several), "us.jpg", number, side=256) for number in (1, 2))
    assert first.faces == second.faces == 2
    assert first.square[:, 0].min() > 350
    assert second.square[:, 0].max() < 250
    alike(first.image, found.image, 6.0)
    alike(second.image, found.image, 8.0)
    for number in (3, 9):
        with pytest.raises(ResourceError, match=f"has 2 faces, and no face {number}") as refused:
            align(Photo(several), "us.jpg", number)
        assert "the largest is 1" in str(refused.value.remedy)
    with pytest.raises(ResourceError, match=r"`me\.jpg` has 1 face, and no face 2"):
        align(photo, "me.jpg", 2)


def test_without_a_face_there_is_an_error(align: Aligner, photo: Photo) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    for image in (np.zeros((64, 64, 3), np.uint8), noise, photo.pixels[:90, :90]):
        with pytest.raises(ResourceError, match=r"no face is seen in `sea\.png`"):
            align(Photo(np.ascontiguousarray(image)), "sea.png")


def test_a_face_of_a_few_pixels_is_nobodys(align: Aligner, photo: Photo) -> None:
    tiny = np.full((400, 400, 3), 120, np.uint8)
    part = scaled(photo.pixels, 40)
    tiny[100 : 100 + len(part), 100:140] = part
    with pytest.raises(ResourceError, match=f"{LEAST}|no face"):
        align(Photo(tiny), "far.jpg")


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_face_at_the_border_is_found_where_it_is(
    side: str, align: Aligner, photo: Photo, found: AlignedFace
) -> None:
    """A part of the square is outside: the rest is where it was."""
    off = {"left": (60, 0), "right": (0, 0), "top": (0, 110), "bottom": (0, 0)}[side]
    height, width = photo.pixels.shape[:2]
    end = {"right": (width - 50, height), "bottom": (width, height - 40)}.get(side, (width, height))
    part = np.ascontiguousarray(photo.pixels[off[1] : end[1], off[0] : end[0]])
    face = align(Photo(part), "me.jpg", side=256)
    assert np.abs(face.square + off - found.square).max() < 0.04 * sample_photo.SIDE


@pytest.mark.slow
@pytest.mark.parametrize("yaw", ["left", "right"])
def test_a_half_profile_is_found(yaw: str, align: Aligner) -> None:
    """The generator's own images are aligned: the square is all of the image."""
    group = compile(f"sample 3 from ffhq where yaw={yaw} seed 5").run()["sample1"]
    for image in group.images:
        face = align(Photo(np.asarray(image)), "me.jpg", side=256)
        middle = (face.square[1] + face.square[2]) / 2
        assert np.abs(middle - 512).max() < 0.06 * 1024
        assert np.linalg.norm(face.square[1] - face.square[0]) == pytest.approx(1024, rel=0.12)


def test_what_lies_beyond_the_photograph_is_mirrored_and_said_to_be_unknown(
    align: Aligner, photo: Photo
) -> None:
    narrow = Photo(np.ascontiguousarray(photo.pixels[90:, 60:430]))
    face = align(narrow, "me.jpg", side=256)
    assert 0.6 < face.known.mean() < 0.97
    assert face.known[100:200, 100:160].min() == 1.0
    alpha = np.full(photo.pixels.shape[:2], 255, np.uint8)
    alpha[:, :120] = 0
    masked = align(Photo(photo.pixels, alpha), "me.png", side=256)
    assert masked.known[:, 0].max() < 0.2


def test_a_square_is_cut_out_exactly() -> None:
    rows, columns = np.mgrid[:200, :300]
    image = np.stack((columns // 2, rows, columns * 0), axis=-1).astype(np.uint8)
    part, known = cut(image, None, np.array([[40.0, 20.0], [140.0, 20.0], [40.0, 120.0]]), 100)
    np.testing.assert_array_equal(part, image[20:120, 40:140])
    assert known.min() == 1.0
    smaller, _ = cut(image, None, np.array([[40.0, 20.0], [140.0, 20.0], [40.0, 120.0]]), 20)
    wanted = image[20:120, 40:140].reshape(20, 5, 20, 5, 3).mean((1, 3))
    assert np.abs(smaller - wanted).max() <= 2.0


def test_the_square_turns_and_grows_with_the_face() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(468, 2))
    points[[33, 160, 158, 133, 153, 144]] = (-1.0, -1.0)
    points[[362, 385, 387, 263, 373, 380]] = (1.0, -1.0)
    points[[61, 291]] = (0.0, 1.0)
    square = square_of(points)
    np.testing.assert_allclose(square[1] - square[0], (8.0, 0.0), atol=1e-9)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) * 3.0
    np.testing.assert_allclose(square_of(points @ turn.T + 5.0), square @ turn.T + 5.0, atol=1e-9)

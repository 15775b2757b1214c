"""Photographs of every kind are read as they are to be seen, and hostile files cost little."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from lacelang.errors import ResourceError
from lacelang.storage import photos
from lacelang.storage.photos import check_photo, read_photo


def picture(width: int = 60, height: int = 40) -> Image.Image:
    """Red on the left, blue on the right, dark at the bottom."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 200
    pixels[:, width // 2 :, 2] = 200
    pixels[height // 2 :] //= 4
    return Image.fromarray(pixels)


def saved(folder: Path, image: Image.Image, name: str, **options: object) -> Path:
    path = folder / name
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def near(found: np.ndarray, wanted: Image.Image, within: float) -> None:
    error = np.abs(found.astype(float) - np.asarray(wanted.convert("RGB"), float))
    assert error.mean() < within


KINDS: dict[str, tuple[str, Callable[[Image.Image], Image.Image], dict[str, object], float]] = {
    "jpeg": ("a.jpg", lambda x: x, {"quality": 95}, 6.0),
    "progressive": ("a.jpg", lambda x: x, {"quality": 95, "progressive": True}, 6.0),
    "png": ("a.png", lambda x: x, {}, 0.0),
    "webp": ("a.webp", lambda x: x, {"lossless": True}, 0.1),
    "tiff": ("a.tif", lambda x: x, {"compression": "tiff_lzw"}, 0.0),
    "bmp": ("a.bmp", lambda x: x, {}, 0.0),
    "gif": ("a.gif", lambda x: x, {}, 1.0),
    "palette": ("a.png", lambda x: x.convert("P", palette=Image.Palette.ADAPTIVE), {}, 1.0),
    "cmyk": ("a.jpg", lambda x: x.convert("CMYK"), {"quality": 95}, 6.0),
    "cmyk tiff": ("a.tif", lambda x: x.convert("CMYK"), {}, 1.0),
    "a name that lies": ("a.png", lambda x: x, {"format": "JPEG", "quality": 95}, 6.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_read(kind: str, tmp_path: Path) -> None:
    name, change, options, within = KINDS[kind]
    path = saved(tmp_path, change(picture()), name, **options)
    check_photo(path, name)
    found = read_photo(path, name)
    assert found.pixels.shape == (40, 60, 3)
    assert found.alpha is None
    near(found.pixels, picture(), within + 1e-6)


def test_grey_and_bits_become_grey_colours(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 64), (32, 1))
    grey = Image.fromarray(ramp.astype(np.uint8))
    for image, name in (
        (grey, "grey.png"),
        (grey.convert("1"), "bits.png"),
        (Image.fromarray((ramp * 257).astype(np.uint16)), "deep.png"),
        (Image.fromarray((ramp * 257).astype(np.uint16)), "deep.tif"),
        (Image.fromarray((ramp / 255).astype(np.float32)), "float.tif"),
    ):
        found = read_photo(saved(tmp_path, image, name), name).pixels.astype(float)
        assert (found[..., 0] == found[..., 1]).all()
        assert (found[..., 0] == found[..., 2]).all()
        if name != "bits.png":
            assert np.abs(found[..., 0] - ramp).max() <= 1.5, name


def test_a_deep_colour_picture_is_read(tmp_path: Path) -> None:
    """Pillow reads 16 bits of colour as 8."""
    rows = b"".join(b"\0" + struct.pack(">H", 40000) * 3 * 20 for _ in range(20))

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
    path = tmp_path / "deep.png"
    path.write_bytes(data + chunk(b"IEND", b""))
    assert np.abs(read_photo(path, "deep.png").pixels.astype(int) - 40000 // 257).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_its_camera_says(orientation: int, tmp_path: Path) -> None:
    back = {
        1: (),
        2: (Image.Transpose.FLIP_LEFT_RIGHT,),
        3: (Image.Transpose.ROTATE_180,),
        4: (Image.Transpose.FLIP_TOP_BOTTOM,),
        5: (Image.Transpose.TRANSPOSE,),
        6: (Image.Transpose.ROTATE_90,),
        7: (Image.Transpose.TRANSVERSE,),
        8: (Image.Transpose.ROTATE_270,),
    }[orientation]
    stored = picture()
    for each in back:
        stored = stored.transpose(each)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "a.tif", "a.webp"):
        options = {"lossless": True} if name == "a.webp" else {}
        path = saved(tmp_path, stored, name, exif=exif, **options)
        for whole in (False, True):
            near(read_photo(path, name, whole).pixels, picture(), 0.01)
    path = saved(tmp_path, stored, "a.jpg", exif=exif, quality=95)
    near(read_photo(path, "a.jpg", whole=True).pixels, picture(), 6.0)


def test_transparent_parts_are_grey_and_known_as_such(tmp_path: Path) -> None:
    alpha = Image.new("L", (60, 40), 255)
    alpha.paste(0, (0, 0, 20, 40))
    image = picture()
    image.putalpha(alpha)
    for name, options in (("a.png", {}), ("a.webp", {"lossless": True})):
        found = read_photo(saved(tmp_path, image, name, **options), name)
        assert found.opaque is not None
        assert not found.opaque[:, :20].any()
        assert found.opaque[:, 20:].all()
        assert (np.abs(found.pixels[:, :20].astype(int) - 128) <= 1).all()
    opaque = picture().convert("RGBA")
    assert read_photo(saved(tmp_path, opaque, "b.png"), "b.png").opaque is None


def test_a_whole_picture_keeps_its_transparency_and_the_colours_under_it(tmp_path: Path) -> None:
    alpha = Image.new("L", (60, 40), 255)
    alpha.paste(100, (0, 0, 20, 40))
    image = picture()
    image.putalpha(alpha)
    found = read_photo(saved(tmp_path, image, "a.png"), "a.png", whole=True)
    np.testing.assert_array_equal(found.alpha, np.asarray(alpha))
    near(found.pixels, picture(), 0.01)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_of_several_pictures_the_first_is_taken(name: str, tmp_path: Path) -> None:
    others = [Image.new("RGB", (60, 40), (9, 9, 9)) for _ in range(3)]
    options = {"lossless": True} if name == "a.webp" else {}
    path = saved(tmp_path, picture(), name, save_all=True, append_images=others, **options)
    check_photo(path, name)
    near(read_photo(path, name).pixels, picture(), 1.0)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.bmp", "a.gif", "a.jp2"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_download_that_broke_off_is_refused(name: str, share: float, tmp_path: Path) -> None:
    noise = Image.effect_noise((200, 160), 90)
    path = saved(tmp_path, noise if name == "a.gif" else noise.convert("RGB"), name)
    data = path.read_bytes()
    path.write_bytes(data[: round(share * len(data))])
    with pytest.raises(
        ResourceError, match=rf"`{name}` (cannot be read|is no photograph)"
    ) as refused:
        read_photo(path, name)
    assert refused.value.remedy


def test_colours_come_from_the_profile_and_a_damaged_one_is_let_be(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(tmp_path, picture(), "a.png", icc_profile=profile)
    near(read_photo(path, "a.png").pixels, picture(), 1.0)
    for damaged in (profile[:60], b"no profile", profile.replace(b"RGB ", b"GRAY")):
        path = saved(tmp_path, picture(), "b.png", icc_profile=damaged)
        near(read_photo(path, "b.png").pixels, picture(), 1.0)


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    wide = Image.new("RGB", (9000, 300), (10, 200, 30))
    for name in ("a.jpg", "a.png"):
        found = read_photo(saved(tmp_path, wide, name), name).pixels
        assert max(found.shape) <= photos.LONGEST
        assert np.abs(found.astype(int) - (10, 200, 30)).max() <= 3
        whole = read_photo(tmp_path / name, name, whole=True).pixels
        assert whole.shape == (300, 9000, 3)


def test_what_is_pasted_into_is_scaled_down_to_what_a_png_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "MOST_WHOLE", 10_000)
    alpha = Image.new("RGBA", (500, 200), (10, 200, 30, 200))
    for image, name in ((alpha, "a.png"), (alpha.convert("RGB"), "a.jpg")):
        found = read_photo(saved(tmp_path, image, name), name, whole=True)
        height, width = found.pixels.shape[:2]
        assert height * width <= 10_200
        assert width / height == pytest.approx(2.5, rel=0.05)
        assert found.alpha is None or found.alpha.shape == (height, width)


def _claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says that it is so large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    body = b"IDAT" + zlib.compress(b"\0" * 1000)
    return (
        data
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", len(body) - 4)
        + body
        + struct.pack(">I", zlib.crc32(body))
    )


@pytest.mark.parametrize("size", [(60000, 60000), (2**31 - 1, 16), (100_000, 2_000)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_claims(*size))
    tracemalloc.start()
    for read in (check_photo, read_photo):
        with pytest.raises(ResourceError, match=r"`bomb\.png` has (too many|\d+ ×)"):
            read(path, "bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_what_is_no_photograph_is_refused_in_words(tmp_path: Path) -> None:
    good = io.BytesIO()
    picture().save(good, "JPEG")
    cut = io.BytesIO()
    Image.effect_noise((200, 200), 90).convert("RGB").save(cut, "PNG")
    files = {
        "empty.jpg": b"",
        "text.jpg": b"not a picture at all\n" * 40,
        "page.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "cut.jpg": good.getvalue()[:90],
        "cut.png": cut.getvalue()[: len(cut.getvalue()) // 2],
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "odd.tif": b"II*\0" + b"\xff" * 64,
    }
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ResourceError) as refused:
            read_photo(path, name)
        assert f"`{name}`" in refused.value.message
        assert refused.value.remedy


def test_what_cannot_be_read_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="there is no file"):
        read_photo(tmp_path / "none.jpg", "none.jpg")
    with pytest.raises(ResourceError, match="not a regular file"):
        read_photo(tmp_path, "folder")
    with pytest.raises(ResourceError, match="only 8 × 8"):
        read_photo(saved(tmp_path, Image.new("RGB", (8, 8)), "tiny.png"), "tiny.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        with pytest.raises(ResourceError, match="not a regular file"):
            read_photo(tmp_path / "pipe.jpg", "pipe.jpg")


def test_damaged_files_raise_nothing_else(tmp_path: Path) -> None:
    """Bytes are changed at random: a file is read, or refused."""
    rng = np.random.default_rng(4)
    for number, (name, options) in enumerate(
        [("a.jpg", {}), ("a.png", {}), ("a.tif", {"compression": "tiff_lzw"}), ("a.webp", {})] * 12
    ):
        path = saved(tmp_path, picture(), name, **options)
        data = bytearray(path.read_bytes())
        for place in rng.integers(0, len(data), 1 + number % 7):
            data[place] = int(rng.integers(256))
        path.write_bytes(bytes(data))
        with suppress(ResourceError):
            assert read_photo(path, name).pixels.ndim == 3


def test_heic_needs_its_package_and_is_read_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "me.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 200)
    monkeypatch.setattr(photos, "_register_heic", lambda: False)
    with pytest.raises(ResourceError) as refused:
        read_photo(path, "me.heic")
    assert "lacelang[heic]" in str(refused.value.remedy)
    monkeypatch.undo()
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(picture(64, 48)).save(path, quality=95)
    near(read_photo(path, "me.heic").pixels, picture(64, 48), 8.0)

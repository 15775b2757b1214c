"""Photographs: files of other programs, read as data, in bounded memory, as they are to be seen.

Headers are read first: a file that claims to be too large is refused before anything is decoded.
"""

from __future__ import annotations

import io
import math
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from lacelang.errors import ResourceError

_HEIC = (".heic", ".heif")
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF", "JPEG2000", "PPM")

# Bytes of a file; pixels of a picture that is decoded whole, and of one that JPEG can halve before.
_MOST_BYTES = 256 << 20
_MOST_PIXELS = 100_000_000
_MOST_JPEG = 600_000_000
#: Pictures that faces are looked for in are scaled down to so many pixels on the longer side.
LONGEST = 4096
#: Pictures that something is pasted into are scaled down to so many in all, as a PNG may have.
MOST_WHOLE = 50_000_000
#: The least of both sides.
LEAST = 16
# What transparent pixels show: neither light nor dark.
_BEHIND = 128


@frozen(eq=False)
class Photo:
    """A photograph, upright and in sRGB.

    Attributes:
        pixels: uint8 (H, W, 3).
        alpha: uint8 (H, W), 255 where it is opaque; None where it is so everywhere.
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None

    @property
    def opaque(self) -> NDArray[np.bool_] | None:
        """Where it shows something, bool (H, W); None where it does everywhere."""
        return None if self.alpha is None else self.alpha > 127


def read_photo(path: Path, shown: str, whole: bool = False) -> Photo:
    """Return the photograph in a file; messages call the file `shown`.

    Turned as its EXIF says; colours converted from its profile, if it has one that can be read; of
    several pictures the first; of 16 bits the upper 8.

    Args:
        path: the file.
        shown: see above.
        whole: in its own size, if it has not more than `MOST_WHOLE` pixels, and with the colours
            under its transparent parts. Otherwise scaled down to `LONGEST`, and over grey.

    Raises:
        ResourceError: it is no photograph, damaged, too large, or not to be read.
    """
    with _reading(path, shown):
        data = _bytes(path, shown)
        with _opened(data, path.suffix.lower(), shown, whole) as image:
            image.load()
            return _seen(image, whole)


def check_photo(path: Path, shown: str) -> None:
    """Raise the `ResourceError` that the header of a file calls for; nothing is decoded."""
    with _reading(path, shown), _opened(_bytes(path, shown), path.suffix.lower(), shown):
        pass


def _bytes(path: Path, shown: str) -> bytes:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # a pipe or a device may never end
        raise ResourceError(f"`{shown}` is not a regular file", _REMEDY)
    if found.st_size > _MOST_BYTES:
        size = f"{found.st_size >> 20} MiB; {_MOST_BYTES >> 20} are the most"
        raise ResourceError(f"`{shown}` has {size}", "save it smaller, for example as a JPEG")
    with path.open("rb") as file:
        return file.read(found.st_size)  # room for all that is asked for is made at once


_REMEDY = "give a photograph: JPEG, PNG, WebP, TIFF, AVIF or HEIC"


@contextmanager
def _opened(data: bytes, suffix: str, shown: str, whole: bool = False) -> Iterator[Image.Image]:
    heic = _register_heic()
    Image.init()
    formats = [name for name in _FORMATS if name in Image.OPEN]
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        if not heic and (suffix in _HEIC or data[4:12] in _HEIC_BRANDS):
            raise ResourceError(
                f"`{shown}` is a HEIC file, for which a package is missing",
                "install it: pip install 'lacelang[heic]', or save the photograph as a JPEG",
            ) from None
        raise
    with image:
        pixels = math.prod(image.size)
        least = min(image.size)
        if image.format in ("JPEG", "MPO") and pixels <= _MOST_JPEG:
            # Decoded at a half, a quarter or an eighth of its size, whichever is large enough.
            image.draft("RGB" if image.mode == "RGB" else image.mode, _fitting(image.size, whole))
        elif pixels > _MOST_PIXELS:
            size = f"{image.size[0]} × {image.size[1]} pixels"
            raise ResourceError(
                f"`{shown}` has {size}; {_MOST_PIXELS // 10**6} million are the most",
                "scale it down first",
            )
        if least < LEAST:
            size = f"{image.size[0]} × {image.size[1]} pixels"
            raise ResourceError(f"`{shown}` has only {size}", "give a larger photograph")
        yield image


_HEIC_BRANDS = frozenset(b"ftyp" + brand for brand in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"))


def _register_heic() -> bool:
    """Let Pillow read HEIC, if the package for it is there."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def _fitting(size: tuple[int, int], whole: bool) -> tuple[int, int]:
    most = math.sqrt(MOST_WHOLE / math.prod(size)) if whole else LONGEST / max(size)
    scale = min(1.0, most)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _seen(image: Image.Image, whole: bool) -> Photo:
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    # Scaled down first, so that what follows costs little.
    if upright.mode not in ("P", "1", "I", "F"):
        upright = _scaled(upright, whole)
    alpha = _alpha(upright)
    colours = _scaled(_srgb(_eight_bits(upright), profile), whole)
    pixels = np.asarray(colours, np.uint8)
    if alpha is None:
        return Photo(pixels)
    opacity = np.asarray(_scaled(alpha, whole), np.uint8)
    if whole:
        return Photo(pixels, opacity)
    share = opacity.astype(np.float32)[..., None] / 255.0
    blended = pixels * share + _BEHIND * (1.0 - share)
    return Photo(np.rint(blended).astype(np.uint8), opacity)


def _scaled(image: Image.Image, whole: bool) -> Image.Image:
    size = _fitting(image.size, whole)
    return image if size == image.size else image.resize(size, Image.Resampling.BOX)


def _alpha(image: Image.Image) -> Image.Image | None:
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
        return None if alpha.getextrema() == (255, 255) else alpha
    return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """As RGB, CMYK or grey of 8 bits."""
    if image.mode in ("RGB", "CMYK", "L"):
        return image
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image).astype(np.float64)
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        most = float(values.max(initial=0.0))
        # Of 16 bits, unless the numbers are beyond them or in 0 to 1.
        full = 65535.0 if 255 < most <= 65535 else 1.0 if most <= 1.0 else max(most, 255.0)
        return Image.fromarray(np.clip(values / full * 255.0, 0, 255).astype(np.uint8))
    if image.mode in ("LA", "La", "1"):
        return image.convert("L")
    if image.mode in ("P", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


def _srgb(image: Image.Image, profile: Any) -> Image.Image:
    """Colours as sRGB has them; without a profile, or with a damaged one, they are taken so."""
    if isinstance(profile, bytes) and profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            kind = {"RGB": "RGB ", "CMYK": "CMYK", "L": "GRAY"}.get(image.mode)
            if own.profile.xcolor_space == kind:
                srgb = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB")
                if converted is not None:
                    return converted
    return image.convert("RGB")


@contextmanager
def _reading(path: Path, shown: str) -> Iterator[None]:
    """What goes wrong with a file becomes a `ResourceError`."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of what is refused here, or is not worth a word.
            warnings.simplefilter("ignore")
            yield
    except ResourceError:
        raise
    except FileNotFoundError as error:
        raise ResourceError(
            f"there is no file `{shown}`", "check the name and the folder"
        ) from error
    except UnidentifiedImageError as error:
        raise ResourceError(f"`{shown}` is no photograph", _REMEDY) from error
    except Image.DecompressionBombError as error:
        raise ResourceError(f"`{shown}` has too many pixels", "scale it down first") from error
    except MemoryError as error:
        raise ResourceError(f"there is no memory for `{shown}`", "scale it down first") from error
    except Exception as error:
        # Decoders raise many things for a damaged file.
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "damaged"
        raise ResourceError(f"`{shown}` cannot be read: {why}", _REMEDY) from error

"""PNG files and the texts that they carry."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

XMP = "XML:com.adobe.xmp"
"""The name of the text that is XMP, which its standard wants uncompressed."""

MOST_IN_CHUNK = 512 << 10
"""UTF-8 bytes of one text. Pillow opens no image with more than 1 MiB in one, unpacked."""

_MOST_BYTES = 1 << 30

# The last chunk of every PNG, checksum included, which Pillow's `verify` does not look at.
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"

# Huffman coding alone, after PNG's own prediction: measured on faces at 1024², 55 ms and 1.33 MB
# against 320 ms and 1.34 MB at zlib's default. Their noise leaves nothing for a match to find.
_ENCODING = {"compress_level": 1, "compress_type": zlib.Z_HUFFMAN_ONLY}

#: What Pillow raises of a file that is no image, is cut off, or says too much.
DAMAGED = (OSError, SyntaxError, ValueError, zlib.error, Image.DecompressionBombError)


def encode(image: NDArray[np.uint8], texts: Mapping[str, str] | None = None) -> bytes:
    """Encode an image, uint8 (H, W, 3), as PNG with `texts` by their names."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", pnginfo=carrying(texts or {}), **_ENCODING)
    return buffer.getvalue()


def carrying(texts: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    """Return what Pillow writes into a PNG so that it carries `texts`; iTXt, compressed but XMP."""
    info = PngImagePlugin.PngInfo()
    if texts:
        info.add_text("Software", "lacelang")
    for name, text in texts.items():
        info.add_itxt(name, text, zip=name != XMP)
    return info


def texts_of(path: Path) -> dict[str, str]:
    """Return the texts that the PNG file at `path` carries in front of its pixels, by name.

    Raises:
        OSError, ValueError: it is no PNG file, or damaged.
    """
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        # A pipe may never end.
        raise ValueError("it is no regular file, or larger than 1 GiB")
    try:
        # Reads what stands in front of the pixels.
        with Image.open(path, formats=("PNG",)) as image:
            return {str(k): v for k, v in image.info.items() if isinstance(v, str)}
    except Image.DecompressionBombError as error:
        raise ValueError("it has far too many pixels") from error
    except (SyntaxError, zlib.error) as error:
        raise ValueError(str(error)) from error


def is_whole(path: Path) -> bool:
    """Whether `path` is a PNG whose every chunk, to the last, agrees with its checksum."""
    try:
        if not path.is_file():
            # A pipe may never end.
            return False
        with path.open("rb") as file:
            file.seek(-len(_END), os.SEEK_END)
            if file.read() != _END:
                return False
            file.seek(0)
            with Image.open(file, formats=("PNG",)) as image:
                image.verify()
    except Image.DecompressionBombError:
        # Far larger than ours, and whole for all that is known of it.
        return True
    except (OSError, SyntaxError, ValueError):
        # Pillow reports a broken chunk as SyntaxError, a short file as OSError.
        return False
    return True

"""Images of a data set: pixels in; PNG, JPEG or WebP out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lacelang.storage.datasets.index import QUALITY, Layout
from lacelang.storage.png import XMP
from lacelang.storage.png import encode as encode_png


def encode(image: NDArray[np.uint8], layout: Layout, texts: Mapping[str, str]) -> bytes:
    """Encode an image, uint8 (H, W, 3), with `texts` by their names; JPEG and WebP take XMP."""
    if layout.images == "png":
        return encode_png(image, texts)
    said: dict[str, Any] = {"xmp": texts[XMP].encode()} if XMP in texts else {}
    buffer = io.BytesIO()
    quality = QUALITY if layout.quality is None else layout.quality
    if layout.images == "webp":
        said["method"] = 4
    Image.fromarray(image).save(buffer, str(layout.images).upper(), quality=quality, **said)
    return buffer.getvalue()

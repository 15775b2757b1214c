"""Pictures of a run as data URIs, small enough that a page of many stays small."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from attrs import frozen
from PIL import Image

from lacelang.render.sheet import film_pictures
from lacelang.storage.records import GroupRecord
from lacelang.system.threads import Pool

QUALITY = 84
#: Up to how many faces a page shows each so many pixels wide; of more, the last size.
SIDES = ((96, 512), (240, 352), (800, 224))
#: Pictures of a small generator are kept as they are, and enlarged by the browser.
SMALL = 160
_THREADS = 4


@frozen
class Shown:
    """A picture on a page: where it comes from, its size, and whether it is to be enlarged."""

    src: str
    width: int
    height: int
    pixelated: bool


def side_for(count: int) -> int:
    """How wide each of `count` faces is on a page, in pixels."""
    return next((side for most, side in SIDES if count <= most), SIDES[-1][1])


def shown(image: Image.Image, side: int) -> Shown:
    """Return a picture as a data URI, at most `side` pixels wide and high."""
    image = image.convert("RGB")
    small = max(image.size) <= SMALL
    if not small:
        image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    if small:
        image.save(buffer, "PNG", optimize=True)
    else:
        image.save(buffer, "JPEG", quality=QUALITY)
    kind = "png" if small else "jpeg"
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Shown(f"data:image/{kind};base64,{data}", *image.size, small)


def faces(paths: Iterable[Path], side: int) -> list[Shown | None]:
    """Read pictures; None for one that cannot be read."""
    with Pool(_THREADS, "thumbnails") as pool:
        return list(pool.each(partial(_face, side=side), paths))


def films(group: GroupRecord, paths: Iterable[Path]) -> list[Sequence[Shown]]:
    """Read film strips, and cut them into their pictures; none of what is no such strip."""
    with Pool(_THREADS, "films") as pool:
        return list(pool.each(partial(_film, group), paths))


def picture(path: Path, side: int) -> Shown | None:
    """Read one picture, such as a grid."""
    return _face(path, side)


def _face(path: Path, side: int) -> Shown | None:
    image = read(path)
    return None if image is None else shown(image, side)


def _film(group: GroupRecord, path: Path) -> Sequence[Shown]:
    strip = read(path)
    if strip is None:
        return ()
    return [shown(each, each.width) for each in film_pictures(group, strip)]


def read(path: Path) -> Image.Image | None:
    """Read a picture, RGB; None if it cannot be read."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None

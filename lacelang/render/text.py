"""Drawing text with Pillow: fonts that come with it, lines that fit."""

from __future__ import annotations

from bisect import bisect_left
from functools import cache

from PIL import ImageFont

from lacelang.text.hidden import displayed

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Pillow's own font has little beyond ASCII; these are common system fonts with more.
_WIDER = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf")
_PLAIN = str.maketrans({"–": "-", "—": "-", "−": "-", "×": "x", "≥": ">=", "≤": "<=", "\t": " "})


@cache
def font(size: int) -> Font:
    """Pillow's own font at `size` pixels, the same on every machine."""
    return ImageFont.load_default(size)


def font_for(text: str, size: int) -> Font:
    """A font with all characters of `text`, Pillow's own or a system's; Pillow's if none has."""
    fonts = [font(size), *(_system_font(name, size) for name in _WIDER)]
    able = (face for face in fonts if face is not None and _knows(text, face))
    return next(able, font(size))


def legible(text: str, face: Font) -> str:
    """`text` as it is displayed, on one line; what `face` lacks has a plain substitute."""

    def shown(char: str) -> str:
        plain = char if _knows(char, face) else char.translate(_PLAIN)
        return plain if _knows(plain, face) else "?"

    return "".join(map(shown, displayed(" ".join(text.split()))))


def fit(text: str, face: Font, width: float) -> str:
    """`text`, cut short with an ellipsis where it is wider than `width` pixels."""
    if face.getlength(text) <= width:
        return text

    def is_wide(size: int) -> bool:
        return face.getlength(text[:size].rstrip() + "…") > width

    size = bisect_left(range(1, len(text) + 1), True, key=is_wide)
    return text[:size].rstrip() + "…"


def wrap(text: str, face: Font, width: float, lines: int) -> list[str]:
    """Break `text` at spaces into at most `lines` lines of `width` pixels, the last cut short."""
    rows: list[str] = []
    words = text.split()
    while words:
        if len(rows) == lines - 1:
            rows.append(fit(" ".join(words), face, width))
            break
        row = words.pop(0)
        while words and face.getlength(f"{row} {words[0]}") <= width:
            row = f"{row} {words.pop(0)}"
        rows.append(fit(row, face, width))
    return rows


@cache
def _system_font(name: str, size: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _knows(text: str, face: Font) -> bool:
    return all(_has(char, face) for char in set(text))


@cache
def _has(char: str, face: Font) -> bool:
    # A font draws its one "no such glyph" box for everything it lacks, U+FFFF among it.
    return char.isspace() or bytes(face.getmask(char)) != bytes(face.getmask("\uffff"))

"""Drawing text with Pillow: fonts that come with it, lines that fit."""

from __future__ import annotations

from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Pillow's own font knows little beyond ASCII; these are common where it does not suffice.
_WIDER = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf")
_PLAIN = str.maketrans({"–": "-", "—": "-", "−": "-", "×": "x", "≥": ">=", "≤": "<=", "\t": " "})


@cache
def font(size: int) -> Font:
    """Pillow's own font at `size` pixels, the same on every machine."""
    return ImageFont.load_default(size)


def font_for(text: str, size: int) -> Font:
    """A font that can show `text`: Pillow's own, else one of the system's, else Pillow's again."""
    if all(_known(char, font(size)) for char in set(text)):
        return font(size)
    for name in _WIDER:
        candidate = _system_font(name, size)
        if candidate is not None and all(_known(char, candidate) for char in set(text)):
            return candidate
    return font(size)


def legible(text: str, face: Font) -> str:
    """`text` on one line, with a plain stand-in for each character that `face` lacks."""
    plain = " ".join(text.split())
    return "".join(
        char if _known(char, face) else _stand_in(char.translate(_PLAIN), face) for char in plain
    )


def fit(text: str, face: Font, width: float) -> str:
    """`text`, cut short with an ellipsis where it is wider than `width` pixels."""
    if face.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


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


@cache
def _known(char: str, face: Font) -> bool:
    # A font draws its one "no such glyph" box for everything it lacks, U+FFFF among it.
    if char.isspace():
        return True
    return bytes(face.getmask(char)) != bytes(face.getmask("\uffff"))


def _stand_in(text: str, face: Font) -> str:
    return text if all(_known(char, face) for char in text) else "?"

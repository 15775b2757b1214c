"""Drawing text with Pillow: fonts that come with it, lines that fit."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from functools import cache

from PIL import ImageFont

from lacelang.text.hidden import displayed, escaped

_JOINERS = ("\u200c", "\u200d")

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Pillow's own font has little beyond ASCII; these are common system fonts with more.
_WIDER = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    # Of one script and Latin.
    "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc",
    "msyh.ttc",
    "PingFang.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
)
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


def spelled(text: str, face: Font) -> str:
    """`text` as `legible` gives it, but with the number of what `face` lacks: `\\u5e74`.

    So two labels that differ are seen to differ, whatever fonts there are.
    """

    def shown(char: str) -> str:
        plain = char if _knows(char, face) else char.translate(_PLAIN)
        return plain if _knows(plain, face) else escaped(char)

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


def lines_of(text: str, face: Font, width: float) -> list[str]:
    """Break `text` into lines of `width` pixels, at spaces, or where there is none, anywhere.

    Nothing is cut off, and no line is wider unless a single character is. Marks stay with their
    letter.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            joined = f"{line} {word}" if line else word
            if face.getlength(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            *full, line = _pieces(word, face, width)
            lines += full
        lines.append(line)
    return lines


def _pieces(word: str, face: Font, width: float) -> list[str]:
    """Break a word into pieces of `width` pixels."""
    pieces: list[str] = []
    piece = ""
    for cluster in _clusters(word):
        if piece and face.getlength(piece + cluster) > width:
            pieces.append(piece)
            piece = ""
        piece += cluster
    return [*pieces, piece]


def _clusters(word: str) -> list[str]:
    """A word letter by letter, each with the marks and joiners that belong to it."""
    found: list[str] = []
    for char in word:
        joins = unicodedata.category(char) in ("Mn", "Mc", "Me") or char in _JOINERS
        if found and (joins or found[-1].endswith(_JOINERS)):
            found[-1] += char
        else:
            found.append(char)
    return found


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

"""What a name is, and which spellings of it are one name.

A name is an identifier of Unicode (UAX 31): a letter or `_`, and then letters, marks, digits and
connectors (XID_Start, XID_Continue). Names are checked, compared and kept in NFC (UAX 15), so a
letter with its accent is the same however it was typed. Everything that takes a name from outside
brings it to NFC here, once.

The two joiners ZWJ and ZWNJ change how a script joins its letters. They may stand where they do so:
beside a virama (UAX 31, A2 and B) and, ZWNJ, between two letters of the Arabic kind (A1). There
they are part of the name; anywhere else they would not be seen, and are refused,
as all characters are that are not seen (hidden.py).
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any, Literal, TypeVar

from lacelang.text.hidden import is_hidden, is_joining

T = TypeVar("T")

_MOST_MARKS = 30
"""Marks on one letter; more are in no word of any language (UAX 15, Stream-Safe Text Format)."""


def nfc(text: str) -> str:
    """Return the one spelling under which names are compared."""
    return text if text.isascii() else _normal("NFC", text)


def folded(name: str) -> str:
    """Return what names have in common that some file system takes for one: capitals or not."""
    return nfc(nfc(name).casefold())


def begins_with(name: str, part: str) -> bool:
    """Whether somebody who has typed `part` may be typing `name`, its last accents to come."""
    return _normal("NFD", name).startswith(_normal("NFD", part))


def place_of(path: Path) -> Path:
    """Return the path as the disk spells it, where the disk tells spellings of one name apart."""
    if str(path).isascii():
        return path
    place = Path(path.anchor)
    try:
        for part in path.parts[len(place.parts) :]:
            same = place / part
            if not same.exists():
                beside = sorted(place.iterdir())
                same = next((p for p in beside if nfc(p.name) == nfc(part)), same)
            place = same
    except (OSError, ValueError):
        return path
    return place


class ByName(dict[str, T]):
    """A dictionary that finds its keys, names in NFC, under any spelling of theirs."""

    def __missing__(self, name: str) -> T:
        same = nfc(name) if isinstance(name, str) else name
        if same == name:
            raise KeyError(name)
        return self[same]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(nfc(name) if isinstance(name, str) else name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return what is called so, or `default`."""
        return super().get(nfc(name) if isinstance(name, str) else name, default)


def is_name(text: str) -> bool:
    """Whether the text has the form of a name; words of the language have it, too."""
    return bool(text) and what_is_wrong(text) is None


def what_is_wrong(text: str) -> str | None:
    """Return which character of the text cannot stand in a name, in words; None if all can."""
    name = nfc(text)
    if name.isascii() and name.isidentifier():
        return None
    for at, character in enumerate(name):
        if _fits(name, at, first=at == 0):
            continue
        shown = f"{unicodedata.name(character, 'the character')} (U+{ord(character):04X})"
        if character in "\u200c\u200d":
            return f"{shown} cannot stand here in a name"
        if is_part(character):
            return f"a name does not begin with {shown}"
        return f"{shown} cannot stand in a name"
    return None


def mended(text: str) -> str:
    """Return the name that is left of the text without what cannot stand in it; it may be empty."""
    name, kept = nfc(text), ""
    for at, character in enumerate(name):
        if _fits(name, at, first=not kept):
            kept += character
    return kept


def is_part(character: str) -> bool:
    """Whether the character may stand inside of some name."""
    return f"_{character}".isidentifier() or character in "\u200c\u200d"


def _fits(name: str, at: int, first: bool) -> bool:
    character = name[at]
    if first:
        return character.isidentifier() and not is_hidden(name, at)
    return is_joining(name, at) or (f"_{character}".isidentifier() and not is_hidden(name, at))


def with_few_marks(text: str) -> str:
    """Return a text with so few marks on each letter that all of its spellings can be compared."""
    marks, kept = 0, []
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        # Half of them, since a letter may have marks of its own.
        if marks <= _MOST_MARKS // 2:
            kept.append(character)
    return "".join(kept)


def _normal(form: Literal["NFC", "NFD"], text: str) -> str:
    marks = 0
    for character in text if len(text) > _MOST_MARKS else "":
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            # Marks are sorted in a time that grows with the square of their number.
            return text
    return unicodedata.normalize(form, text)

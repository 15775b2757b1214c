"""What a name is, and which spellings of it are one name.

A name is an identifier of Unicode (UAX 31): a letter or `_`, and then letters, marks, digits and
connectors (XID_Start, XID_Continue). Names are judged, compared and kept in NFC (UAX 15), so that a
letter with its accent is the same however it was typed. Everything that takes a name from outside
brings it to NFC here, once.

The two joiners ZWJ and ZWNJ change how a script joins its letters. They may stand where they do so:
beside a virama (UAX 31, A2 and B) and, ZWNJ, between two letters of the Arabic kind (A1). There
they are part of the name; anywhere else nobody would see them, and they are refused.
"""

from __future__ import annotations

import unicodedata

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_VIRAMA = 9
"""The canonical combining class of what takes a consonant's vowel away."""


def nfc(text: str) -> str:
    """Return the one spelling under which names are compared."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(name: str) -> str:
    """Return what names have in common that differ only in capital letters."""
    return nfc(nfc(name).casefold())


def begins_with(name: str, part: str) -> bool:
    """Whether somebody who has typed `part` may be typing `name`, its last accents to come."""
    return _taken_apart(name).startswith(_taken_apart(part))


def is_name(text: str) -> bool:
    """Whether the text has the form of a name; words of the language have it, too."""
    return bool(text) and what_is_wrong(text) is None


def what_is_wrong(text: str) -> str | None:
    """Return which character of the text cannot stand in a name, in words; None if all can."""
    name = nfc(text)
    if name.isidentifier():
        return None
    for at, character in enumerate(name):
        if _fits(name, at, first=at == 0):
            continue
        shown = f"{unicodedata.name(character, 'the character')} (U+{ord(character):04X})"
        if is_part(character) and not _is_joiner(character):
            return f"a name does not begin with {shown}"
        return f"{shown} cannot stand {'here ' if _is_joiner(character) else ''}in a name"
    return None


def mended(text: str) -> str:
    """Return the name that is left of the text without what cannot stand in it; it may be empty."""
    name = nfc(text)
    kept = ""
    for at, character in enumerate(name):
        if _fits(name, at, first=not kept):
            kept += character
    return kept


def is_part(character: str) -> bool:
    """Whether the character may stand inside of some name."""
    return f"_{character}".isidentifier() or _is_joiner(character)


def is_joining(text: str, at: int) -> bool:
    """Whether a joiner stands at `at`, at a place where it joins or parts letters."""
    if not 0 < at < len(text) or not _is_joiner(text[at]):
        return False
    before, after = text[:at], text[at + 1 : at + 2]
    if _is_virama(before[-1]) or (after and _is_virama(after)):
        return True
    while before and unicodedata.combining(before[-1]):
        before = before[:-1]
    return text[at] == _ZWNJ and _is_arabic(before[-1:]) and _is_arabic(after)


def _fits(name: str, at: int, first: bool) -> bool:
    character = name[at]
    if first:
        return character.isidentifier()
    return f"_{character}".isidentifier() or is_joining(name, at)


def _is_joiner(character: str) -> bool:
    return character in (_ZWNJ, _ZWJ)


def _is_virama(character: str) -> bool:
    return unicodedata.combining(character) == _VIRAMA


def _is_arabic(character: str) -> bool:
    """Whether it is a letter of Arabic, Syriac or their kin, whose letters join by themselves."""
    return bool(character) and unicodedata.bidirectional(character) == "AL" and character.isalpha()


def _taken_apart(text: str) -> str:
    return unicodedata.normalize("NFD", text)

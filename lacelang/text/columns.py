"""How wide text is on a terminal: in columns, which are not characters in every script."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Mn", "Me", "Cf"})
"""Categories of what stands above or below the character before it, or is not seen."""


def columns_of(text: str) -> int:
    """Return how many columns a terminal takes for `text`."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(character) in _UNSEEN or _ends_syllable(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def padded(text: str, columns: int) -> str:
    """Return the text with spaces behind it, so that it takes so many columns or more."""
    return text + " " * (columns - columns_of(text))


def _ends_syllable(character: str) -> bool:
    """Whether it is a vowel or a last consonant of Korean, set below the consonant before it."""
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"

"""Characters that are not seen as they are, and how text that may hold them is shown.

Hidden are controls (all but tab and line feed), line and paragraph separators, halves of
characters, and what Unicode calls Default_Ignorable_Code_Point: controls of direction, characters
without width, tags, fillers, variation selectors. A terminal obeys the former, and the latter make
text read as something else than it is.

Joiners and variation selectors are not hidden where they do what they are for: a joiner beside a
virama, between letters of the Arabic kind or between emoji; a selector right after a character that
has variants.
"""

from __future__ import annotations

import re
import unicodedata

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_JOINERS = (_ZWNJ, _ZWJ)
_VIRAMA = 9
"""The canonical combining class of what takes a consonant's vowel away."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

REFUSED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls, and those that put text in another order than it is read in: in no comment either."""


def is_hidden(text: str, at: int) -> bool:
    """Whether the character at `at` is not seen as what it is."""
    return _HIDDEN.match(text, at) is not None and not _belongs(text, at)


def first_hidden(text: str) -> int | None:
    """Return where the first hidden character is; None if there is none."""
    found = (m.start() for m in _HIDDEN.finditer(text))
    return next((at for at in found if not _belongs(text, at)), None)


def displayed(text: str) -> str:
    """Return the text as any screen, sheet or report may show it: `\\u202e` for what is hidden.

    Tabs and line feeds stay. Doing it twice changes nothing more.
    """
    return _HIDDEN.sub(lambda m: m[0] if _belongs(text, m.start()) else escaped(m[0]), text)


def without_hidden(text: str) -> str:
    """Return the text without its hidden characters."""
    return _HIDDEN.sub(lambda m: m[0] if _belongs(text, m.start()) else "", text)


def in_line(text: str) -> str:
    """Return the text as `displayed` does, on one line."""
    return displayed(text).replace("\n", "\\n").replace("\t", "\\t")


def escaped(character: str) -> str:
    """Return a character by its number, as Python writes it: `\\x1b`, `\\u202e`, `\\U000e0041`."""
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else ascii(character)[1:-1]


def json_displayed(text: str) -> str:
    """Return JSON that is read as the same values, and in which nothing is hidden."""
    import json

    return _HIDDEN.sub(lambda m: json.dumps(m[0])[1:-1], text)


def is_joining(text: str, at: int) -> bool:
    """Whether a joiner stands at `at`, at a place where it joins or parts letters.

    There UAX 31 (A1, A2 and B) has it in names.
    """
    if not 0 < at < len(text) or text[at] not in _JOINERS:
        return False
    after = text[at + 1] if at + 1 < len(text) else " "
    if _VIRAMA in (unicodedata.combining(text[at - 1]), unicodedata.combining(after)):
        return True
    letter = at - 1
    while letter and unicodedata.combining(text[letter]):
        letter -= 1
    return text[at] == _ZWNJ and _is_arabic(text[letter]) and _is_arabic(after)


def _is_arabic(character: str) -> bool:
    """Whether it is a letter of Arabic, Syriac or their kin, whose letters join by themselves."""
    return unicodedata.bidirectional(character) == "AL" and character.isalpha()


def _belongs(text: str, at: int) -> bool:
    """Whether a joiner or a selector at `at` does what it is for."""
    character, before, after = text[at], text[max(at - 1, 0)], text[at + 1 : at + 2]
    if at == 0:
        return False
    if character in _JOINERS:
        return is_joining(text, at) or (character == _ZWJ and _joins_emoji(before, after))
    kind = unicodedata.category(before)
    if character in "\ufe0e\ufe0f":
        keycap = character == "\ufe0f" and after == "\u20e3" and before in "0123456789#*"
        return keycap or (not before.isascii() and kind[0] in "SP")
    if "\ufe00" <= character <= "\ufe0d":
        return kind == "Sm" or unicodedata.name(before, "").startswith(("CJK UNI", "MYANMAR"))
    if "\U000e0100" <= character <= "\U000e01ef":
        return unicodedata.name(before, "").startswith("CJK UNI")
    return "\u180b" <= character <= "\u180f" and "\u1820" <= before <= "\u18aa"


def _joins_emoji(before: str, after: str) -> bool:
    kinds = unicodedata.category(before), unicodedata.category(after or " ")
    # Before it may stand a selector or a tone of skin.
    return (kinds[0] in ("So", "Sk") or before == "\ufe0f") and kinds[1] in ("So", "Sm")

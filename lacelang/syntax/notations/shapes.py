"""Shapes: what stands in a row of lexemes; `notations.toml` says how one is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from attrs import field, frozen

from lacelang.syntax.grammar import keywords
from lacelang.syntax.notations.reader import Reader
from lacelang.syntax.notations.words import CLOSER, DENIALS, JOINTS, PATTERNS, SETS, WORDS

_NAMES = frozenset({"name", "known", "measured", "binary"})
_CONDITIONS = frozenset(
    {"condition", "predicate", "stated", "unmeasured", "comparison", "unspaced"}
    | {"conjoined_list", "disjoined_list", "barred_list"}
)

_NEEDED = {
    **{
        f"{kind}_list": frozenset(phrase.split()[0] for phrase in WORDS[kind])
        for kind in ("conjoined", "disjoined", "barred")
    },
    **dict.fromkeys(("braces", "bracketed"), frozenset(CLOSER)),
    "approximately": SETS["nearly"] | SETS["before_nearly"],
    "mapping": frozenset({":"}),
    "unspaced": frozenset(JOINTS),
}
"""By what the reader reads, lexemes of which it has one."""


@frozen(slots=False)
class Element:
    """One element of a shape."""

    words: frozenset[str] = frozenset()
    kinds: tuple[str, ...] = ()  # what the reader reads, the first that there is
    name: str = ""
    optional: bool = False
    touching: bool = False

    @property
    def kind(self) -> str:
        """What the reader reads; empty if it is one of several words."""
        return self.kinds[0] if self.kinds else ""

    @cached_property
    def openings(self) -> frozenset[str] | None:
        """The lexemes that it may begin with, in small letters; None if they are not listed."""
        if any(kind in PATTERNS or kind not in WORDS for kind in self.kinds):
            return None
        phrases = (phrase for kind in self.kinds for phrase in WORDS[kind])
        return self.words.union(phrase.split()[0] for phrase in phrases)

    @cached_property
    def needed(self) -> frozenset[str] | None:
        """Lexemes, in small letters, of which it has one; None if they are not listed."""
        if self.openings is not None:
            return self.openings
        if self.words or not _NEEDED.keys() >= {*self.kinds}:
            return None
        return frozenset().union(*(_NEEDED[kind] for kind in self.kinds))

    def may_begin(self, lexeme_kind: str, low: str) -> bool:
        """Whether it may begin with a lexeme, as far as its kind and its small letters tell."""
        if self.optional or low in self.words:
            return True
        if self.openings is not None:
            return low in self.openings
        named = lexeme_kind == "word" and low not in keywords()
        asked = named or low == "(" or low in DENIALS
        counted = lexeme_kind == "number" or low in ("-", "+", "−")
        fits = {**dict.fromkeys(_NAMES, named), **dict.fromkeys(_CONDITIONS, asked)}
        return any({**fits, "number": counted}.get(kind, True) for kind in self.kinds)

    def end(self, reader: Reader, place: int) -> int | None:
        """Return where it ends if it begins with the lexeme at `place`."""
        if self.touching and not reader.touches(place):
            return None
        if reader.low(place) in self.words:
            return place + 1
        for kind in self.kinds:
            end = reader.read(kind, place)
            if end is not None:
                return end
        return None


_ELEMENT = re.compile(r"(\^(?=.))?(?:\{(?:(\w):)?(\w+(?:,\w+)*)\}|\{(\w)=(.+)\}|(.+?))((?<=.)\?)?")


def _element(written: str) -> Element:
    found = _ELEMENT.fullmatch(written)
    assert found is not None, written
    touching, name, kinds, kept, words, word, optional = found.groups(default="")
    listed = words or word
    options = frozenset({*listed.split(",")} - {""})
    if listed == "," or ",," in listed:
        options |= {","}
    read = tuple(kinds.split(",")) if kinds else ()
    return Element(options, read, name or kept, bool(optional), bool(touching))


@frozen(slots=False)
class Shape:
    """A row of elements."""

    written: str
    elements: tuple[Element, ...] = field(init=False, repr=False)

    @elements.default
    def _elements(self) -> tuple[Element, ...]:
        return tuple(_element(word) for word in self.written.split())

    def __iter__(self) -> Iterator[Element]:
        return iter(self.elements)

    @cached_property
    def seconds(self) -> frozenset[str] | None:
        """What may stand right behind its first lexeme; None if that is not listed."""
        first, *others = self.elements or (Element(),)
        if (
            first.optional
            or not (first.words or _NAMES.issuperset(first.kinds))
            or (first.words and first.kinds)
        ):
            return None
        found: frozenset[str] = frozenset()
        for element in others:
            if element.openings is None:
                return None
            found |= element.openings
            if not element.optional:
                return found
        return None

    def may_begin(self, lexeme_kind: str, low: str, after: str) -> bool:
        """Whether it may begin with a lexeme that has `after` behind it, as far as they tell."""
        possible = self.seconds is None or after in self.seconds
        return possible and self.elements[0].may_begin(lexeme_kind, low)

    @cached_property
    def needed(self) -> tuple[frozenset[str], ...]:
        """Sets of lexemes, in small letters, of each of which it has one."""
        listed = (each.needed for each in self.elements if not each.optional)
        return tuple(needed for needed in listed if needed is not None)

    def match(self, reader: Reader, place: int, parts: dict[str, tuple[int, int]]) -> int | None:
        """Return where it ends if it begins at `place`, and add what its named elements read."""
        for element in self.elements:
            end = element.end(reader, place)
            if end is None:
                if not element.optional:
                    return None
                continue
            if element.name:
                parts[element.name] = (place, end)
            place = end
        return place

"""Shapes: what stands in a row of lexemes; `notations.toml` says how one is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import field, frozen

from lacelang.syntax.notations.reader import Reader


@frozen
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

    def end(self, reader: Reader, place: int) -> int | None:
        """Return where it ends if it begins with the lexeme at `place`."""
        if self.touching and not reader.touches(place):
            return None
        if reader.low(place) in self.words:
            return place + 1
        ends = (reader.read(kind, place) for kind in self.kinds)
        return next((end for end in ends if end is not None), None)


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


@frozen
class Shape:
    """A row of elements."""

    written: str
    elements: tuple[Element, ...] = field(init=False, repr=False)

    @elements.default
    def _elements(self) -> tuple[Element, ...]:
        return tuple(_element(word) for word in self.written.split())

    def __iter__(self) -> Iterator[Element]:
        return iter(self.elements)

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

"""The table of notations, and how the shape of one is matched; see `notations.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from lacelang.syntax.notations import conditions, counting, values
from lacelang.syntax.notations.found import Found, Remedy
from lacelang.syntax.notations.reader import Reader
from lacelang.syntax.notations.words import table


@frozen
class Element:
    """One element of a shape."""

    words: frozenset[str] = frozenset()
    kind: str = ""
    name: str = ""
    optional: bool = False
    touching: bool = False

    def end(self, reader: Reader, place: int) -> int | None:
        """Return where it ends if it begins with the lexeme at `place`."""
        if self.touching and not reader.touches(place):
            return None
        if self.kind:
            return reader.read(self.kind, place)
        return place + 1 if reader.low(place) in self.words else None


_ANSWERS = {**vars(conditions), **vars(counting), **vars(values)}
_ELEMENT = re.compile(r"(\^(?=.))?(?:\{(\w+):(\w+)\}|(.+?))((?<=.)\?)?")


def element_of(written: str) -> Element:
    """Return the element that is written so in a shape."""
    found = _ELEMENT.fullmatch(written)
    assert found is not None, written
    touching, name, kind, words, optional = found.groups(default="")
    return Element(options_of(words), kind, name, bool(optional), bool(touching))


def options_of(words: str) -> frozenset[str]:
    """Return the words that have commas between; `,,` is one of them."""
    options = {*words.split(",")} - {""}
    return frozenset(options | {","} if words == "," or ",," in words else options)


@frozen
class Notation:
    """A row of the table."""

    shape: str
    message: str  # `{}` stands for the notation
    said: Mapping[str, Any]
    parses: bool = False  # the grammar may read it too: only a mistake there shows it is meant
    starts: bool = False  # it stands where a condition begins
    elements: tuple[Element, ...] = field(init=False, repr=False)

    @elements.default
    def _elements(self) -> tuple[Element, ...]:
        return tuple(element_of(word) for word in self.shape.split())

    def match(self, reader: Reader, start: int) -> Found | None:
        """Return the notation if it begins with the lexeme at `start`."""
        parts: dict[str, tuple[int, int]] = {}
        place = start
        for element in self.elements:
            end = element.end(reader, place)
            if end is None:
                if not element.optional:
                    return None
                continue
            if element.name:
                parts[element.name] = (place, end)
            place = end
        if reader.low(place) in options_of(self.said.get("unless", "")):
            return None
        return Found(reader, start, place, parts, {e.name: e.kind for e in self.elements})

    def remedy(self, found: Found) -> Remedy | None:
        """Return what to write instead."""
        said = self.said
        if "by" in said:
            options = {key: said[key] for key in said.keys() - {"by", "unless"}}
            answer: Remedy | str | None = _ANSWERS[said["by"]](found, **options)
            return Remedy(answer) if isinstance(answer, str) else answer
        hint, read = (found.filled(said.get(key, ""), brackets=False) for key in ("hint", "read"))
        write = found.filled(said["write"]) if "write" in said else None
        return Remedy(write, hint, said.get("module", ""), read)


def _notations() -> Iterator[Notation]:
    for group in table("notations")["group"]:
        for written, said in group["write"].items():
            shape = re.sub("^([!|] )+", "", written)
            marks = written.removesuffix(shape)
            said = {"write": said} if isinstance(said, str) else said
            yield Notation(shape, group["says"], said, "!" in marks, "|" in marks)


NOTATIONS = tuple(_notations())
"""All notations; of several that fit at one place the first is taken."""

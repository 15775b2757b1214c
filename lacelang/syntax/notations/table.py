"""The table of notations, and how the shape of one is matched; see `notations.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from lacelang.syntax.notations import answers
from lacelang.syntax.notations.found import Found, Remedy
from lacelang.syntax.notations.reader import Reader
from lacelang.syntax.notations.shapes import Element, Shape
from lacelang.syntax.notations.words import table


@frozen
class Notation:
    """A row of the table."""

    shape: Shape
    message: str  # `{}` stands for the notation
    said: Mapping[str, Any]
    parses: bool = False  # the grammar may read it too: only a mistake there shows it is meant
    starts: bool = False  # it stands where a condition begins
    unless: Shape = field(init=False, repr=False)

    @unless.default
    def _unless(self) -> Shape:
        return Shape(self.said.get("unless", ""))

    @property
    def first(self) -> Element:
        """The element that it begins with."""
        return self.shape.elements[0]

    def match(self, reader: Reader, start: int) -> Found | None:
        """Return the notation if it begins with the lexeme at `start`."""
        parts: dict[str, tuple[int, int]] = {}
        end = self.shape.match(reader, start, parts)
        if end is None or any(e.end(reader, end) for e in self.unless):
            return None
        kinds = {element.name: element.kind for element in self.shape}
        return Found(reader, start, end, parts, kinds)

    def remedy(self, found: Found) -> Remedy | None:
        """Return what to write instead."""
        said = self.said
        if "by" in said:
            options = {key: said[key] for key in said.keys() - {"by", "unless"}}
            answer: Remedy | str | None = getattr(answers, said["by"])(found, **options)
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
            yield Notation(Shape(shape), group["says"], said, "!" in marks, "|" in marks)


NOTATIONS = tuple(_notations())
"""All notations; of several that fit at one place the first is taken."""

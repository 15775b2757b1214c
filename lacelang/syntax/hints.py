"""What is said of a token that the parser refuses: the rules of `hints.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from attrs import field, frozen
from lark import Token

from lacelang.errors import Span
from lacelang.syntax.build import between
from lacelang.syntax.grammar import CLAUSES, CLOSERS, ITEMS, JOINTS, OPERATORS, STATEMENTS, asking
from lacelang.syntax.notations.shapes import Shape
from lacelang.syntax.parse_error import BRACKETED, ParseError, Repair, text_of

TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

NEED_CONDITION = JOINTS | asking()
"""Terminals that a condition follows."""

ENDS = STATEMENTS | CLAUSES | ITEMS | CLOSERS | {"$END", "IN_SHARE"}

_WHEN: dict[str, Callable[[ParseError], bool]] = {
    "repeated": lambda e: e.kind == e.previous,
    "has settings": lambda e: e.kind_at(1) in ("WEIGHT", "TEMP"),
    "option": lambda e: e.expected <= {"NAME", "RPAR"} and not e.in_statement("DEF"),
    "defines": lambda e: (
        e.kind_at(2) in ("NOT", "LPAR")
        or e.kind_at(3) in OPERATORS | {"IN"}
        or not e.accepts(["AND", "NAME"])
    ),
    "ends": lambda e: e.kind in ENDS,
    "compared": lambda e: e.previous != "NAME",
    "condition begins": lambda e: (
        e.previous in NEED_CONDITION or (e.previous == "LPAR" and "NOT" in e.expected)
    ),
}


class _Text(str):
    """The text of a part, in the forms that a table names."""

    def __format__(self, form: str) -> str:
        if form == "share":
            return f"{float(self) / 100:g}"
        if form == "joined":
            return self.replace(" ", "_")
        return self.lstrip("-") if form == "positive" else self


@frozen
class Rule:
    """A row of the table, called with an error for its repair."""

    said: Mapping[str, Any]
    shapes: tuple[Shape, Shape, Shape] = field(init=False)
    """What stands before the refused token, what is replaced, and what is kept behind that."""

    @shapes.default
    def _shapes(self) -> tuple[Shape, Shape, Shape]:
        before, _, after = f" {self.said['shape']} ".rpartition(" | ")
        replaced, _, kept = after.partition(" / ")
        return Shape(before), Shape(replaced), Shape(kept)

    def __call__(self, error: ParseError) -> Repair | None:
        """Return what is said of an error, and its repair, if the rule fits."""
        if not self._may_be(error):
            return None
        reader = error.reader
        parts: dict[str, tuple[int, int]] = {}
        places = [reader.refused - len(self.shapes[0].elements)]
        for shape in self.shapes:
            end = shape.match(reader, places[-1], parts)
            if end is None:
                return None
            places.append(end)
        _, start, kept, end = places
        tokens = {}
        for element in chain(*self.shapes):
            first, last = parts.get(element.name, (0, 0))
            inside = element.kind in BRACKETED
            tokens[element.name] = reader.tokens[first + inside : last - inside]
        repair = self._repair(error, tokens, kept - start, reader.tokens[end - 1])
        read = [*(repair.tokens or ()), *reader.tokens[kept:end]]
        fits = "fits" not in self.said or error.accepts([token.type for token in read])
        return repair if fits else None

    def _may_be(self, error: ParseError) -> bool:
        """Whether what stands around the error is as the rule asks."""
        said, bracket = self.said, error.opened[-1] if error.opened else ""
        return (
            said.get("expects", "") in {"", *error.expected}
            and said.get("lacks") not in error.expected
            and ("in" not in said or error.in_statement(said["in"]))
            and said.get("inside", bracket) == bracket
            and ("if" not in said or _WHEN[said["if"]](error))
        )

    def _repair(
        self, error: ParseError, parts: Mapping[str, Sequence[Token]], count: int, last: Token
    ) -> Repair:
        said = self.said
        texts = {name: _Text(text_of(tokens)) for name, tokens in parts.items()}
        at: Token | Span = error.token
        if "at" in said:
            first, _, to = said["at"].partition(" ")
            at = between(parts[first][0], last if to == "-" else parts[to or first][-1])
        hint = said["hint"].format_map(texts) if "hint" in said else None
        instead: list[str | Token] | None = None
        if "read" in said:
            instead = []
            for word in said["read"].split():
                if word[0] == "{" and word[1:-1] in parts:
                    instead += parts[word[1:-1]]
                else:
                    instead.append(word.format_map(texts) if word[1:] else word)
        code, message = said.get("code", "LACE003"), said["says"].format_map(texts)
        return Repair(code, message, at, hint, instead=instead, count=count)

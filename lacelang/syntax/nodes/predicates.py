"""Conditions: comparisons, operators, and settings in brackets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, TypeAlias

from lacelang.errors import Span
from lacelang.syntax.node import Node
from lacelang.syntax.nodes.values import Quantity, Value, Word


class Comparison(Node, rules="comparison"):
    """`smile = 1`; the operator is one of = != < <= > >= ~."""

    attribute: Word
    operator: str
    value: Value


class InRange(Node, rules="range_comparison"):
    """`age in 60..70`."""

    attribute: Word
    low: Value
    high: Value


class InSet(Node, rules="set_comparison"):
    """`haircolor in {gray, blond}`."""

    attribute: Word
    values: tuple[Value, ...]


class Choice(Node, rules="choice"):
    """`black: 3` among the values that `each` draws from; without a weight it has weight 1."""

    value: Value
    weight: Quantity | None = None


class DrawnFromSet(Node, rules="drawn_from_set"):
    """`haircolor = each {black: 3, blond: 1}`."""

    attribute: Word
    choices: tuple[Choice, ...]


class DrawnFromRange(Node, rules="drawn_from_range"):
    """`age = each 20..60`."""

    attribute: Word
    low: Value
    high: Value


class Reference(Node, rules="reference"):
    """A name standing alone where a predicate is expected."""

    name: Word


class Call(Node, rules="call"):
    """`exactly_one(smile=1, glasses=1)`; a bare name among the arguments is a `Reference`."""

    name: Word
    arguments: tuple[Predicate | Quantity, ...]


class Parenthesis(Node, rules="parenthesis"):
    """A predicate in round brackets."""

    inner: Predicate


class Formed(Node):
    """A keyword and its value, with the word before the value's bracket, if there is one."""

    keyword: str
    value: Value
    form: Word | None = None

    @classmethod
    def read(cls, parts: Sequence[Any], span: Span) -> Self:
        """Return the node; the word before the bracket comes before the value in it."""
        keyword, *form, value = parts
        return cls(keyword, value, *form, span=span)


class Setting(Formed, rules="weight temp"):
    """`weight 2`, `temp 0.3` or `temp logit(2)`; `form` is the word before the bracket."""


class Tuned(Node, rules="tuned"):
    """An atom or a group followed by settings in square brackets."""

    term: Predicate
    settings: tuple[Setting, ...]


class Not(Node, rules="negation"):
    """`not p`."""

    term: Predicate


class _Joined(Node):
    terms: tuple[Predicate, ...]


class And(_Joined, rules="conjunction"):
    """`p and q and …`, two terms or more."""


class Or(_Joined, rules="disjunction"):
    """`p or q or …`, two terms or more."""


class Xor(_Joined, rules="exclusion"):
    """`p xor q xor …`, taken from the left."""


class Implies(_Joined, rules="implication"):
    """`p implies q implies …`, taken from the right."""


Drawn: TypeAlias = DrawnFromSet | DrawnFromRange
Atom: TypeAlias = Comparison | InRange | InSet | Drawn
Predicate: TypeAlias = (
    Atom | Reference | Call | Parenthesis | Tuned | Not | And | Or | Xor | Implies
)

"""Clauses of statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, TypeAlias

from lacelang.errors import Span
from lacelang.syntax.node import Node
from lacelang.syntax.nodes.predicates import Formed, Predicate, Setting
from lacelang.syntax.nodes.values import Quantity, Text, Value, Word


class PredicateClause(Node, rules="predicate_clause"):
    """`where p` or `given p`."""

    keyword: str
    predicate: Predicate


class ValueClause(Formed, rules="value_clause"):
    """`truncation v`, `seed v`, `stay v`, `face v`, `hold v` or `hold all(v)`: `form` is `all`."""


class TempClause(Node, rules="temp_clause"):
    """`temp t` or `temp logit(t)` of a whole statement."""

    setting: Setting
    keyword: ClassVar[str] = "temp"


class WordClause(Node, rules="word_clause"):
    """`negation contrast(0.1)`, `disjunction balanced`, `sigma paper`, `reweight off`."""

    keyword: str
    word: Word
    argument: Value | None = None


class FromClause(Node, rules="from_clause"):
    """`from ffhq`."""

    model: Word
    keyword: ClassVar[str] = "from"


class Option(Node, rules="option"):
    """`tolerance=1e-3`, an option of a sampler."""

    name: Word
    value: Value


class WithClause(Node, rules="with_clause"):
    """`with heun(tolerance=1e-3)`."""

    sampler: Word
    options: tuple[Option, ...] = ()
    keyword: ClassVar[str] = "with"


class AsClause(Node, rules="as_clause"):
    """`as men` or `as "beard at {t}"`."""

    name: Word | Text
    keyword: ClassVar[str] = "as"


class VerifiedClause(Node, rules="verified_clause"):
    """`verified`, or `verified(4)` with the most candidates for each sample."""

    tries: Value | None = None
    keyword: ClassVar[str] = "verified"


class FlagClause(Node, rules="flag_clause"):
    """`fast` or `paste`: what a word alone asks for."""

    keyword: str


class KeepClause(Node, rules="keep_clause"):
    """`keep identity`, or `keep identity 2` with its strength."""

    word: Word
    strength: Value | None = None
    keyword: ClassVar[str] = "keep"


class Layer(Node, rules="layer"):
    """`4..5`, or `10` alone, where `last` is None."""

    first: Quantity
    last: Quantity | None = None


class LayersClause(Node, rules="layers_clause"):
    """`layers 4..5, 10`, or `layers all`, where `word` is `all`."""

    layers: tuple[Layer, ...]
    word: Word | None = None

    @classmethod
    def read(cls, parts: Sequence[Any], span: Span) -> Self:
        """Return the node; its parts are a word or layers."""
        is_word = isinstance(parts[0], Word)
        return cls(() if is_word else tuple(parts), parts[0] if is_word else None, span=span)

    keyword: ClassVar[str] = "layers"


Clause: TypeAlias = (
    PredicateClause
    | ValueClause
    | TempClause
    | WordClause
    | FromClause
    | WithClause
    | AsClause
    | LayersClause
    | VerifiedClause
    | FlagClause
    | KeepClause
)

"""Conditions: comparisons of attributes with values, joined by `and`, `or` and `not`.

A predicate's `weight`, `temp` and `logit_temp` speak of it as a term of its parent; spans and texts
are for display and take no part in equality.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from attrs import field, frozen

from lacelang.errors import Span
from lacelang.ir.models import BinaryAttribute, ChoiceAttribute, ContinuousAttribute
from lacelang.record import Record

NOWHERE = Span(1, 1, 1, 1)
"""The span of a predicate that was built in Python and has no source text."""


@frozen(kw_only=True, eq=False, repr=False)
class Predicate(Record):
    """What every predicate carries as a term of its parent.

    Attributes:
        weight: multiplies the energy under `and` and at the root; prior odds under `or`.
        temp: divides the energy; None means 1. On a discrete atom it stands in place of the
            statement's own `temp`.
        logit_temp: the paper's temperature of the logits; on discrete atoms only, never
            together with `temp` and never under a `Not`.
        text: the source form, for display, e.g. `glasses=1`.
        via: names of the definitions that it was written as, the outermost first.
    """

    weight: float = 1.0
    temp: float | None = None
    logit_temp: float | None = None
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    text: str = field(default="", eq=False, repr=False)
    via: tuple[str, ...] = field(default=(), eq=False, repr=False)


@frozen(eq=False, repr=False)
class Discrete(Predicate):
    """The attribute has one of `classes` (indices into its values): -log of their total p."""

    attribute: BinaryAttribute | ChoiceAttribute
    classes: frozenset[int]


@frozen(eq=False, repr=False)
class Degree(Predicate):
    """The classifier gives class `cls` the probability `degree` (0..1)."""

    attribute: BinaryAttribute | ChoiceAttribute
    cls: int
    degree: float


@frozen(eq=False, repr=False)
class Equals(Predicate):
    """The attribute is `value`, in its own units."""

    attribute: ContinuousAttribute
    value: float


@frozen(eq=False, repr=False)
class AtLeast(Predicate):
    """The attribute is `bound` or more; `>` and `>=` mean the same to a density."""

    attribute: ContinuousAttribute
    bound: float


@frozen(eq=False, repr=False)
class AtMost(Predicate):
    """The attribute is `bound` or less."""

    attribute: ContinuousAttribute
    bound: float


@frozen(eq=False, repr=False)
class Between(Predicate):
    """The attribute is in `low`..`high`, low < high."""

    attribute: ContinuousAttribute
    low: float
    high: float


Comparison: TypeAlias = Discrete | Degree | Equals | AtLeast | AtMost | Between


@frozen(eq=False, repr=False)
class And(Predicate):
    """All of two or more terms. A nested plain `And` is merged into its parent."""

    terms: tuple[Predicate, ...]


@frozen(eq=False, repr=False)
class Or(Predicate):
    """At least one of two or more terms, flat, so that order never matters."""

    terms: tuple[Predicate, ...]


@frozen(eq=False, repr=False)
class Not(Predicate):
    """The term does not hold; the statement's `negation` says how."""

    term: Predicate


def comparisons(predicate: Predicate) -> Iterator[Comparison]:
    """Yield the comparisons of a condition from left to right."""
    match predicate:
        case And(terms=terms) | Or(terms=terms):
            for term in terms:
                yield from comparisons(term)
        case Not(term=term):
            yield from comparisons(term)
        case Discrete() | Degree() | Equals() | AtLeast() | AtMost() | Between():
            yield predicate


Negation: TypeAlias = tuple[Literal["complement"]] | tuple[Literal["contrast"], float]


@frozen(eq=False, repr=False)
class ConditionOptions(Record):
    """What a statement's clauses say of all of its conditions.

    Attributes:
        temp: divides the energy of every discrete atom that has no temperature of its own.
        logit_temp: the same in the paper's form; never together with `temp`.
        negation: the complement, or the paper's contrast and its lambda.
        disjunction: how the disjuncts of an `or` are weighed.
        sigma: where the spread of measured attributes comes from.
    """

    temp: float | None
    logit_temp: float | None
    negation: Negation
    disjunction: Literal["equal", "balanced"]
    sigma: Literal["residual", "paper"]


def temperatures(
    predicate: Predicate, options: ConditionOptions
) -> tuple[float | None, float | None]:
    """Return the temperature in force at a predicate, and that of its logits; one is None.

    A statement's own is for discrete atoms that have none themselves.
    """
    own = predicate.temp is not None or predicate.logit_temp is not None
    if own or not isinstance(predicate, Discrete | Degree):
        return predicate.temp, predicate.logit_temp
    return options.temp, options.logit_temp

"""The outline of a statement: plain values, for whoever prints it or asks for one of them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from lacelang import ir

Kind: TypeAlias = Literal[
    "discrete", "degree", "equals", "at_least", "at_most", "between", "and", "or", "not"
]


@frozen
class Figures:
    """What a term comes to on draws from the prior.

    Attributes:
        energy, spread: mean and standard deviation in nats, the term's temperature included and
            its weight left out.
        share: of the gradient; see `lacelang.explain.measured`. None where the gradient vanishes.
        reading: mean of what the classifiers read: a probability, or a value in the attribute's
            unit. None for `and`, `or` and `not`.
    """

    energy: float
    spread: float
    share: float | None
    reading: float | None = None


@frozen
class Term:
    """One node of a condition.

    Attributes:
        text: its source form, settings left out.
        rewritten: it was written otherwise than with its own terms: as `p xor q`, `age != 15`.
        formula: its energy, in short.
        weight: multiplies its energy under `and` and at the root; prior odds under `or`.
        odds: its share of an `or`'s odds; None elsewhere, and where they are balanced by draws.
        temp, logit_temp: the temperature in force, its own or the statement's; at most one.
        attribute: what an atom reads; None for `and`, `or` and `not`.
        unit: of the attribute.
        sigma: spread of a continuous atom in its unit; None where it is the classifiers' residual
            and no weights have been looked at.
        via: the definitions that it was written as, the outermost first.
        terms: the nodes below.
        figures: on draws from the prior, if it was measured.
    """

    kind: Kind
    text: str
    formula: str
    rewritten: bool = False
    weight: float = 1.0
    odds: float | None = None
    temp: float | None = None
    logit_temp: float | None = None
    attribute: str | None = None
    unit: str | None = None
    sigma: float | None = None
    via: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    figures: Figures | None = None


@frozen
class Totals:
    """A whole condition on draws from the prior.

    Attributes:
        draws, seed: how many, and from which seed.
        energy, spread: mean and standard deviation in nats, the prior left out.
        gradient: mean norm of the energy's gradient in z.
    """

    draws: int
    seed: int
    energy: float
    spread: float
    gradient: float


@frozen
class Tree:
    """A condition and the clauses under which it is one.

    Attributes:
        role: what the condition is for: `energy` of samples, `what` and `given` of a probability,
            `step 1`, `step 2`, … of an edit.
        model: whose samples it is a condition on.
        where: the condition itself.
        options: the clauses.
        truncation, seed: of the samples.
        root: None where nothing is asked for.
        totals: if it was measured.
    """

    role: str
    model: ir.ModelSpec = field(repr=False)
    where: ir.Predicate | None = field(repr=False)
    options: ir.ConditionOptions = field(repr=False)
    truncation: float
    seed: int | None
    root: Term | None
    totals: Totals | None = None


@frozen
class Fact:
    """One thing to know of a statement: for people, and as plain JSON for programs."""

    label: str
    text: str
    value: Any


@frozen
class Outline:
    """One statement.

    Attributes:
        kind: `sample`, `edit`, `measure` or `expect`.
        name: of its group or measurement; None for an `expect`.
        title: one line that says what it does.
        facts: what holds for all of it.
        trees: its conditions.
    """

    kind: Literal["sample", "edit", "measure", "expect"]
    name: str | None
    title: str
    facts: tuple[Fact, ...]
    trees: tuple[Tree, ...]

"""Conditions as trees of terms, each with its energy in short."""

from __future__ import annotations

from attrs import evolve, field, frozen

from lacelang import ir
from lacelang.text.numerals import number_text


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
        predicate: the node itself.
        kind: of it.
        text: its source form, settings left out.
        formula: its energy, in short.
        weight: multiplies its energy under `and` and at the root; prior odds under `or`.
        odds: its share of an `or`'s odds; None elsewhere, and where they are balanced by draws.
        temp, logit_temp: the temperature in force, its own or the statement's; at most one.
        attribute, unit: what a comparison reads; None for `and`, `or` and `not`.
        sigma: spread of a measured attribute in its unit; None where it is the classifiers'
            residual and no weights have been looked at.
        via: the definitions that it was written as, the outermost first.
        terms: the nodes below.
        figures: on draws from the prior, if it was measured.
    """

    predicate: ir.Predicate = field(repr=False)
    kind: str
    text: str
    formula: str
    weight: float
    odds: float | None = None
    temp: float | None = None
    logit_temp: float | None = None
    attribute: str | None = None
    unit: str | None = None
    sigma: float | None = None
    via: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    figures: Figures | None = None

    @property
    def rewritten(self) -> bool:
        """Whether it was written otherwise than with its own terms: as `p xor q`, `age != 15`."""
        return bool(self.terms and self.predicate.written)


def term_of(
    predicate: ir.Predicate, options: ir.ConditionOptions, odds: float | None = None
) -> Term:
    """Return the tree of a condition under its statement's clauses."""
    temp, logit = ir.temperatures(predicate, options)
    shares: list[float | None] = [None] * len(predicate.children)
    if isinstance(predicate, ir.Or) and options.disjunction == "equal":
        weights = [sum(disjunct_weights(term)) for term in predicate.terms]
        whole = sum(weights)
        shares = [weight / whole for weight in weights]
    terms = zip(predicate.children, shares, strict=True)
    term = Term(
        predicate=predicate,
        kind=predicate.kind,
        text=" ".join(predicate.bare_text.split()),
        formula=formula(predicate, options),
        weight=predicate.weight,
        odds=odds,
        temp=temp,
        logit_temp=logit,
        via=predicate.via,
        terms=tuple(term_of(child, options, share) for child, share in terms),
    )
    if not isinstance(predicate, ir.Comparison):
        return term
    attribute = predicate.attribute
    sigma = attribute.paper_sigma if options.sigma == "paper" else None
    return evolve(term, attribute=attribute.name, unit=attribute.unit, sigma=sigma)


def disjunct_weights(term: ir.Predicate) -> list[float]:
    """Return the weight of a term of an `or`, or, if it comes to an `or` itself, its disjuncts'.

    `not not (b or c)` is `b or c`, and so is `(b or c) and d [weight 0]`: their disjuncts join
    those of an `or` around them.
    """
    simple = ir.simplified(term)
    merged = isinstance(simple, ir.Or) and simple.is_plain
    return [each.weight for each in (simple.children if merged else (term,))]


def formula(predicate: ir.Predicate, options: ir.ConditionOptions) -> str:
    """Return the energy of a condition under its statement's clauses, its own weight left out.

    p is the classifiers' probability, f what they read, E a term's energy, w its weight, π the odds
    of a disjunct; the table of `docs/language.md` has the same forms.
    """
    temp, logit = ir.temperatures(predicate, options)
    if isinstance(predicate, ir.Discrete) and logit is not None:
        wanted = "f" if len(predicate.classes) == 1 else "(log Σ e^f)"
        return f"−{wanted} / {number_text(logit)} + log Σ e^f"
    temp = logit if temp is None else temp
    match predicate:
        case ir.Comparison():
            plain = predicate.formula
        case ir.Or():
            plain = "−log Σ π e^(−E)"
        case ir.And(terms=terms):
            plain = "Σ E" if all(term.weight == 1 for term in terms) else "Σ w E"
        case ir.Not(term=term):
            plain = _denied(term, options)
    if temp is None or temp == 1:
        return plain
    bracketed = isinstance(predicate, ir.And | ir.Not)
    return f"{f'({plain})' if bracketed else plain} / {number_text(temp)}"


def _denied(term: ir.Predicate, options: ir.ConditionOptions) -> str:
    """Of `not`: a complement moves inwards, so that it never denies a finished sum."""
    tempered = term.temp not in (None, 1.0)
    if isinstance(term, ir.Not) and not tempered:
        return "E denied twice"
    if options.negation[0] == "contrast":
        return f"−{number_text(options.negation[1])} E"
    if isinstance(term, ir.Or) and not tempered:
        return "−Σ log(1 − e^(−E))"
    return "−log(1 − e^(−E))"

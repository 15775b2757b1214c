"""Conditions as trees of terms, each with its energy in short."""

from __future__ import annotations

from attrs import frozen

from lacelang import ir
from lacelang.text.numerals import number_text


@frozen
class Figures:
    """What a term comes to on draws from the prior.

    Mean and standard deviation of its energy in nats, its weight left out; its share of the
    gradient (see `measured`), None where that vanishes; of a comparison, the mean probability, or
    value in the attribute's unit, that the classifiers read.
    """

    energy: float
    spread: float
    share: float | None
    reading: float | None = None


@frozen
class Term:
    """One node of a condition, and what it means under its statement's clauses.

    At most one of the temperatures is in force, its own or the statement's. `odds` is its share of
    an `or`'s, None where they are balanced by draws; `sigma` the spread of a measured attribute in
    its unit, None where it is the classifiers' residual and no weights have been looked at.
    """

    predicate: ir.Predicate
    formula: str
    temp: float | None
    logit_temp: float | None
    odds: float | None
    sigma: float | None
    terms: tuple[Term, ...]
    figures: Figures | None = None

    @property
    def text(self) -> str:
        """Its source form, settings left out."""
        return " ".join(self.predicate.bare_text.split())

    @property
    def attribute(self) -> ir.Attribute | None:
        """What a comparison reads; None for `and`, `or` and `not`."""
        return self.predicate.attribute if isinstance(self.predicate, ir.Comparison) else None

    @property
    def rewritten(self) -> bool:
        """Whether it was written otherwise than with its own terms: as `p xor q`, `age != 15`."""
        return bool(self.terms and self.predicate.written)


def term_of(
    predicate: ir.Predicate, options: ir.ConditionOptions, odds: float | None = None
) -> Term:
    """Return the tree of a condition under its statement's clauses."""
    shares: list[float | None] = [None] * len(predicate.children)
    if isinstance(predicate, ir.Or) and options.disjunction == "equal":
        weights = [sum(disjunct_weights(term)) for term in predicate.terms]
        whole = sum(weights)
        shares = [weight / whole for weight in weights]
    sigma = None
    if isinstance(predicate, ir.Comparison) and options.sigma == "paper":
        sigma = predicate.attribute.paper_sigma
    terms = zip(predicate.children, shares, strict=True)
    return Term(
        predicate,
        formula(predicate, options),
        *ir.temperatures(predicate, options),
        odds,
        sigma,
        tuple(term_of(child, options, share) for child, share in terms),
    )


def disjunct_weights(term: ir.Predicate) -> list[float]:
    """Return the weight of a term of an `or`, or, if it comes to an `or` itself, its disjuncts'.

    `not not (b or c)` is `b or c`, and so is `(b or c) and d [weight 0]`.
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
    if isinstance(predicate, ir.Comparison) and predicate.logits and logit is not None:
        return f"−{predicate.logits} / {number_text(logit)} + log Σ e^f"
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

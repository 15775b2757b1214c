"""The energy of each kind of condition, as short as a table writes it."""

from __future__ import annotations

from lacelang import ir
from lacelang.text.numerals import number_text


def formula(predicate: ir.Predicate, options: ir.ConditionOptions) -> str:
    """Return the energy of a condition under its statement's clauses, its own weight left out.

    p is the classifiers' probability, f what they read, E a term's energy, w its weight, π the odds
    of an arm; the table of `docs/language.md` has the same forms.
    """
    temp, logit = ir.temperatures(predicate, options)
    if isinstance(predicate, ir.Discrete) and logit is not None:
        wanted = "f" if len(predicate.classes) == 1 else "(log Σ e^f)"
        return f"−{wanted} / {number_text(logit)} + log Σ e^f"
    if isinstance(predicate, ir.Degree) and temp is None:
        temp = logit
    plain = _formula(predicate, options)
    if temp is None or temp == 1:
        return plain
    return (
        f"({plain}) / {number_text(temp)}"
        if _is_sum(predicate)
        else f"{plain} / {number_text(temp)}"
    )


def _formula(predicate: ir.Predicate, options: ir.ConditionOptions) -> str:
    match predicate:
        case ir.Discrete(classes=classes):
            return "−log p" if len(classes) == 1 else "−log Σ p"
        case ir.Degree(degree=degree):
            return f"KL({number_text(degree)} ‖ p)"
        case ir.Equals(value=value):
            return f"{_from(value)}² / 2σ²"
        case ir.AtLeast(bound=bound):
            return f"−log Φ({_beyond(bound)} / σ)"
        case ir.AtMost(bound=bound):
            return f"−log Φ({_from(bound)} / σ)"
        case ir.Between(low=low, high=high):
            return f"−log(Φ({_from(high)} / σ) − Φ({_from(low)} / σ))"
        case ir.And(terms=terms):
            return "Σ E" if all(term.weight == 1 for term in terms) else "Σ w E"
        case ir.Or():
            return "−log Σ π e^(−E)"
        case ir.Not(term=term):
            return _denied(term, options)
    raise TypeError(f"{type(predicate).__name__} is no condition")


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


def _is_sum(predicate: ir.Predicate) -> bool:
    return isinstance(predicate, ir.And | ir.Not)


def _beyond(number: float) -> str:
    if not number:
        return "f"
    return f"(f − {number_text(number)})" if number > 0 else f"(f + {number_text(-number)})"


def _from(number: float) -> str:
    return f"({number:z.6g} − f)".replace("-", "−")

"""Which conditions are sampled by the probability of their Boolean formula."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lacelang import ir
from lacelang.errors import Span
from lacelang.samplers import SAMPLERS


def is_formula_for(
    sampler: ir.SamplerChoice, predicates: Sequence[ir.Predicate], options: ir.ConditionOptions
) -> bool:
    """Whether a sampler takes an `or` for what it says where no clause makes it a mixture.

    Those that draw from the condition's own distribution do. Odds of disjuncts ask for a mixture.
    """
    if not SAMPLERS[sampler.name].exact:
        return False
    terms = [term for each in predicates for term in ir.walk(ir.simplified(each))]
    chooses = any(isinstance(term, ir.Or | ir.Xor) for term in terms)
    return chooses and not any(True for each in predicates for _ in improbable(each, options))


def improbable(
    predicate: ir.Predicate, options: ir.ConditionOptions
) -> Iterator[tuple[str, str, Span | str]]:
    """Yield what makes a condition's energy no probability of a formula, and a hint.

    It is at the span, or in the clause, that is third.
    """
    pending = [predicate]
    denied = reached = False
    while pending:
        term = pending.pop()
        if term.weight == 0:
            continue  # it has no effect
        if term.logit_temp is not None:
            yield "`temp logit(…)` gives none", "write `temp …` without `logit`", term.span
        reached = reached or ir.temperatures(term, options)[1] is not None
        denied = denied or isinstance(term, ir.Not | ir.Xor)
        if isinstance(term, ir.Or):
            for disjunct in term.terms:
                if disjunct.weight not in (0, 1):
                    hint = "leave it out, or write `disjunction equal`, where weights are odds"
                    yield "the weight of a disjunct is no part of it", hint, disjunct.span
        pending += reversed(term.children)
    if options.logit_temp is not None and reached:
        yield "`temp logit(…)` gives none", "write `temp …` without `logit`", "temp"
    if options.negation[0] == "contrast" and denied:
        hint = "leave `negation contrast(…)` out"
        yield "`negation contrast(…)` gives none", hint, "negation"

"""Generated, satisfiable formulas over attributes that annotators judge, for testing samplers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from attrs import frozen

from lacelang import ir

#: Comparisons by attribute. Those of numbers are intervals: a number never equals a value exactly,
#: so the negation of `=` would hold almost everywhere.
COMPARISONS: Mapping[str, tuple[str, ...]] = {
    "smile": ("smile=1", "smile=0"),
    "glasses": ("glasses=1", "glasses=0"),
    "gender": ("gender=female", "gender=male"),
    "beard": ("beard=1", "beard=0"),
    "haircolor": ("haircolor=black", "haircolor=blond", "haircolor in {brown, red}"),
    "yaw": ("yaw > 12", "yaw < -12", "yaw in -10..10"),
    "age": ("age < 20", "age > 45", "age in 20..40"),
}
DEPTHS = (1, 2, 3, 4)

_NEGATED = 0.25
_THIRD = 0.2

#: Formulas drawn for each formula kept: many are too rare, or almost always true.
_DRAWN = 8

Shares: TypeAlias = Callable[[list[str]], Mapping[str, float]]


@frozen
class Formula:
    """A generated condition, the depth of its connectives, and its probability under the prior."""

    text: str
    depth: int
    share: float


def formulas(seed: int, each: int, shares: Shares, least: float, most: float) -> list[Formula]:
    """Generate `each` different formulas of every depth, or as many as there are.

    Depth is the number of connectives above the innermost comparison, not counting `not`. At
    every level one term is nested further, `and` and `or` alternate, and no attribute occurs
    twice. Formulas whose probability under the prior is outside `least` to `most` are dropped,
    because they say nothing about a sampler.
    """
    drawn: dict[str, int] = {}
    for depth in DEPTHS:
        rng = random.Random(f"{seed} {depth}")
        for _ in range(_DRAWN * each):
            drawn.setdefault(formula(rng, depth), depth)
    share = shares(list(drawn))
    found = [Formula(text, depth, share[text]) for text, depth in drawn.items()]
    kept = [one for one in found if least <= one.share <= most]
    return [one for depth in DEPTHS for one in [f for f in kept if f.depth == depth][:each]]


def formula(rng: random.Random, depth: int) -> str:
    """Generate one formula of a depth; see `formulas`."""
    attributes = list(COMPARISONS)
    rng.shuffle(attributes)
    return _formula(rng, depth, rng.choice(("and", "or")), attributes)


def _formula(rng: random.Random, depth: int, connective: str, attributes: list[str]) -> str:
    if depth == 0:
        return _comparison(rng, attributes.pop())
    other = "or" if connective == "and" else "and"
    terms = [_formula(rng, depth - 1, other, attributes)]
    # The remaining attributes must suffice for the levels above.
    count = 3 if rng.random() < _THIRD and len(attributes) > 2 else 2
    for _ in range(count - 1):
        if attributes:
            terms.append(_comparison(rng, attributes.pop()))
    rng.shuffle(terms)
    joined = f" {connective} ".join(f"({t})" if " or " in t or " and " in t else t for t in terms)
    if depth > 1 and rng.random() < _NEGATED / 2:
        return f"not ({joined})"
    return joined


def _comparison(rng: random.Random, attribute: str) -> str:
    text = rng.choice(COMPARISONS[attribute])
    return f"not {text}" if rng.random() < _NEGATED else text


def disjunctions(predicate: ir.Predicate | None, asserted: bool = True) -> Iterator[ir.Or]:
    """Yield every `or` of a condition that is not under a `not`."""
    match predicate:
        case ir.Xor():
            yield from disjunctions(predicate.expanded, asserted)
        case ir.Not(term=term):
            yield from disjunctions(term, not asserted)
        case ir.And(terms=terms) | ir.Or(terms=terms):
            if asserted and isinstance(predicate, ir.Or):
                yield predicate
            for term in terms:
                yield from disjunctions(term, asserted)

"""The energy of one step of an edit: what is wanted now, what was, and what is to stay as it is.

Step i descends, from where step i-1 ended (LACE sec. 3.2 and A.3),

    sum_{j <= i} lambda_j E(c_j | x) + mu d(x, x_{i-1}) + gamma sum_k |f_k(x) - f_k(x_0)|^2

with k over attributes that no step so far speaks of. The last two are a regulariser, whose outputs
are no classifier's: `DISPLACEMENT` is d, and `changes` gives the differences of the f_k.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from torch import Tensor

from lacelang import ir
from lacelang.energy import DISPLACEMENT, Node, NormalAt, Outputs, Penalty, Quantity, conjunction

EARLIER = 0.1
"""lambda of what earlier steps wanted, where later attributes alone are held, as in the paper.

Where all are held, it is what it was: what counts for less would be given up for what is held.
"""

WANTED = 10.0
"""lambda of what the present step wants.

Where later attributes alone are held, it is 1 for classes, as in the paper.
"""

LOGITS = 10.0
"""How much more a logit's change counts than that of a number by its sigma, where all are held.

Else an age, say, that goes with a gender takes it along.
"""

Meaning = Callable[[ir.Predicate], Node]


def step_energy(
    statement: ir.EditStatement, index: int, meaning: Meaning, sigma: Mapping[str, float]
) -> Node:
    """Return the whole energy of step `index`, from 0, what is to stay as it is included.

    `sigma` has, by continuous attribute, the unit in which its changes count.
    """
    kept: list[Node] = []
    if statement.stay:
        kept.append(Penalty(DISPLACEMENT, statement.stay))
    if statement.hold:
        for attribute in held(statement, index):
            kept += _kept(attribute, statement, sigma)
    found = list(_standing(statement, index))
    weights = [scale * _lambda(statement, term, step == index) for step, term, scale in found]
    wanted = [meaning(term) for _, term, _ in found]
    return conjunction([*wanted, *kept], [*weights, *(1.0 for _ in kept)])


def step_condition(statement: ir.EditStatement, index: int, meaning: Meaning) -> Node:
    """Return the energy of all that is wanted after step `index`, for a report."""
    found = list(_standing(statement, index))
    return conjunction([meaning(term) for _, term, _ in found], [scale for _, _, scale in found])


def standing(statement: ir.EditStatement, index: int) -> tuple[ir.Predicate, ...]:
    """Return what is wanted after step `index`, the terms of outer `and`s one by one.

    What a step says of an attribute takes the place of every term that earlier steps said of it.
    """
    return tuple(term for _, term, _ in _standing(statement, index))


def held(statement: ir.EditStatement, index: int) -> tuple[ir.Attribute, ...]:
    """Return the attributes that step `index` is to leave as they were before the first step."""
    spoken = _spoken(statement, 0, index + 1)
    if statement.held == "all":
        return tuple(a for a in statement.model.attributes if a.name not in spoken)
    later = _spoken(statement, index + 1, len(statement.steps))
    return tuple(a for a in statement.model.attributes if a.name in later - spoken)


def changes(outputs: Outputs, before: Outputs) -> dict[Quantity, Tensor]:
    """Return how head outputs differ from those `before`, as outputs of their own, (N,) each.

    Logits, which matter up to a constant, are centred; each class is an output.
    """
    result: dict[Quantity, Tensor] = {}
    for name, now in outputs.items():
        change = now - before[name]
        if change.ndim == 1:
            result[_change(name, 0)] = change
        else:
            centred = change - change.mean(dim=1, keepdim=True)
            for column in range(change.shape[1]):
                result[_change(name, column)] = centred[:, column]
    return result


def _standing(statement: ir.EditStatement, index: int) -> Iterator[tuple[int, ir.Predicate, float]]:
    """Yield the step, the term and the factor that the `and`s around it give it."""
    for step in range(index + 1):
        later = _spoken(statement, step + 1, index + 1)
        for term, scale in ir.conjuncts(statement.steps[step].predicate):
            if all(atom.attribute.name not in later for atom in ir.comparisons(term)):
                yield step, term, scale


def _spoken(statement: ir.EditStatement, first: int, last: int) -> set[str]:
    """Names of the attributes that steps `first` to before `last` speak of."""
    steps = statement.steps[first:last]
    return {atom.attribute.name for step in steps for atom in ir.comparisons(step.predicate)}


def _lambda(statement: ir.EditStatement, term: ir.Predicate, now: bool) -> float:
    if not statement.reweight:
        return 1.0
    if statement.held == "later" and not now:
        return EARLIER
    comparisons = ir.comparisons(term)
    numbers = all(atom.attribute.limits is not None for atom in comparisons)
    return WANTED if numbers or statement.held == "all" else 1.0


def _kept(
    attribute: ir.Attribute, statement: ir.EditStatement, sigma: Mapping[str, float]
) -> list[Node]:
    """Return gamma |f - f_0|^2 of an attribute: in logits, or in sigmas of a number."""
    name, gamma = attribute.name, statement.hold
    if attribute.limits is not None:
        return [NormalAt(_change(name, 0), 0.0, sigma[name] / math.sqrt(2.0 * gamma))]
    if statement.held == "all":
        gamma *= LOGITS
    spread = 1.0 / math.sqrt(2.0 * gamma)
    return [NormalAt(_change(name, i), 0.0, spread) for i in range(len(attribute.values))]


def _change(name: str, column: int) -> Quantity:
    return Quantity(f"change of {name} {column}")

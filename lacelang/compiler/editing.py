"""The energy of one step of an edit: its condition, earlier ones, and what is to stay the same.

Step i descends, from where step i-1 ended (LACE sec. 3.2 and A.3),

    sum_{j <= i} lambda_j E(c_j | x) + mu d(x, x_{i-1}) + gamma sum_k |f_k(x) - f_k(x_0)|^2

with k over attributes that no step so far is about. The last two are a regulariser, whose outputs
are no classifier's: `DISPLACEMENT` is d, and `changes` gives the differences of the f_k.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from torch import Tensor

from lacelang import ir
from lacelang.energy import DISPLACEMENT, Node, NormalAt, Outputs, Penalty, Quantity, conjunction

EARLIER = 0.1
"""lambda of earlier steps' conditions, where later attributes alone are held, as in the paper.

Where all are held, it stays what it was: a lower one would be outweighed by what is held.
"""

WANTED = 10.0
"""lambda of the present step; 1 for classes where later attributes alone are held (the paper's)."""

LOGITS = 10.0
"""How much more a logit's change counts than a number's in sigmas, where all are held.

Without it, a change of age, say, also changes a gender that is correlated with it.
"""

Meaning = Callable[[ir.Predicate], Node]


def step_energy(
    statement: ir.EditStatement, index: int, meaning: Meaning, sigma: Mapping[str, float]
) -> Node:
    """Return the whole energy of step `index`, from 0, with its regulariser.

    `sigma` has, by continuous attribute, the unit in which its changes count.
    """
    kept: list[Node] = [Penalty(DISPLACEMENT, statement.stay)] if statement.stay else []
    if statement.hold:
        for attribute in held(statement, index):
            kept += _kept(attribute, statement, sigma)
    found = list(_standing(statement, index))
    weights = [scale * _lambda(statement, term, step == index) for step, term, scale in found]
    terms = [meaning(term) for _, term, _ in found]
    return conjunction([*terms, *kept], [*weights, *(1.0 for _ in kept)])


def step_condition(statement: ir.EditStatement, index: int, meaning: Meaning) -> Node:
    """Return the energy of all conditions in force after step `index`, for a report."""
    found = list(_standing(statement, index))
    return conjunction([meaning(term) for _, term, _ in found], [scale for _, _, scale in found])


def standing(statement: ir.EditStatement, index: int) -> tuple[ir.Predicate, ...]:
    """Return the conditions in force after step `index`, the terms of outer `and`s one by one.

    A step replaces every earlier term that is about one of its attributes.
    """
    return tuple(term for _, term, _ in _standing(statement, index))


def held(statement: ir.EditStatement, index: int) -> tuple[ir.Attribute, ...]:
    """Return the attributes that step `index` is to leave as they were before the first step."""
    names = {a.name for a in statement.model.attributes}
    if statement.held == "later":
        names = _attributes(statement, index + 1, len(statement.steps))
    names -= _attributes(statement, 0, index + 1)
    return tuple(a for a in statement.model.attributes if a.name in names)


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
        later = _attributes(statement, step + 1, index + 1)
        for term, scale in ir.conjuncts(statement.steps[step].predicate):
            if later.isdisjoint(ir.attributes(term)):
                yield step, term, scale


def _attributes(statement: ir.EditStatement, first: int, last: int) -> set[str]:
    """Names of the attributes that steps `first` to before `last` are about."""
    return set(ir.attributes(*(step.predicate for step in statement.steps[first:last])))


def _lambda(statement: ir.EditStatement, term: ir.Predicate, now: bool) -> float:
    if not statement.reweight:
        return 1.0
    if statement.held == "later" and not now:
        return EARLIER
    numbers = all(each.limits is not None for each in ir.attributes(term).values())
    return WANTED if numbers or statement.held == "all" else 1.0


def _kept(
    attribute: ir.Attribute, statement: ir.EditStatement, sigma: Mapping[str, float]
) -> list[Node]:
    """Return gamma |f - f_0|^2 of an attribute: in logits, or in sigmas of a number."""
    name, gamma = attribute.name, statement.hold
    if attribute.limits is not None:
        return [NormalAt(_change(name, 0), 0.0, sigma[name] / math.sqrt(2.0 * gamma))]
    spread = 1.0 / math.sqrt(2.0 * gamma * (LOGITS if statement.held == "all" else 1.0))
    return [NormalAt(_change(name, i), 0.0, spread) for i in range(len(attribute.values))]


def _change(name: str, column: int) -> Quantity:
    return Quantity(f"change of {name} {column}")

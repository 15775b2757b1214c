"""The comparisons of a condition, and what the classifiers read for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from lacelang import ir
from lacelang.storage.records import Atom
from lacelang.text.numerals import number_text

# A continuous attribute has reached its value when it is within so many of its sigmas.
CLOSE = 2.0
_DEGREE = 0.1


def atoms_of(where: ir.Predicate, sigma: Mapping[str, float]) -> tuple[Atom, ...]:
    """List the different comparisons of a condition, in the order they were written.

    Args:
        where: the condition.
        sigma: by continuous attribute, the spread that its energy is built with, in its units.
    """
    atoms: dict[str, Atom] = {}
    for leaf, negated in _leaves(where, negated=False):
        atom = _atom(leaf, sigma, negated)
        atoms.setdefault(atom.text, atom)
    return tuple(atoms.values())


def read_atoms(where: ir.Predicate | None, outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read each comparison: a probability or a value in the attribute's units, by text (N,).

    Args:
        where: the condition.
        outputs: of the classifiers, logits (N, C) or values (N,) by attribute.
    """
    return {_text(leaf): read(leaf, outputs) for leaf, _ in _leaves(where, negated=False)}


def _leaves(where: ir.Predicate | None, negated: bool) -> Iterator[tuple[ir.Comparison, bool]]:
    """Comparisons, and whether each is denied once every `not` has moved inwards."""
    if isinstance(where, ir.And | ir.Or):
        for term in where.terms:
            yield from _leaves(term, negated)
    elif isinstance(where, ir.Not):
        yield from _leaves(where.term, negated=not negated)
    elif isinstance(where, ir.Comparison):
        yield where, negated


def _text(leaf: ir.Comparison) -> str:
    if leaf.text:
        return " ".join(leaf.text.split())
    match leaf:
        case ir.Discrete(attribute=a, classes=classes):
            names = [a.values[i] for i in sorted(classes)]
            return (
                f"{a.name}={names[0]}" if len(names) == 1 else f"{a.name} in {{{', '.join(names)}}}"
            )
        case ir.Degree(attribute=a, degree=degree):
            return f"{a.name} ~ {number_text(degree)}"
        case ir.Equals(attribute=a, value=value):
            return f"{a.name}={number_text(value)}"
        case ir.AtLeast(attribute=a, bound=bound):
            return f"{a.name} > {number_text(bound)}"
        case ir.AtMost(attribute=a, bound=bound):
            return f"{a.name} < {number_text(bound)}"
        case ir.Between(attribute=a, low=low, high=high):
            return f"{a.name} in {number_text(low)}..{number_text(high)}"


def _atom(leaf: ir.Comparison, sigma: Mapping[str, float], negated: bool) -> Atom:
    text = _text(leaf)
    match leaf:
        case ir.Discrete(attribute=a):
            return Atom(text, a.name, "probability", 0.5, 1.0, negated=negated)
        case ir.Degree(attribute=a, degree=d):
            return Atom(text, a.name, "probability", d - _DEGREE, d + _DEGREE, negated=negated)
        case ir.Equals(attribute=b, value=value):
            reach = CLOSE * sigma[b.name]
            return Atom(text, b.name, "value", value - reach, value + reach, b.unit, negated)
        case ir.AtLeast(attribute=b, bound=bound):
            return Atom(text, b.name, "value", bound, None, b.unit, negated)
        case ir.AtMost(attribute=b, bound=bound):
            return Atom(text, b.name, "value", None, bound, b.unit, negated)
        case ir.Between(attribute=b, low=low, high=high):
            return Atom(text, b.name, "value", low, high, b.unit, negated)


def read(leaf: ir.Comparison, outputs: Mapping[str, Tensor]) -> Tensor:
    """Read one comparison (N,): the probability of what it says, or the attribute's value."""
    match leaf:
        case ir.Discrete(attribute=a, classes=classes):
            return outputs[a.name].softmax(dim=1)[:, sorted(classes)].sum(dim=1)
        case ir.Degree(attribute=a, cls=cls):
            return outputs[a.name].softmax(dim=1)[:, cls]
        case ir.Equals() | ir.AtLeast() | ir.AtMost() | ir.Between():
            return outputs[leaf.attribute.name]

"""The comparisons of a condition, and what the classifiers read for each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from lacelang import ir
from lacelang.energy import Outputs, Wanted
from lacelang.engine.fingerprint import condition_text
from lacelang.storage.records import Atom

# A continuous attribute has reached its value when it is within so many of its sigmas.
CLOSE = 2.0
# How near the classifier must come to a wanted degree.
DEGREE = 0.1


def atoms_of(where: ir.Predicate, sigma: Mapping[str, float]) -> tuple[Atom, ...]:
    """List the different comparisons of a condition, in the order they were written.

    `sigma` has, by continuous attribute, the spread that its energy is built with, in its units.
    """
    atoms: dict[str, Atom] = {}
    for leaf, negated in ir.literals(where):
        atom = _atom(leaf, sigma, negated)
        atoms.setdefault(atom.text, atom)
    return tuple(atoms.values())


def read_atoms(where: ir.Predicate | None, outputs: Outputs) -> dict[str, Tensor]:
    """Read each comparison: a probability or a value in the attribute's units, by text (N,)."""
    leaves = () if where is None else ir.comparisons(where)
    return {condition_text(leaf): read(leaf, outputs) for leaf in leaves}


def _atom(leaf: ir.Comparison, sigma: Mapping[str, float], negated: bool) -> Atom:
    name, unit = leaf.attribute.name, leaf.attribute.unit
    of_classes = isinstance(leaf, ir.ClassComparison)
    reach = DEGREE if of_classes else CLOSE * sigma[name]
    drawn = isinstance(leaf, ir.Drawn)
    ends = (-reach, reach) if drawn and not of_classes else leaf.interval(reach)
    low, high = (end if math.isfinite(end) else None for end in ends)
    kind: Literal["probability", "value"] = "probability" if of_classes else "value"
    return Atom(condition_text(leaf), name, kind, low, high, unit, negated, drawn)


def read(leaf: ir.Comparison, outputs: Outputs) -> Tensor:
    """Read one comparison (N,): the probability of what it says, or the attribute's value."""
    name = leaf.attribute.name
    if isinstance(leaf, ir.DrawnClass):
        return outputs[Wanted(name)].softmax(dim=1)[:, 0]
    output = outputs[name]
    if isinstance(leaf, ir.ClassComparison):
        return output.softmax(dim=1)[:, sorted(leaf.classes)].sum(dim=1)
    return output

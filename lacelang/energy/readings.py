"""What the classifiers say about each atom of a condition, for reports."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from lacelang.energy.node import Atom, Node, Outputs, Scope


def atoms(node: Node) -> tuple[Atom, ...]:
    """List the different atoms of a tree from left to right."""
    return tuple(dict.fromkeys(_walk(node, set())))


def readings(node: Node, outputs: Outputs) -> dict[Atom, Tensor]:
    """Read every atom of a tree.

    Returns:
        By atom (N,): of a discrete one the probability of what it says (of its class, for a
        degree), of a continuous one the value in the attribute's unit.
    """
    scope = Scope(outputs)
    return {atom: atom.reading(scope) for atom in atoms(node)}


def _walk(node: Node, seen: set[int]) -> Iterator[Atom]:
    if id(node) in seen:  # a definition used twice is one shared node
        return
    seen.add(id(node))
    if isinstance(node, Atom):
        yield node
    for child in node.children:
        yield from _walk(child, seen)

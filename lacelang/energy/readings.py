"""Walks over a condition's tree: its atoms, what they read, and trees with other nodes below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve
from torch import Tensor

from lacelang.energy.logic import And, Not, Or
from lacelang.energy.modifiers import Contrast, Tempered
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


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with each of the nodes right below it changed, from left to right."""
    if isinstance(node, And | Or):
        return evolve(node, terms=tuple(map(change, node.terms)))
    if isinstance(node, Not | Tempered | Contrast):
        return evolve(node, term=change(node.term))
    return node


def map_atoms(node: Node, change: Callable[[Atom], Node]) -> Node:
    """Return the tree with every atom changed, from left to right, as often as it stands there."""
    if isinstance(node, Atom):
        return change(node)
    return map_children(node, lambda below: map_atoms(below, change))


def _walk(node: Node, seen: set[int]) -> Iterator[Atom]:
    if id(node) in seen:  # a definition used twice is one shared node
        return
    seen.add(id(node))
    if isinstance(node, Atom):
        yield node
    for child in node.children:
        yield from _walk(child, seen)

"""Walks over a condition: its atoms, its balanced `or`s, and trees with other nodes below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from attrs import evolve

from lacelang.energy.logic import And, Balanced, Not, Or
from lacelang.energy.modifiers import Contrast, Tempered
from lacelang.energy.node import Atom, Node


def atoms(node: Node) -> tuple[Atom, ...]:
    """List the different atoms of a tree from left to right."""
    return tuple(dict.fromkeys(_atoms(node, set())))


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


def balanced(node: Node) -> tuple[Balanced, ...]:
    """List the balanced `or`s that a tree asserts, each once, from left to right.

    What a `not` stands before asks for no disjunct: a denied `or` denies them all.
    """
    return tuple(dict.fromkeys(_balanced(node)))


def with_components(node: Node, disjuncts: Mapping[Balanced, int]) -> Node:
    """Return a condition that asks of every balanced `or` for one of its disjuncts alone.

    Args:
        node: the condition.
        disjuncts: which one, of some of `balanced(node)`; the others stay whole.
    """
    if isinstance(node, Balanced) and node in disjuncts:
        return with_components(node.terms[disjuncts[node]], disjuncts)
    if isinstance(node, And | Or | Tempered):
        return map_children(node, lambda below: with_components(below, disjuncts))
    return node


def _atoms(node: Node, seen: set[int]) -> Iterator[Atom]:
    if id(node) in seen:  # a definition used twice is one shared node
        return
    seen.add(id(node))
    if isinstance(node, Atom):
        yield node
    for child in node.children:
        yield from _atoms(child, seen)


def _balanced(node: Node) -> Iterator[Balanced]:
    if isinstance(node, Balanced):
        yield node
    if isinstance(node, And | Or | Tempered):
        for child in node.children:
            yield from _balanced(child)

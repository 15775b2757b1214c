"""The arms of balanced `or`s, and what is left of a condition when one of each is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lacelang.energy.logic import And, Balanced, Or
from lacelang.energy.modifiers import Tempered
from lacelang.energy.node import Node
from lacelang.energy.readings import map_children


def balanced(node: Node) -> tuple[Balanced, ...]:
    """List the balanced `or`s that a tree asserts, each once, from left to right.

    What a `not` stands before asks for no arm: a denied `or` denies them all.
    """
    return tuple(dict.fromkeys(_asserted(node)))


def with_components(node: Node, arms: Mapping[Balanced, int]) -> Node:
    """Return a condition that asks of every balanced `or` for one of its arms alone.

    Args:
        node: the condition.
        arms: which one, of some of `balanced(node)`; the others stay whole.
    """
    if isinstance(node, Balanced) and node in arms:
        return with_components(node.terms[arms[node]], arms)
    if isinstance(node, And | Or | Tempered):
        return map_children(node, lambda below: with_components(below, arms))
    return node


def _asserted(node: Node) -> Iterator[Balanced]:
    if isinstance(node, Balanced):
        yield node
    if isinstance(node, And | Or | Tempered):
        for child in node.children:
            yield from _asserted(child)

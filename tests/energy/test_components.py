"""Conditions of which one arm of every balanced `or` is taken."""

from __future__ import annotations

from lacelang.energy import (
    And,
    Balanced,
    NormalAt,
    Not,
    Surprisal,
    Tempered,
    balanced,
    with_components,
)

A, B, C = Surprisal("a", frozenset({1})), Surprisal("b", frozenset({1})), NormalAt("c", 1.0, 2.0)
AB, BC = Balanced((A, B), (1.0, 5.0), (1.0, 1.0)), Balanced((B, C), (3.0, 1.0), (1.0, 3.0))


def test_what_is_left_of_a_condition_when_arms_are_taken() -> None:
    nested = Balanced((AB, C), (1.0, 1.0), (1.0, 1.0))
    node = And((Tempered(AB, 2.0), Not(BC), nested), (1.0, 2.0, 1.0))
    assert balanced(node) == (AB, nested)
    left = with_components(node, {AB: 1, nested: 0})
    assert left == And((Tempered(B, 2.0), Not(BC), B), (1.0, 2.0, 1.0))
    assert with_components(node, {}) == node

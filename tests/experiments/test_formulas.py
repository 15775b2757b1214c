"""Generated formulas."""

from __future__ import annotations

import random

import pytest

from experiments.formulas import DEPTHS, disjunctions, formula, formulas
from lacelang import ir
from lacelang.api import compile


def condition(text: str) -> ir.Predicate:
    where = compile(f"sample 1 from ffhq where {text}").samples[0].where
    assert where is not None
    return where


def depth(predicate: ir.Predicate) -> int:
    match predicate:
        case ir.Not(term=term):
            return depth(term)
        case ir.And(terms=terms) | ir.Or(terms=terms):
            return 1 + max(map(depth, terms))
    return 0


@pytest.mark.parametrize("wanted", DEPTHS)
def test_formulas_have_their_depth_and_no_attribute_twice(wanted: int) -> None:
    rng = random.Random(3)
    for _ in range(40):
        where = condition(formula(rng, wanted))
        # A `not` before an `and` does not merge it with the `or` above it.
        assert depth(where) == wanted
        names = [atom.attribute.name for atom in ir.comparisons(where)]
        assert len(names) == len(set(names))


def test_formulas_are_a_function_of_the_seed_and_lie_between_the_shares() -> None:
    asked: list[list[str]] = []

    def shares(texts: list[str]) -> dict[str, float]:
        asked.append(texts)
        return {text: (len(text) % 10) / 10 for text in texts}

    chosen = formulas(5, 4, shares, 0.2, 0.7)
    assert chosen == formulas(5, 4, shares, 0.2, 0.7) != formulas(6, 4, shares, 0.2, 0.7)
    assert [one.depth for one in chosen] == [d for d in DEPTHS for _ in range(4)]
    assert all(0.2 <= one.share <= 0.7 for one in chosen)
    assert len({one.text for one in chosen}) == len(chosen)
    assert len(asked) == 3


def test_an_or_that_is_denied_is_none() -> None:
    where = condition("(smile=1 or glasses=1) and not (gender=male or not (beard=1 or age > 40))")
    found = [[atom.text for atom in ir.comparisons(each)] for each in disjunctions(where)]
    assert found == [["smile=1", "glasses=1"], ["beard=1", "age > 40"]]

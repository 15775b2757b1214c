"""Conditions as data: joined flat, simplified, written from structure."""

from __future__ import annotations

import pytest
from attrs import evolve

from lacelang import ir
from lacelang.semantics.check import check

SMILE = ir.BinaryAttribute("smile")
AGE = ir.ContinuousAttribute("age", 0.0, 70.0, "years")
a = ir.Discrete(SMILE, frozenset({1}))
b = ir.AtLeast(AGE, 60.0)
c = ir.Between(AGE, 20.0, 30.0)
NOTHING = ir.And(())


def test_groups_are_joined_flat_unless_they_have_settings() -> None:
    assert ir.conjunction([ir.conjunction([a, b]), c]) == ir.And((a, b, c))
    assert ir.disjunction([a, ir.disjunction([b, c])]) == ir.Or((a, b, c))
    heavy = evolve(ir.conjunction([a, b]), weight=2.0)
    assert ir.conjunction([heavy, c]) == ir.And((heavy, c))
    inner = evolve(ir.conjunction([a, b]), via=("pair",))
    assert [term.via for term in ir.conjunction([inner, c]).terms] == [("pair",), ("pair",), ()]


@pytest.mark.parametrize(
    ("condition", "simple"),
    [
        (a, a),
        (ir.Not(ir.Not(a)), a),
        (ir.Not(ir.Not(ir.Not(a))), ir.Not(a)),
        (ir.Not(evolve(a, weight=0.0)), NOTHING),
        (ir.Not(evolve(a, weight=2.0)), ir.Not(ir.And((evolve(a, weight=2.0),)))),
        (ir.And((evolve(a, weight=0.0), b)), b),
        (ir.Or((evolve(a, weight=0.0), evolve(b, weight=3.0))), b),
        (ir.Or((evolve(a, weight=0.0), evolve(b, weight=0.0))), NOTHING),
        (
            ir.And((evolve(ir.And((evolve(a, weight=2.0), b)), weight=3.0), c)),
            ir.And((evolve(a, weight=6.0), evolve(b, weight=3.0), c)),
        ),
        (ir.Or((ir.Not(ir.Not(ir.Or((a, b)))), c)), ir.Or((a, b, c))),
        (
            ir.Or((evolve(ir.Or((a, b)), weight=2.0), c)),
            ir.Or((evolve(ir.Or((a, b)), weight=2.0), c)),
        ),
        (evolve(ir.Not(ir.Not(a)), temp=2.0), ir.And((a,), temp=2.0)),
        (ir.Not(evolve(ir.Not(a), temp=2.0)), ir.Not(ir.And((ir.Not(a),), temp=2.0))),
        (evolve(ir.And((a, b)), weight=0.0), evolve(ir.And((a, b)), weight=0.0)),
    ],
)
def test_what_changes_no_energy_is_taken_away(
    condition: ir.Predicate, simple: ir.Predicate
) -> None:
    assert ir.simplified(condition) == simple
    assert ir.simplified(simple) == simple


def test_literals_know_whether_they_are_denied() -> None:
    condition = ir.Not(ir.And((a, ir.Not(ir.Or((b, c))))))
    assert list(ir.literals(condition)) == [(a, True), (b, False), (c, False)]
    assert list(ir.comparisons(condition)) == [a, b, c]


def test_conjuncts_carry_what_is_around_them() -> None:
    inner = ir.And((a, ir.Or((b, c))), weight=3.0, temp=2.0)
    assert list(ir.conjuncts(ir.And((inner, c)), 2.0)) == [(a, 3.0), (ir.Or((b, c)), 3.0), (c, 2.0)]


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("(smile=1 or glasses=1) and beard=1", "(smile=1 or glasses=1) and beard=1"),
        ("yaw in {left, right} and not (smile=1 and beard=1)", None),
        ("not yaw in {left, right} or (not smile=1) [weight 2]", None),
        ("(smile=1 xor beard=1) or glasses=1", None),
        ("(smile=1 implies beard=1) [temp 2] and glasses=1", None),
        ("(smile=1 and beard=1) [temp logit(2)] or glasses=1", None),
        ("((smile=1 or beard=1) [weight 2]) [temp 3]", "(smile=1 or beard=1) [weight 2] [temp 3]"),
        ("(yaw != left) [weight 2]", None),
    ],
)
def test_texts_have_the_brackets_that_they_need(condition: str, text: str | None) -> None:
    (statement,) = check(f"sample from ffhq where {condition}").statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    assert statement.where.text == (text or condition)
    again = check(f"sample from ffhq where {statement.where.text}") if text is None else None
    if again is not None:
        assert again.statements[0].where == statement.where  # type: ignore[union-attr]

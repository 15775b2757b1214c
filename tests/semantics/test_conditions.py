"""What conditions come to: definitions expanded, operators reduced, settings attached."""

from __future__ import annotations

import pytest
from attrs import evolve

from lacelang import ir
from lacelang.errors import ProgramError
from lacelang.semantics.check import check
from lacelang.semantics.modules import library_models

FFHQ = library_models()["ffhq"]


def _discrete(name: str) -> ir.BinaryAttribute | ir.ChoiceAttribute:
    attribute = FFHQ.attribute(name)
    assert not isinstance(attribute, ir.ContinuousAttribute)
    return attribute


def _continuous(name: str) -> ir.ContinuousAttribute:
    attribute = FFHQ.attribute(name)
    assert isinstance(attribute, ir.ContinuousAttribute)
    return attribute


def _where(condition: str, before: str = "", clauses: str = "") -> ir.Predicate:
    program = check(f"{before}\nsample from ffhq where {condition} {clauses}")
    (statement,) = program.statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    return statement.where


def _codes(condition: str, before: str = "", clauses: str = "") -> list[str]:
    with pytest.raises(ProgramError) as caught:
        _where(condition, before, clauses)
    return [d.code for d in caught.value.diagnostics if d.severity == "error"]


SMILE = ir.Discrete(_discrete("smile"), frozenset({1}))
NO_SMILE = ir.Discrete(_discrete("smile"), frozenset({0}))
GLASSES = ir.Discrete(_discrete("glasses"), frozenset({1}))
BEARD = ir.Discrete(_discrete("beard"), frozenset({1}))
YAW, AGE = _continuous("yaw"), _continuous("age")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("smile=1", SMILE),
        ("smile=0", NO_SMILE),
        ("smile != 1", NO_SMILE),
        ("smile in {0}", NO_SMILE),
        ("gender=male", ir.Discrete(_discrete("gender"), frozenset({1}))),
        ("haircolor in {gray, red}", ir.Discrete(_discrete("haircolor"), frozenset({3, 4}))),
        ("haircolor != gray", ir.Discrete(_discrete("haircolor"), frozenset({0, 1, 2, 4}))),
        ("smile ~ 0.6", ir.Degree(_discrete("smile"), 1, 0.6)),
        ("yaw = left", ir.Equals(YAW, -25.0)),
        ("yaw = 10 deg", ir.Equals(YAW, 10.0)),
        ("yaw != 10", ir.Not(ir.Equals(YAW, 10.0))),
        ("yaw > -10", ir.AtLeast(YAW, -10.0)),
        ("yaw >= -10", ir.AtLeast(YAW, -10.0)),
        ("age < 20 years", ir.AtMost(AGE, 20.0)),
        ("age <= child", ir.AtMost(AGE, 10.0)),
        ("age in 60..70", ir.Between(AGE, 60.0, 70.0)),
        ("yaw in left..front", ir.Between(YAW, -25.0, 0.0)),
        ("yaw in {left, 3}", ir.Or((ir.Equals(YAW, -25.0), ir.Equals(YAW, 3.0)))),
        ("not smile=1", ir.Not(SMILE)),
        ("not not smile=1", ir.Not(ir.Not(SMILE))),
        ("smile=1 and (glasses=1 and beard=1)", ir.And((SMILE, GLASSES, BEARD))),
        ("(smile=1 or glasses=1) or beard=1", ir.Or((SMILE, GLASSES, BEARD))),
        ("smile=1 implies glasses=1", ir.Or((ir.Not(SMILE), GLASSES))),
        (
            "smile=1 implies glasses=1 implies beard=1",
            ir.Or((ir.Not(SMILE), ir.Not(GLASSES), BEARD)),
        ),
        ("smile=1 xor glasses=1", ir.Xor((SMILE, GLASSES))),
        ("smile=1 xor glasses=1 xor beard=1", ir.Xor((SMILE, GLASSES, BEARD))),
    ],
)
def test_meaning(condition: str, expected: ir.Predicate) -> None:
    assert _where(condition) == expected


def test_settings() -> None:
    assert _where("smile=1 [weight 2, temp 0.3]") == evolve(SMILE, weight=2.0, temp=0.3)
    assert _where("smile=1 [temp logit(2)]") == evolve(SMILE, logit_temp=2.0)
    # A group that carries something is not merged into its parent.
    heavy = ir.And((SMILE, GLASSES), weight=3.0)
    assert _where("(smile=1 and glasses=1) [weight 3] and beard=1") == ir.And((heavy, BEARD))
    assert _where("(not smile=1) [weight 2] and beard=1") == ir.And(
        (ir.Not(SMILE, weight=2.0), BEARD)
    )
    # Nested brackets multiply.
    assert _where("(smile=1 [weight 2]) [weight 3, temp 2]") == evolve(SMILE, weight=6.0, temp=2.0)


def test_a_group_gives_logit_temperature_to_its_discrete_atoms() -> None:
    logit = evolve(SMILE, logit_temp=2.0)
    own = evolve(GLASSES, temp=3.0)
    condition = "(smile=1 and glasses=1 [temp 3] and yaw=left) [temp logit(2)] and beard=1"
    inner = ir.And((logit, own, ir.Equals(YAW, -25.0)))
    assert _where(condition) == ir.And((*inner.terms, BEARD))


def test_definitions_are_written_out() -> None:
    before = """
      let limit = 60
      let old = age > limit
      def exactly_one(a, b) = (a or b) and not (a and b)
      def older(x) = age > x
      def has(what, x) = what=x
      let grandpa = old and beard=1
    """
    assert _where("grandpa", before) == ir.And((ir.AtLeast(AGE, 60.0), BEARD))
    either = ir.expanded(_where("smile=1 xor glasses=1"))
    assert _where("exactly_one(smile=1, glasses=1)", before) == either
    assert _where("older(30 years)", before) == ir.AtLeast(AGE, 30.0)
    assert _where("older(limit)", before) == ir.AtLeast(AGE, 60.0)
    assert _where("older(senior)", before) == ir.AtLeast(AGE, 65.0)
    assert _where("has(smile, 1)", before) == SMILE


def test_arguments_mean_what_they_mean_where_they_are_written() -> None:
    before = "def f(a) = g(a) and a   def g(b) = not b   let a = beard=1"
    assert _where("f(a)", before) == ir.And((ir.Not(BEARD), BEARD))


def test_definitions_may_stand_below_their_use() -> None:
    program = check("sample from ffhq where happy\nlet happy = smile=1")
    (statement,) = program.statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where == SMILE


def test_all_of_a_comparison_stands_where_it_is_written() -> None:
    for condition in ("yaw != 10", "yaw in {left, right}"):
        where = _where(condition)
        inner = where.term if isinstance(where, ir.Not) else where.terms[0]  # type: ignore[attr-defined]
        assert inner.span == where.span
        assert where.span.line == 2


def test_texts_are_for_reading() -> None:
    condition = "( smile = 1 or not glasses=1 [temp 2] )   and yaw>10deg and age in 20..30"
    where = _where(condition, "let x = 1")
    assert where.text == ("(smile=1 or not glasses=1 [temp 2]) and yaw > 10 deg and age in 20..30")
    assert isinstance(where, ir.And)
    assert [t.text for t in where.terms][1:] == ["yaw > 10 deg", "age in 20..30"]


def test_texts_say_the_same_when_read_again() -> None:
    for condition in (
        "(not smile=1) [weight 2] and (yaw=left or beard=1) [temp 2]",
        "smile=1 xor glasses=1 xor beard=1",
        "smile=1 implies (glasses=1 and beard=1)",
        "not (smile=1 and yaw in {left, right}) or haircolor in {gray, red} or smile ~ 0.5",
    ):
        where = _where(condition)
        assert _where(where.text) == where


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("smile=1 [temp logit(2)] implies beard=1", "LACE214"),
        ("not not smile=1 [temp logit(2)]", "LACE214"),
        ("smile=1 [weight 2] implies beard=1", "LACE213"),
        ("not (smile=1 [weight 2])", "LACE213"),
        ("(smile=1 [temp 2] and yaw=left [temp logit(2)])", "LACE215"),
        ("age = 1e400", "LACE203"),
        ("age = 71", "LACE203"),
        ("smile = 1 deg", "LACE104"),
    ],
)
def test_refused(condition: str, code: str) -> None:
    assert _codes(condition) == [code]


def test_temperature_of_the_logits_for_a_whole_statement() -> None:
    assert _codes("smile=1 and not glasses=1", clauses="temp logit(2)") == ["LACE214"]
    # An atom with a temperature of its own is out of its reach.
    assert _where("smile=1 and not glasses=1 [temp 1]", clauses="temp logit(2)")
    assert _where("smile=1 and not yaw=left", clauses="temp logit(2)")


def test_a_mistake_in_a_definition_is_reported_once_however_often_it_is_used() -> None:
    assert _codes("a or (a and b)", "let a = nose=1  let b = a") == ["LACE102"]


def test_mistakes_in_definitions_that_nothing_uses() -> None:
    assert _codes("smile=1", "let a = nose=1\ndef f(x) = x and yaw=frnt") == ["LACE102", "LACE104"]

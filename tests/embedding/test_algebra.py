"""Laws of the operators: what they build is what the parser builds of the same sentence."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from conditions import ATOMS, Pair, pairs
from hypothesis import given, settings
from hypothesis import strategies as st

import lacelang
from lacelang import Condition, UsageError, attr, condition, ir
from lacelang.errors import ProgramError
from lacelang.semantics.check import check
from lacelang.syntax import nodes
from lacelang.syntax.format import format_source
from lacelang.syntax.parser import parse

a, b, c = attr("smile") == 1, attr("glasses") == 1, attr("age") > 60


def read(text: str) -> nodes.Predicate | nodes.Quantity:
    (statement,) = parse(f"let it = {text}").statements
    assert isinstance(statement, nodes.Let)
    return statement.value


def meaning(where: str) -> ir.Predicate:
    (statement,) = check(f"sample from ffhq where {where}").statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    return statement.where


@settings(deadline=None)
@given(pairs)
def test_the_text_of_a_condition_is_read_back_as_the_same_tree(pair: Pair) -> None:
    made, _ = pair
    assert read(str(made)) == made.node
    again = condition(str(made))
    assert again == made
    assert hash(again) == hash(made)
    assert str(again) == str(made)


@settings(deadline=None)
@given(pairs)
def test_operators_mean_what_words_mean(pair: Pair) -> None:
    made, text = pair
    assert meaning(str(made)) == meaning(text)


@settings(deadline=None)
@given(pairs)
def test_the_text_is_laid_out(pair: Pair) -> None:
    text = f"let it = {pair[0]}\n"
    if len(text) <= 100:
        assert format_source(text) == text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20))
def test_numbers_are_written_exactly(value: float) -> None:
    made = attr("age") == value
    assert isinstance(made.node, nodes.Comparison)
    assert isinstance(made.node.value, nodes.Quantity)
    assert type(value)(made.node.value.text) == value
    assert read(str(made)) == made.node


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (a & b & c, "smile=1 and glasses=1 and age > 60"),
        (a & (b & c), "smile=1 and glasses=1 and age > 60"),
        (a | b | c, "smile=1 or glasses=1 or age > 60"),
        (a & b | c, "smile=1 and glasses=1 or age > 60"),
        ((a | b) & c, "(smile=1 or glasses=1) and age > 60"),
        (~a & b, "not smile=1 and glasses=1"),
        (~(a & b), "not (smile=1 and glasses=1)"),
        (~~a, "not not smile=1"),
        (a ^ b ^ c, "smile=1 xor glasses=1 xor age > 60"),
        (a ^ (b ^ c), "smile=1 xor (glasses=1 xor age > 60)"),
        (a | b ^ c, "smile=1 or glasses=1 xor age > 60"),
        (a.implies(b).implies(c), "(smile=1 implies glasses=1) implies age > 60"),
        (a.implies(b.implies(c)), "smile=1 implies glasses=1 implies age > 60"),
        (a.implies(b) & c, "(smile=1 implies glasses=1) and age > 60"),
        (a.weight(2), "smile=1 [weight 2]"),
        (a.weight(2).temp(0.3), "smile=1 [weight 2, temp 0.3]"),
        (a.logit_temp(2), "smile=1 [temp logit(2)]"),
        (a.weight(2).weight(3), "(smile=1 [weight 2]) [weight 3]"),
        (a.temp(2).logit_temp(3), "(smile=1 [temp 2]) [temp logit(3)]"),
        ((~a).weight(2), "(not smile=1) [weight 2]"),
        ((a | b).temp(0.5) & c, "(smile=1 or glasses=1) [temp 0.5] and age > 60"),
        (~a.temp(2), "not smile=1 [temp 2]"),
        (60 < attr("age"), "age > 60"),  # noqa: SIM300
        (60 >= attr("age"), "age <= 60"),  # noqa: SIM300
        (np.float64(60) < attr("age"), "age > 60"),
        (attr("age") == 15.0, "age=15"),
        (attr("smile") == True, "smile=1"),  # noqa: E712
        (attr("age") == np.float32(0.5), "age=0.5"),
        (attr("age") == np.int64(15), "age=15"),
        (attr("age") == Fraction(1, 2), "age=0.5"),
        (attr("age") == "15 years", "age=15 years"),
        (attr("gender").each(["female", "male"]), "gender = each {female, male}"),
        (attr("haircolor").each({"b", "a"}), "haircolor = each {a, b}"),
        (attr("x").each({"black": 3, "blond": 0.5}), "x = each {black: 3, blond: 0.5}"),
        (attr("smile").each({True: 1, False: 2}), "smile = each {1: 1, 0: 2}"),
        (attr("age").each_between(20, "60 years"), "age = each 20..60 years"),
        (attr("haircolor").isin({"gray", "blond"}), "haircolor in {blond, gray}"),
        (attr("haircolor").isin(("gray", "blond")), "haircolor in {gray, blond}"),
        (condition("one_of( smile=1,glasses =1 )") & c, "one_of(smile=1, glasses=1) and age > 60"),
        (condition("old or smile=1  # why") & c, "(old or smile=1) and age > 60"),
    ],
)
def test_texts(made: Condition, text: str) -> None:
    assert str(made) == text
    assert read(text) == made.node
    assert repr(made) == f"<Condition {text}>"


def test_conditions_are_values() -> None:
    again = attr("smile") == 1
    assert again == a
    assert a != b
    assert (a == "smile=1") is False
    assert len({a, again, b}) == 2
    assert a in [b, again]
    assert pickle.loads(pickle.dumps(a & b)) == a & b
    with pytest.raises(AttributeError):
        a.node = b.node  # type: ignore[misc]
    before = a & b
    assert before & c != before
    assert str(before) == "smile=1 and glasses=1"


@pytest.mark.parametrize(
    ("trap", "said"),
    [
        (lambda: a and b, "join conditions by `&`"),
        (lambda: a or b, "join conditions by `&`"),
        (lambda: not a, "join conditions by `&`"),
        (lambda: 1 if a else 0, "join conditions by `&`"),
        (lambda: 60 < attr("age") < 70, r"`\.between\(60, 70\)`"),
        (lambda: attr("a") == 1 & attr("b") == 1, "round brackets"),
        (lambda: attr("a") == 1 & (attr("b") == 1), "round brackets"),
        (lambda: attr("a") == 1 | (attr("b") == 1), "round brackets"),
        (lambda: attr("a") == 1 ^ (attr("b") == 1), "round brackets"),
        (lambda: attr("a") > 1 | attr("b"), "round brackets"),
        (lambda: a & True, "not True"),
        (lambda: np.int64(1) & a, "round brackets"),
        (lambda: a & attr("b"), r"attr\('b'\) alone is no condition"),
        (lambda: attr("b") & a, r"attr\('b'\) alone is no condition"),
        (lambda: attr("b") | a, r"attr\('b'\) alone is no condition"),
        (lambda: attr("b") ^ a, r"attr\('b'\) alone is no condition"),
        (lambda: a | attr("b"), r"attr\('b'\) alone is no condition"),
        (lambda: a.implies("smile=1"), "not 'smile=1'"),
        (lambda: ~attr("b"), r"attr\('b'\) alone is no condition"),
        (lambda: bool(attr("b")), r"attr\('b'\) alone is no condition"),
        (lambda: attr("a") == attr("b"), "compared with a value"),
        (lambda: attr("a") == a, "compared with a value"),
        (lambda: attr("a") == None, "not None"),  # noqa: E711
        (lambda: attr("a") == [1, 2], r"not \[1, 2\]"),
        (lambda: attr("a") == float("inf"), "finite number"),
        (lambda: attr("a") == 10**5000, "finite number"),
        (lambda: attr("a") == "1 or b=2", "not '1 or b=2'"),
        (lambda: attr("a") == "smile=1", "not 'smile=1'"),
        (lambda: attr("a") == "", "not ''"),
        (lambda: attr("a").isin([]), "at least one"),
        (lambda: attr("a").each({}), "at least one"),
        (lambda: attr("a").each({"gray": "often"}), "not 'often'"),
        (lambda: attr("a").each("gray"), "several values"),
        (lambda: attr("a").isin("gray"), "several values"),
        (lambda: attr("a").isin(3), "several values"),
        (lambda: attr("a").degree("most"), "not 'most'"),
        (lambda: attr("in"), "word of the language"),
        (lambda: attr("2nd"), "no digit first"),
        (lambda: attr("a=1 or b"), "letters, digits"),
        (lambda: attr(3), "letters, digits"),
        (lambda: a.weight("2"), "not '2'"),
        (lambda: a.temp(float("nan")), "finite number"),
        (lambda: condition("5 years"), "is a number"),
        (lambda: condition(" "), "no condition"),
        (lambda: condition("smile=1 let x = age > 3"), "one condition"),
        (lambda: condition(a), "the text of a condition"),
    ],
)
def test_traps_say_how_it_is_written(trap: Callable[[], object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        trap()


def test_attributes_are_no_keys() -> None:
    with pytest.raises(TypeError):
        hash(attr("age"))


def test_a_wrong_text_has_diagnostics_in_that_text() -> None:
    with pytest.raises(ProgramError) as caught:
        condition("smile=1\n  or (glasses=1")
    (found,) = caught.value.diagnostics
    assert found.code == "LACE004"
    assert (found.span.line, found.span.column) == (2, 6)
    assert found.source == "smile=1\n  or (glasses=1"


@pytest.mark.parametrize(
    "deepen",
    [
        lambda x: ~x,
        lambda x: x.weight(2),
        lambda x: (x | b) & b,
        lambda x: (x ^ b).implies(b),
        lambda x: b ^ (b ^ x),
    ],
)
def test_what_nests_as_deep_as_it_may_is_still_read(
    deepen: Callable[[Condition], Condition],
) -> None:
    made = [attr("haircolor").isin(["gray"])]

    def nest() -> None:
        while len(made) < 1000:
            made.append(deepen(made[-1]))

    with pytest.raises(UsageError, match="levels deep"):
        nest()
    deepest = made[-1]
    assert read(str(deepest)) == deepest.node
    assert condition(str(deepest)) == deepest


def test_many_terms_are_no_depth() -> None:
    many = a
    for _ in range(2000):
        many = many & b
    assert str(many).count("and") == 2000


def test_the_algebra_imports_nothing_heavy() -> None:
    code = (
        "import sys, lacelang\n"
        "from lacelang import attr, sampling\n"
        "sampling('ffhq', (attr('smile') == 1) & (attr('age') > 60), count=2)\n"
        "heavy = {'torch', 'numpy', 'openvino', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_every_public_name_is_there() -> None:
    for name in lacelang.__all__:
        assert getattr(lacelang, name) is not None
    assert {str(made) for made, _ in ATOMS} >= {"smile=1", "age >= 1e-05"}

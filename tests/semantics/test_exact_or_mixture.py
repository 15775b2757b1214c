"""Where an `or` is a mixture, and where the probability of a formula."""

from __future__ import annotations

import pytest

import lacelang
from lacelang import ir
from lacelang.samplers import SAMPLERS
from lacelang.semantics.check import check

OR = "glasses=1 or smile=1"


def disjunction(text: str) -> str:
    (statement,) = check(f"sample from ffhq where {text}").statements
    assert isinstance(statement, ir.SampleStatement)
    return statement.options.disjunction


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_samplers_of_the_conditional_distribution_take_the_formula(sampler: str) -> None:
    expected = "exact" if SAMPLERS[sampler].exact else "equal"
    assert disjunction(f"{OR} with {sampler}") == expected
    assert disjunction(f"{OR} with {sampler} disjunction exact") == "exact"
    for kind in ("equal", "balanced"):
        assert disjunction(f"{OR} with {sampler} disjunction {kind}") == kind


@pytest.mark.parametrize(
    "condition",
    [
        f"not ({OR})",
        "age in {20, 30}",
        "smile=1 xor glasses=1",
        "smile=1 implies glasses=1",
        f"age > 3 and ({OR}) [weight 2, temp 0.5]",
        "glasses=1 [weight 0] or smile=1 or beard=1",
    ],
)
def test_whatever_comes_to_an_or_is_one(condition: str) -> None:
    assert disjunction(f"{condition} with smc") == "exact"


@pytest.mark.parametrize(
    "condition",
    [
        "glasses=1 and not smile=1",
        "age > 20 and age < 30",
        "haircolor in {black, gray}",
        "glasses=1 [weight 0] or smile=1",
        f"age > 3 and ({OR}) [weight 0]",
        # Asked for, or without a probability.
        "glasses=1 [weight 2] or smile=1",
        f"({OR}) and (age > 3 or beard=1 [weight 0.5])",
        "glasses=1 or smile=1 [temp logit(2)]",
        f"{OR} temp logit(2)",
        f"not ({OR}) negation contrast(0.1)",
    ],
)
def test_all_else_is_what_it_was(condition: str) -> None:
    assert disjunction(f"{condition} with smc") == "equal"


def test_an_edit_takes_the_clause() -> None:
    source = f"sample 2 from ffhq as a edit a {{ {OR} }} disjunction exact"
    edit = check(source).statements[1]
    assert isinstance(edit, ir.EditStatement)
    assert edit.options.disjunction == "exact"


def test_python_takes_the_clause() -> None:
    program = lacelang.sampling("ffhq", OR, disjunction="exact")
    assert "disjunction exact" in program.source
    assert program.samples[0].options.disjunction == "exact"

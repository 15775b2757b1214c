"""Checked predicates and a statement's clauses, against the nodes that they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from attrs import evolve
from torch import Tensor

from lacelang import ir
from lacelang.compiler import Settings, balance, lower, spread_of
from lacelang.energy import (
    And,
    BernoulliKL,
    Contrast,
    LogitTempered,
    NormalAbove,
    NormalAt,
    NormalBelow,
    NormalInside,
    Not,
    Or,
    Surprisal,
    Tempered,
)
from lacelang.engine.sampling import compile_condition
from lacelang.errors import UsageError
from lacelang.semantics import defaults

SMILE = ir.BinaryAttribute("smile")
HAIR = ir.ChoiceAttribute("hair", ("black", "brown", "red"))
AGE = ir.ContinuousAttribute("age", 0.0, 70.0, "years")
MODEL = ir.ModelSpec("tiny", "none", attributes=(SMILE, HAIR, AGE))
SETTINGS = Settings({"age": 5.0}, defaults.CONDITION_OPTIONS)


def settings_with(**clauses: object) -> Settings:
    return evolve(SETTINGS, options=evolve(SETTINGS.options, **clauses))


smile = ir.Discrete(SMILE, frozenset({1}))
red = ir.Discrete(HAIR, frozenset({2}))
old = ir.AtLeast(AGE, 60.0)

SMILES, RED, OLD = Surprisal("smile", {1}), Surprisal("hair", {2}), NormalAbove("age", 60.0, 5.0)


@pytest.mark.parametrize(
    ("predicate", "node"),
    [
        (smile, SMILES),
        (ir.Discrete(HAIR, frozenset({0, 2})), Surprisal("hair", {0, 2})),
        (ir.Degree(SMILE, 1, 0.6), BernoulliKL("smile", 1, 0.6)),
        (ir.Equals(AGE, 15.0), NormalAt("age", 15.0, 5.0)),
        (old, OLD),
        (ir.AtMost(AGE, 20.0), NormalBelow("age", 20.0, 5.0)),
        (ir.Between(AGE, 20.0, 30.0), NormalInside("age", 20.0, 30.0, 5.0)),
        (ir.And((smile, old)), And((SMILES, OLD), (1.0, 1.0))),
        (ir.Or((smile, old)), Or((SMILES, OLD), (1.0, 1.0))),
        (ir.Not(smile), Not(SMILES)),
        (ir.Not(ir.Not(smile)), SMILES),
        (ir.And((evolve(smile, weight=2.0), old)), And((SMILES, OLD), (2.0, 1.0))),
        (ir.And((evolve(smile, weight=0.0), old)), OLD),
        (ir.Or((evolve(smile, weight=2.0), old)), Or((SMILES, OLD), (2.0, 1.0))),
        (ir.Or((evolve(smile, weight=0.0), old)), OLD),
        (evolve(smile, weight=5.0), And((SMILES,), (5.0,))),
        (ir.Not(evolve(smile, weight=2.0)), Not(And((SMILES,), (2.0,)))),
        (ir.Not(evolve(smile, weight=0.0)), And((), ())),
        (evolve(smile, temp=0.5), Tempered(SMILES, 0.5)),
        (evolve(smile, logit_temp=0.5), LogitTempered("smile", {1}, 0.5)),
        (evolve(ir.Or((smile, old)), temp=0.5), Tempered(Or((SMILES, OLD), (1.0, 1.0)), 0.5)),
        (evolve(old, temp=2.0, weight=3.0), And((Tempered(OLD, 2.0),), (3.0,))),
    ],
)
def test_every_form_has_its_energy(predicate: ir.Predicate, node: object) -> None:
    assert lower(predicate, SETTINGS) == node


def test_the_statement_s_temperature_is_every_discrete_atom_s() -> None:
    settings = settings_with(temp=0.5)
    both = ir.And((smile, old, evolve(red, temp=1.0)))
    assert lower(both, settings) == And((Tempered(SMILES, 0.5), OLD, RED), (1.0, 1.0, 1.0))
    logit = settings_with(logit_temp=0.5)
    assert lower(smile, logit) == LogitTempered("smile", {1}, 0.5)
    assert lower(evolve(smile, temp=2.0), logit) == Tempered(SMILES, 2.0)
    assert lower(ir.Degree(SMILE, 1, 0.6), logit) == Tempered(BernoulliKL("smile", 1, 0.6), 0.5)


def test_contrast_replaces_the_complement() -> None:
    settings = settings_with(negation=("contrast", 0.1))
    assert lower(ir.Not(smile), settings) == Contrast(SMILES, 0.1)
    assert lower(ir.Not(ir.Not(smile)), settings) == SMILES


def test_an_unknown_spread_is_named() -> None:
    with pytest.raises(UsageError, match="age"):
        lower(old, Settings({}, defaults.CONDITION_OPTIONS))


def statement(where: ir.Predicate | None, **clauses: object) -> ir.SampleStatement:
    psi = clauses.pop("truncation", 0.7)
    options = evolve(defaults.CONDITION_OPTIONS, **clauses)
    return ir.SampleStatement(
        "group", 8, MODEL, where, options, psi, None, ir.SamplerChoice("heun")
    )


class Tiny:
    """Heads that read latents directly: hair is red for one draw in 740, smiles are even."""

    sigma: Mapping[str, float] = {"age": 5.0}
    latents_device = torch.device("cpu")
    latent_dim = 4

    @property
    def generator(self) -> Tiny:
        return self

    def __init__(self) -> None:
        self.results: dict[object, object] = {}

    def remembered(self, key: object, make: Callable[[], object]) -> object:
        if key not in self.results:
            self.results[key] = make()
        return self.results[key]

    def features(self, truncation: float) -> object:
        def judge(z: Tensor) -> dict[str, Tensor]:
            zero = torch.zeros(len(z))
            return {
                "smile": torch.stack([zero, 50 * z[:, 0]], dim=1),
                "hair": torch.stack([zero, zero, 50 * (z[:, 1] - 3.0)], dim=1),
                "age": 35 + 10 * truncation * z[:, 2],
            }

        return judge


def test_a_statement_without_clauses() -> None:
    node = compile_condition(statement(ir.And((smile, old))), Tiny())  # type: ignore[arg-type]
    assert node == And((SMILES, OLD), (1.0, 1.0))
    with pytest.raises(UsageError, match="no condition"):
        compile_condition(statement(None), Tiny())  # type: ignore[arg-type]


def test_sigma_is_the_residual_or_the_paper_s_tenth_of_the_range() -> None:
    assert spread_of(defaults.CONDITION_OPTIONS, MODEL, Tiny.sigma) == {"age": 5.0}
    assert spread_of(statement(old, sigma="paper").options, MODEL, Tiny.sigma) == {
        "age": pytest.approx(7.0)
    }


def test_a_balanced_disjunction_weighs_arms_by_how_rare_they_are() -> None:
    where = ir.Or((smile, red))
    equal, balanced = (
        compile_condition(statement(where, disjunction=kind), Tiny())  # type: ignore[arg-type]
        for kind in ("equal", "balanced")
    )
    assert equal == Or((SMILES, RED), (1.0, 1.0))
    assert isinstance(balanced, Or)
    assert balanced.terms == (SMILES, RED)
    odds = balanced.weights[1] / balanced.weights[0]
    assert 0.5 / 0.0013 / 2 < odds < 0.5 / 0.0013 * 2
    again = compile_condition(
        statement(where, disjunction="balanced"),
        Tiny(),  # type: ignore[arg-type]
    )
    assert again == balanced


def test_draws_are_judged_once_for_all_statements_of_a_truncation() -> None:
    class Counting(Tiny):
        judged = 0

        def features(self, truncation: float) -> object:
            Counting.judged += 1
            return super().features(truncation)

    model = Counting()

    def compiled(where: ir.Predicate, truncation: float = 0.7) -> object:
        clauses = {"disjunction": "balanced", "truncation": truncation}
        return compile_condition(statement(where, **clauses), model)  # type: ignore[arg-type]

    compiled(ir.Or((smile, red)))
    compiled(ir.Or((red, old)))
    assert Counting.judged == 1
    wide, narrow = (compiled(ir.Or((smile, old)), psi) for psi in (1.0, 0.5))
    assert Counting.judged == 3
    assert wide != narrow
    assert compiled(ir.Or((smile, old)), 1.0) == wide
    assert Counting.judged == 3


def test_balance_reaches_every_or_and_keeps_given_odds() -> None:
    heads = {"smile": torch.tensor([[0.0, 0.0]]), "hair": torch.tensor([[0.0, 0.0, 0.0]])}
    inner = Or((SMILES, RED), (1.0, 3.0))
    balanced = balance(Tempered(And((Not(inner), RED), (1.0, 2.0)), 2.0), heads)
    assert isinstance(balanced, Tempered)
    assert isinstance(balanced.term, And)
    first = balanced.term.terms[0]
    assert isinstance(first, Not)
    assert isinstance(first.term, Or)
    assert first.term.weights == pytest.approx((2.0, 9.0), rel=1e-2)
    assert balanced.temperature == 2.0

"""What a step of an edit descends, against LACE.md's sequential editing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from attrs import evolve

from lacelang import ir
from lacelang.compiler import Settings, changes, lower, standing, step_energy
from lacelang.compiler.editing import held, step_condition
from lacelang.energy import DISPLACEMENT, Node, Outputs
from lacelang.semantics import defaults

SMILE = ir.BinaryAttribute("smile")
HAIR = ir.ChoiceAttribute("hair", ("black", "brown", "red"))
AGE = ir.ContinuousAttribute("age", 0.0, 70.0, "years")
YAW = ir.ContinuousAttribute("yaw", -45.0, 45.0, "deg")
MODEL = ir.ModelSpec("tiny", "none", attributes=(SMILE, HAIR, AGE, YAW))
SIGMA = {"age": 5.0, "yaw": 3.0}

smile = ir.Discrete(SMILE, frozenset({1}), text="smile=1")
red = ir.Discrete(HAIR, frozenset({2}), text="hair=red")
old = ir.Equals(AGE, 60.0, text="age=60")
young = ir.Equals(AGE, 20.0, text="age=20")
left = ir.Equals(YAW, -25.0, text="yaw=-25")

# The weights, written out here: of what earlier lines wanted, of numbers that the present line
# wants, of logits that are held.
EARLIER = 0.1
WANTED = 10.0
LOGITS = 10.0

NOW = {
    "smile": torch.tensor([[0.5, -1.0], [2.0, 0.0]]),
    "hair": torch.tensor([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]]),
    "age": torch.tensor([30.0, 50.0]),
    "yaw": torch.tensor([0.0, 10.0]),
}
BEFORE = {
    "smile": torch.tensor([[1.5, 1.0], [2.0, 0.0]]),
    "hair": torch.tensor([[0.0, 0.0, 2.0], [3.0, 1.0, 1.0]]),
    "age": torch.tensor([40.0, 40.0]),
    "yaw": torch.tensor([-3.0, 10.0]),
}
DISTANCE = torch.tensor([2.0, 5.0])


def meaning(predicate: ir.Predicate) -> Node:
    return lower(predicate, Settings(SIGMA, defaults.CONDITION_OPTIONS))


def edit(*predicates: ir.Predicate, **fields: Any) -> ir.EditStatement:
    steps = tuple(ir.EditStep(predicate) for predicate in predicates)
    values = {"held": "later", "stay": 0.04, "hold": 0.1, "reweight": True, **fields}
    options, sampler = defaults.CONDITION_OPTIONS, ir.SamplerChoice("heun")
    return ir.EditStatement("e", "g", MODEL, steps, sampler, options, **values)


def energy(statement: ir.EditStatement, index: int, before: Outputs = BEFORE) -> torch.Tensor:
    outputs = {**NOW, **changes(NOW, before), DISPLACEMENT: DISTANCE}
    return step_energy(statement, index, meaning, SIGMA)(outputs)


def of(predicate: ir.Predicate) -> torch.Tensor:
    return meaning(predicate)(NOW)


def test_the_whole_sum() -> None:
    statement = edit(smile, old, left, stay=0.04, hold=0.01)
    turned = (NOW["yaw"] - BEFORE["yaw"]) / SIGMA["yaw"]
    aged = (NOW["age"] - BEFORE["age"]) / SIGMA["age"]
    stay = 0.04 * DISTANCE
    expected = [
        of(smile) + stay + 0.01 * (aged**2 + turned**2),
        EARLIER * of(smile) + WANTED * of(old) + stay + 0.01 * turned**2,
        EARLIER * (of(smile) + of(old)) + WANTED * of(left) + stay,
    ]
    for index, sum_ in enumerate(expected):
        assert torch.allclose(energy(statement, index), sum_, atol=1e-5)


def test_logits_are_held_up_to_a_constant() -> None:
    statement = edit(old, red, smile, stay=0.0, hold=1.0, reweight=False)
    shifted = {**BEFORE, "hair": NOW["hair"] + 7.0, "smile": NOW["smile"] - 3.0}
    assert torch.allclose(energy(statement, 0, shifted), of(old), atol=1e-4)
    change = (NOW["hair"] - BEFORE["hair"]) - (NOW["hair"] - BEFORE["hair"]).mean(1, keepdim=True)
    smiling = (NOW["smile"] - BEFORE["smile"]) @ torch.tensor([-1.0, 1.0])
    expected = of(old) + change.square().sum(1) + 0.5 * smiling.square()
    assert torch.allclose(energy(statement, 0), expected, atol=1e-5)


def test_stay_and_hold_are_nothing_at_the_start() -> None:
    statement = edit(smile, old, held="all", reweight=False)
    outputs = {**NOW, **changes(NOW, NOW), DISPLACEMENT: torch.zeros(2)}
    assert torch.equal(step_energy(statement, 0, meaning, SIGMA)(outputs), of(smile))


def test_zeros_leave_out_stay_and_hold() -> None:
    statement = edit(smile, old, stay=0.0, hold=0.0, held="all", reweight=False)
    assert torch.equal(step_energy(statement, 0, meaning, SIGMA)(NOW), of(smile))


@pytest.mark.parametrize(
    ("which", "index", "names"),
    [
        ("later", 0, ["hair", "age"]),
        ("later", 1, ["age"]),
        ("later", 2, []),
        ("all", 0, ["hair", "age", "yaw"]),
        ("all", 1, ["age", "yaw"]),
        ("all", 2, ["yaw"]),
    ],
)
def test_what_is_held(which: str, index: int, names: list[str]) -> None:
    statement = edit(smile, ir.Or((red, smile)), old, held=which)
    assert [attribute.name for attribute in held(statement, index)] == names


def test_a_later_line_on_an_attribute_takes_the_place_of_earlier_terms() -> None:
    both = ir.And((smile, old), text="smile=1 and age=60")
    either = ir.Or((red, ir.Not(smile)), text="hair=red or not smile=1")
    statement = edit(both, young, either)
    assert standing(statement, 0) == (smile, old)
    assert standing(statement, 1) == (smile, young)
    assert standing(statement, 2) == (young, either)
    # What supersedes is also what is reported.
    assert torch.allclose(step_condition(statement, 1, meaning)(NOW), of(smile) + of(young))


def test_order_decides_only_what_is_new() -> None:
    one, other = edit(smile, old, held="all"), edit(old, smile, held="all")
    assert torch.allclose(
        step_condition(one, 1, meaning)(NOW), step_condition(other, 1, meaning)(NOW)
    )
    # Where all else is held, what earlier lines wanted keeps its weight.
    assert torch.allclose(energy(one, 1), energy(other, 1), rtol=1e-4)
    wanted = WANTED * (of(smile) + of(old))
    alone = edit(smile, old, held="all", stay=0.0, hold=0.0)
    assert torch.allclose(energy(alone, 1), wanted, rtol=1e-4)


def test_a_logit_counts_more_than_a_number_where_all_is_held() -> None:
    statement = edit(old, held="all", stay=0.0, hold=0.1, reweight=False)
    turned = ((NOW["yaw"] - BEFORE["yaw"]) / SIGMA["yaw"]).square()
    change = (NOW["hair"] - BEFORE["hair"]) - (NOW["hair"] - BEFORE["hair"]).mean(1, keepdim=True)
    smiling = (NOW["smile"] - BEFORE["smile"]) @ torch.tensor([-1.0, 1.0])
    logits = change.square().sum(1) + 0.5 * smiling.square()
    expected = of(old) + 0.1 * turned + LOGITS * 0.1 * logits
    assert torch.allclose(energy(statement, 0), expected, atol=1e-5)


def test_weights_and_temperatures_are_those_of_a_condition() -> None:
    plain = {"stay": 0.0, "hold": 0.0}
    heavy = edit(evolve(smile, weight=5.0), **plain)
    assert torch.allclose(energy(heavy, 0), 5 * of(smile))
    grouped = ir.And((evolve(smile, weight=2.0), old), weight=3.0, temp=2.0)
    scaled = 1.5 * (2 * of(smile) + WANTED * of(old))
    assert torch.allclose(energy(edit(grouped, **plain), 0), scaled)
    unweighed = edit(grouped, reweight=False, **plain)
    assert torch.allclose(energy(unweighed, 0), of(grouped), rtol=1e-5)


def test_a_mixed_composition_counts_as_classes_do() -> None:
    mixed = ir.Or((smile, old))
    assert torch.allclose(energy(edit(mixed, stay=0.0, hold=0.0), 0), of(mixed))
    ages = ir.Or((young, old))
    assert torch.allclose(energy(edit(ages, stay=0.0, hold=0.0), 0), WANTED * of(ages))

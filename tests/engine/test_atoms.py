from __future__ import annotations

import math

import pytest
import torch
from attrs import evolve
from tiny import AGE, AGE_40, GLASSES, GLASSES_1

from lacelang import ir
from lacelang.engine.atoms import atoms_of, read_atoms

SIGMA = {"age": 4.0}
HAIR = ir.ChoiceAttribute("haircolor", ("black", "brown", "gray"))
OUTPUTS = {
    "glasses": torch.tensor([[0.0, math.log(3.0)], [5.0, -5.0]]),
    "age": torch.tensor([41.0, 12.0]),
    "haircolor": torch.log(torch.tensor([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]])),
}


def test_readings_are_probabilities_and_values() -> None:
    hair = ir.Discrete(HAIR, frozenset({0, 2}), text="haircolor in {black, gray}")
    degree = ir.Degree(GLASSES, 1, 0.6, text="glasses ~ 0.6")
    read = read_atoms(ir.And((GLASSES_1, AGE_40, ir.Or((hair, degree)))), OUTPUTS)
    assert list(read) == ["glasses=1", "age=40", "haircolor in {black, gray}", "glasses ~ 0.6"]
    assert torch.allclose(read["glasses=1"], torch.tensor([0.75, 4.54e-5]), rtol=1e-3)
    assert torch.equal(read["age=40"], OUTPUTS["age"])
    assert torch.allclose(read["haircolor in {black, gray}"], torch.tensor([0.8, 0.9]))
    assert torch.equal(read["glasses ~ 0.6"], read["glasses=1"])


@pytest.mark.parametrize(
    ("leaf", "holding", "failing"),
    [
        (GLASSES_1, [0.5, 1.0], [0.49]),
        (ir.Degree(GLASSES, 1, 0.6, text="d"), [0.55, 0.69], [0.4, 0.9]),
        (AGE_40, [32.1, 47.9], [31.9, 48.1]),
        (ir.AtLeast(AGE, 20.0, text="age > 20"), [20.0, 70.0], [19.9]),
        (ir.AtMost(AGE, 20.0, text="age < 20"), [-3.0, 20.0], [20.1]),
        (ir.Between(AGE, 20.0, 30.0, text="age in 20..30"), [20.0, 30.0], [19.9, 30.1]),
    ],
)
def test_an_atom_knows_what_satisfies_it(
    leaf: ir.Predicate, holding: list[float], failing: list[float]
) -> None:
    (atom,) = atoms_of(leaf, SIGMA)
    (denied,) = atoms_of(ir.Not(leaf), SIGMA)
    assert all(map(atom.holds, holding))
    assert not any(map(atom.holds, failing))
    assert not any(map(denied.holds, holding))
    assert all(map(denied.holds, failing))
    assert denied.wanted == f"not {atom.wanted}"


def test_a_not_reaches_every_term_and_two_cancel() -> None:
    either = ir.Not(ir.Or((GLASSES_1, AGE_40)))
    assert [atom.wanted for atom in atoms_of(either, SIGMA)] == ["not glasses=1", "not age=40"]
    mixed = ir.Not(ir.And((ir.Not(GLASSES_1), AGE_40)))
    assert [atom.wanted for atom in atoms_of(mixed, SIGMA)] == ["glasses=1", "not age=40"]


def test_what_is_said_twice_is_listed_once() -> None:
    assert len(atoms_of(ir.And((GLASSES_1, ir.Or((GLASSES_1, AGE_40)))), SIGMA)) == 2


def test_an_atom_built_in_python_gets_a_text() -> None:
    silent = [
        evolve(GLASSES_1, text=""),
        ir.Discrete(HAIR, frozenset({0, 2})),
        ir.Degree(GLASSES, 1, 0.6),
        ir.Equals(AGE, 40.0),
        ir.AtLeast(AGE, 20.0),
        ir.AtMost(AGE, 20.0),
        ir.Between(AGE, 20.0, 30.0),
    ]
    assert [atom.text for atom in atoms_of(ir.And(tuple(silent)), SIGMA)] == [
        "glasses=1",
        "haircolor in {black, gray}",
        "glasses ~ 0.6",
        "age=40",
        "age > 20",
        "age < 20",
        "age in 20..30",
    ]

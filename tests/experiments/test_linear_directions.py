"""The linear baseline on a space whose directions are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from experiments.linear_directions import CERTAINTY, Directions, clear_of, fit_examples
from lacelang import ir
from lacelang.api import compile
from lacelang.classifiers.labels import Examples
from lacelang.errors import UsageError
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ContinuousAttribute

DIM = 10
SCALE = torch.linspace(3.0, 0.5, DIM)
# What decides each attribute, in whitened coordinates; smile and age are not at right angles.
SMILE = torch.eye(DIM)[0]
AGE = 0.6 * torch.eye(DIM)[0] + 0.8 * torch.eye(DIM)[1]
HAIR = torch.eye(DIM)[2:7]
ATTRIBUTES = (
    BinaryAttribute("smile"),
    ContinuousAttribute("age", low=0, high=70, unit="years"),
    ChoiceAttribute("haircolor", ("black", "brown", "blond", "gray", "red")),
)


class Stretched:
    def whiten(self, w: Tensor) -> Tensor:
        return w / SCALE

    def colour(self, u: Tensor) -> Tensor:
        return u * SCALE


def judge(w: Tensor) -> dict[str, Tensor]:
    u = w / SCALE
    odds = 4 * (u @ SMILE)
    return {
        "smile": torch.stack([-odds / 2, odds / 2], dim=1),
        "age": 30 + 8 * (u @ AGE),
        "haircolor": 3 * (u @ HAIR.T),
    }


def draws(count: int, seed: int) -> Tensor:
    return torch.randn(count, DIM, generator=torch.Generator().manual_seed(seed)) * SCALE


@pytest.fixture(scope="module")
def directions() -> Directions:
    w = draws(4000, 1)
    seen = judge(w)
    columns = {
        "smile": seen["smile"].argmax(1).float().numpy(),
        "age": seen["age"].numpy().copy(),
        "haircolor": seen["haircolor"].argmax(1).float().numpy(),
    }
    columns["age"][::7] = np.nan
    examples = Examples(w.numpy(), columns, np.zeros(len(w), bool))
    return fit_examples(examples, ATTRIBUTES, Stretched(), judge)


def where(condition: str) -> ir.Predicate:
    (statement,) = compile(f"sample from ffhq where {condition}").samples
    assert statement.where is not None
    return statement.where


def test_fitted_directions_are_those_that_decide(directions: Directions) -> None:
    assert float(directions.vectors["smile"][0] @ SMILE) > 0.99
    assert float(directions.vectors["age"][0] @ AGE) > 0.999
    towards_gray = HAIR[3] - HAIR.mean(dim=0)
    assert float(directions.vectors["haircolor"][3] @ towards_gray / towards_gray.norm()) > 0.98


def test_the_classifier_agrees_at_the_end(directions: Directions) -> None:
    moved = judge(directions.move(draws(200, 2), where("smile=0 and age=45 and haircolor=gray")))
    assert (moved["smile"].softmax(1)[:, 0] > CERTAINTY - 0.01).all()
    assert ((moved["age"] - 45).abs() < 0.5).all()
    assert (moved["haircolor"].softmax(1)[:, 3] > CERTAINTY - 0.01).all()


def test_who_agrees_already_stays(directions: Directions) -> None:
    w = draws(200, 3)
    before = judge(w)["smile"].softmax(1)[:, 1] >= CERTAINTY
    moved = directions.move(w, where("smile=1"))
    assert torch.equal((moved - w).norm(dim=1) < 1e-5, before)


def test_what_is_held_hardly_changes(directions: Directions) -> None:
    w = draws(200, 4)
    free = judge(directions.move(w, where("smile=1")))["age"] - judge(w)["age"]
    held = judge(directions.move(w, where("smile=1"), held=["age"]))["age"] - judge(w)["age"]
    assert free.abs().max() > 3
    assert held.abs().max() < 0.3


def test_clear_of_is_orthogonal_and_of_unit_length() -> None:
    others = [torch.randn(2, DIM), torch.randn(1, DIM)]
    rest = clear_of(torch.randn(DIM), others)
    assert float(rest.norm()) == pytest.approx(1.0, abs=1e-6)
    assert torch.cat(others).matmul(rest).abs().max() < 1e-5


def test_clear_of_itself_nothing_is_left() -> None:
    assert not clear_of(SMILE, [SMILE[None] * -2]).any()


def test_a_condition_without_values_is_refused(directions: Directions) -> None:
    with pytest.raises(UsageError, match="a=v"):
        directions.move(draws(2, 5), where("age > 40"))

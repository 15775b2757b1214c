"""Solvers side by side: joint evaluations, and nothing left hanging when one of them fails."""

from __future__ import annotations

import gc

import pytest
import torch

from lacelang.samplers.torchdiffeq_solvers.algorithm import AT_ONCE, Ask, in_one_batch
from lacelang.testing.targets import Quadratic

TARGET = Quadratic(torch.ones(2))


class Recorded:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, z: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        return TARGET(z)

    def value_and_grad(
        self, z: torch.Tensor, *args: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.sizes.append(len(z))
        return TARGET.value_and_grad(z)


def test_all_that_wait_are_evaluated_at_once() -> None:
    energy = Recorded()
    found: dict[int, float] = {}

    def solve(place: int, ask: Ask) -> None:
        for _ in range(place + 1):
            value, _gradient = ask(torch.full((1, 2), float(place)))
        found[place] = value.item()

    shares: list[float] = []
    in_one_batch(energy, 3, solve, shares.append)
    assert energy.sizes == [3, 2, 1]
    assert found == {0: 1.0, 1: 0.0, 2: 1.0}
    assert shares == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_more_samples_than_are_solved_at_once() -> None:
    energy = Recorded()
    in_one_batch(energy, AT_ONCE + 3, lambda _, ask: ask(torch.zeros(1, 2)), None)  # type: ignore
    assert energy.sizes == [AT_ONCE, 3]


def failing(place: int, ask: Ask) -> None:
    ask(torch.zeros(1, 2))
    if place == 1:
        raise ZeroDivisionError
    ask(torch.zeros(1, 2))


def test_an_error_in_one_solver_ends_them_all() -> None:
    ended: list[int] = []

    def solve(place: int, ask: Ask) -> None:
        try:
            failing(place, ask)
        finally:
            ended.append(place)

    with pytest.raises(ZeroDivisionError):
        in_one_batch(TARGET, 4, solve, None)
    gc.collect()
    assert sorted(ended) == [0, 1, 2, 3]


def test_an_error_of_the_energy_ends_them_all() -> None:
    class Failing(Recorded):
        def value_and_grad(
            self, z: torch.Tensor, *args: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_one_batch(Failing(), 4, failing, None)


def test_the_arguments_of_a_sample_go_with_it() -> None:
    class Shifted(Recorded):
        def value_and_grad(
            self, z: torch.Tensor, *args: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            return super().value_and_grad(z - args[0])

    found: dict[int, float] = {}

    def solve(place: int, ask: Ask) -> None:
        for _ in range(2 - place % 2):
            energy, _gradient = ask(torch.zeros(1, 2))
            found[place] = energy.item()

    in_one_batch(Shifted(), 4, solve, None, (torch.arange(4.0)[:, None].expand(4, 2),))
    assert found == {k: (k + 1.0) ** 2 for k in range(4)}

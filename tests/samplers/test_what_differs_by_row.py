"""What is of one sample alone: arguments of its energy, gradients that fail, how it ended."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor

from lacelang.energy import ConditionalEnergy, NormalAt, Outputs, conjunction
from lacelang.samplers import SAMPLERS, Sampler
from lacelang.samplers.driver import Blocks, Driver, Pace, only, rms
from lacelang.samplers.problem import Point, Target
from lacelang.samplers.solution import Solution, Stats, Status, unmoved
from lacelang.samplers.streams import Streams, prior
from lacelang.storage.records import Ending
from lacelang.testing.targets import Quadratic

DIM, COUNT, SEED = 4, 6, 5
Z0 = prior(SEED, range(COUNT), DIM)
ONES = torch.ones(DIM)

QUICK: dict[str, dict[str, float]] = {
    "langevin": {"steps": 40},
    "pc": {"steps": 40, "corrector_steps": 1},
    "mala": {"steps": 30, "warmup": 20},
    "hmc": {"steps": 6, "warmup": 8, "leapfrog": 3},
    **{name: {"step": 0.04} for name in ("heun2", "heun3", "midpoint", "rk4")},
    "smc": {"particles": 16, "moves": 2},
}
# They differ from `dopri5` and `euler` by the solver of torchdiffeq alone.
_ALIKE = ("adaptive_heun", "bosh3", "dopri8", "heun2", "heun3", "midpoint", "rk4")
_SAMPLERS = [
    pytest.param(each, id=name, marks=pytest.mark.slow if name in _ALIKE else ())
    for name, each in SAMPLERS.items()
]
EVERY = pytest.mark.parametrize("sampler", _SAMPLERS)


def sample(sampler: Sampler, target: Target, z0: Tensor, rows: list[int]) -> Solution:
    return sampler(target, z0, streams=Streams(SEED, rows), **QUICK.get(sampler.name, {}))


def moved(z: Tensor, shift: Tensor, scale: Tensor) -> Outputs:
    x = z - shift
    return {"a": x[:, 0] * scale, "b": x[:, 1] + 0.2 * x[:, 2].sin()}


SHIFT = torch.arange(COUNT * DIM).reshape(COUNT, DIM) / 10.0 - 1.0
SCALE = torch.tensor([0.5, 0.7, 0.9, 1.1, 1.3, 1.5])


@EVERY
def test_a_sample_meets_the_condition_of_its_own_arguments(sampler: Sampler) -> None:
    """Bit for bit as it is alone, and as where its arguments are part of the energy."""
    node = conjunction([NormalAt("a", 0.3, 1.0), NormalAt("b", -0.2, 1.0)])
    energy = ConditionalEnergy(moved, node)
    rows = list(range(COUNT))
    args = (SHIFT, SCALE)
    if sampler.pilots:
        args = (SHIFT[:1].expand(COUNT, DIM), SCALE[:1].expand(COUNT))
    whole = sample(sampler, Target.of(energy, args), Z0, rows)
    assert torch.equal(whole.energy, energy(whole.z, *args))
    for row in (0, COUNT - 1):
        own = tuple(each[row : row + 1] for each in args)
        alone = sample(sampler, Target.of(energy, own), Z0[row : row + 1], [row])
        assert torch.equal(alone.z, whole.z[row : row + 1])
        assert torch.equal(alone.stats.nfe, whole.stats.nfe[row : row + 1])
        shift, scale = (each[0] for each in own)

        def baked(z: Tensor, shift: Tensor = shift, scale: Tensor = scale) -> Outputs:
            return moved(z, shift, scale)

        fixed = sample(sampler, Target.of(ConditionalEnergy(baked, node)), Z0[row : row + 1], [row])
        assert torch.allclose(fixed.z, alone.z, atol=1e-3)


def steep(z: Tensor) -> Outputs:
    """Heads that are finite everywhere; where z_0 > 0.8, one has an infinite slope by z_0."""
    beyond = z[:, 0] > 0.8
    edge = torch.where(beyond, z[:, 0] - z[:, 0].detach(), 1.0).sqrt()
    return {"a": z[:, 1] + torch.where(beyond, edge, 0.0), "b": z[:, 0]}


@EVERY
def test_a_gradient_that_is_not_finite_ends_a_sample_where_it_is(sampler: Sampler) -> None:
    lost = 2
    z0 = Z0.clamp(max=0.5)
    z0[lost, 0] = 0.9
    kept = [row for row in range(COUNT) if row != lost]
    energy = ConditionalEnergy(
        steep, conjunction([NormalAt("a", 3.0, 1.0), NormalAt("b", -2.0, 1.0)])
    )
    target = Target.of(energy)
    solution = sample(sampler, target, z0, list(range(COUNT)))
    assert torch.equal(solution.z[kept], sample(sampler, target, z0[kept], kept).z)
    assert torch.equal(solution.energy, energy(solution.z))
    if sampler.name == "rejection" or sampler.pilots:  # which have other draws than the start
        assert set(solution.status) == {Status.converged}
        return
    assert solution.status[lost] is Status.non_finite
    assert torch.equal(solution.z[lost], z0[lost])
    assert not torch.equal(solution.z[kept], z0[kept])


def test_statuses_are_numbers_that_are_kept() -> None:
    """A change here changes what arrays of statuses mean."""
    numbers = {"converged": 0, "max_steps": 1, "non_finite": 2, "max_tries": 3, "stuck": 4}
    numbers |= {"unverified": 5, "failed": 6}
    assert {status.name: int(status) for status in Status} == numbers
    assert set(get_args(Ending)) == numbers.keys()
    assert [Status(number).name for number in range(7)] == list(numbers)


def test_draws_of_no_condition_cost_nothing() -> None:
    solution = unmoved(Z0)
    assert solution.z is Z0
    assert solution.energy.tolist() == [0.0] * COUNT
    assert solution.status == (Status.converged,) * COUNT
    for cost in (solution.stats.nfe, solution.stats.accepted, solution.stats.rejected):
        assert cost.dtype == torch.int64
        assert cost.tolist() == [0] * COUNT
    one, two, three = (torch.tensor([k]) for k in (1, 20, 300))
    both = Stats(one, two, three) + Stats(three, one, two)
    assert [both.nfe.item(), both.accepted.item(), both.rejected.item()] == [301, 21, 320]


def test_points_are_known_row_by_row() -> None:
    a = Point(Z0, torch.arange(6.0), torch.ones(COUNT, DIM))
    b = Point(-Z0, -torch.arange(6.0), torch.zeros(COUNT, DIM))
    rows = torch.tensor([True, False, False, True, False, True])
    mixed = a.where(rows, b)
    for one, other, both in zip(a, b, mixed, strict=True):
        assert torch.equal(both[rows], other[rows])
        assert torch.equal(both[~rows], one[~rows])
    assert torch.equal(a.only(rows).z, Z0[rows])
    gradient = torch.ones(COUNT, DIM)
    gradient[1, 3], gradient[2, 0] = math.nan, math.inf
    energy = torch.tensor([0.0, 0.0, 0.0, math.inf, math.nan, 1.0])
    expected = [True, False, False, False, False, True]
    assert Point(Z0, energy, gradient).finite.tolist() == expected


class TestDriver:
    def run(self) -> Driver:
        return Driver(Quadratic(ONES), Z0, None, (torch.arange(float(COUNT)),))

    def test_it_keeps_the_best_point_of_each(self) -> None:
        run = self.run()
        energies = torch.tensor([3.0, 1.0, math.nan, 2.0, math.inf, 0.0])
        assert run.saw(run.rows, Z0 + 1, energies).tolist() == [
            True,
            True,
            False,
            True,
            False,
            True,
        ]
        rows = torch.tensor([0, 1, 2])
        gradient = torch.zeros(3, DIM)
        gradient[1, 2] = math.nan
        # Better, better but for its gradient, and finite at last.
        found = run.saw(rows, Z0[rows] + 2, torch.tensor([2.0, 0.0, 5.0]), gradient)
        assert found.tolist() == [True, False, True]
        assert run.nfe.tolist() == [2, 2, 2, 1, 1, 1]
        run.end(run.rows, Z0 + 9, Status.max_tries)
        assert torch.equal(run.z, Z0 + torch.tensor([2.0, 1.0, 2.0, 1.0, 0.0, 1.0])[:, None])
        run.end(rows, Z0[rows] + 9, Status.stuck)
        assert torch.equal(run.z[:3], Z0[:3] + 9)

    def test_what_ends_leaves_with_its_arguments(self) -> None:
        run = self.run()
        going = run.drop(torch.arange(COUNT) % 2 == 0, Z0 + 1, Status.max_steps)
        assert going.tolist() == [False, True] * 3
        assert run.rows.tolist() == [1, 3, 5]
        assert run.args[0].tolist() == [1.0, 3.0, 5.0]
        run.count(torch.tensor([True, False, True]))
        assert run.accepted.tolist() == [0, 1, 0, 0, 0, 1]
        assert run.rejected.tolist() == [0, 0, 0, 1, 0, 0]
        solution = run.finish(Z0[1::2] + 2, Status.converged, more=torch.arange(6))
        ends = [Status.max_steps, Status.converged] * 3
        assert list(solution.status) == ends
        assert torch.equal(solution.z, Z0 + torch.tensor([1.0, 2.0] * 3)[:, None])
        assert solution.stats.nfe.tolist() == [1] * COUNT
        assert solution.extra["more"].tolist() == list(range(6))

    def test_rounds_end_with_the_last_sample(self) -> None:
        shares: list[float] = []
        run = Driver(Quadratic(ONES), Z0, shares.append)
        assert list(run.rounds(4)) == [0, 1, 2, 3]
        assert shares == [0.25, 0.5, 0.75, 1.0]
        for done in run.rounds(10):
            if done == 2:
                run.drop(torch.ones(COUNT, dtype=torch.bool), Z0, Status.stuck)
        assert done == 2

    def test_an_end_that_is_not_finite_is_taken_back(self) -> None:
        """To the best point, and its energy; NaN of one that was nowhere finite."""
        run = self.run()
        seen = torch.tensor([math.nan] + [7.0] * (COUNT - 1))
        run.saw(run.rows, Z0 + 1, seen)
        end = Z0.clone()
        end[:2, 0] = math.inf
        solution = run.finish(end, Status.converged)
        assert solution.status == (Status.non_finite,) * 2 + (Status.converged,) * 4
        assert torch.equal(solution.z[0], Z0[0])
        assert torch.equal(solution.z[1], Z0[1] + 1)
        assert solution.energy[0].isnan()
        assert solution.energy[1] == 7.0


class TestPace:
    def pace(self, time: float = 10.0, max_steps: int = 9, growth: float = 4.0) -> Pace:
        run = Driver(Quadratic(ONES), Z0[:4])
        speed = torch.tensor([0.0, 0.01, 1.0, 100.0], dtype=torch.float64)
        return Pace(run, speed, 0.04, time, max_steps, growth)

    def test_a_first_step_is_a_tenth_of_the_root_of_what_is_allowed(self) -> None:
        """At the speed of each; all of the way where nothing moves."""
        assert self.pace().h.tolist() == pytest.approx([10.0, 2.0, 0.02, 0.0002])

    def test_a_step_is_cut_to_where_its_error_is_allowed(self) -> None:
        """The error goes with the square: four times too much is half of the step."""
        pace = self.pace()
        h = torch.full((4,), 0.1, dtype=torch.float64)
        error = 0.04 * torch.tensor([1.0, 4.0, 1e-6, 0.0], dtype=torch.float64)
        finite = torch.tensor([True, True, True, False])
        assert pace.cut(h, error, finite).tolist() == pytest.approx([1.0, 0.5, 1.0, 0.0])
        # The next are nine tenths of what would be allowed, at most `growth` as long as this one.
        assert pace.h.tolist() == pytest.approx([0.09, 0.045, 0.4, 0.025])
        assert pace.run.accepted.tolist() == [1, 0, 1, 0]
        assert pace.run.rejected.tolist() == [0, 1, 0, 1]
        pace.cut(h, torch.full((4,), 1e9, dtype=torch.float64), ~finite | finite)
        assert pace.h.tolist() == pytest.approx([0.005] * 4)  # a twentieth at least

    def test_no_step_goes_beyond_the_end(self) -> None:
        pace = self.pace(time=0.35)
        shares: list[float] = []
        pace.run.tell = shares.append
        error, finite = torch.zeros(4, dtype=torch.float64), torch.ones(4, dtype=torch.bool)
        pace.cut(torch.tensor([0.35, 0.1, 0.1, 0.1], dtype=torch.float64), error, finite)
        assert pace.h.tolist() == pytest.approx([0.0, 0.25, 0.25, 0.25])
        assert pace.settle(Z0[:4]).tolist() == [False, True, True, True]
        assert shares == pytest.approx([1 - 0.75 / 1.4])
        lost = torch.tensor([False, True, False])
        assert pace.settle(Z0[1:4], lost).tolist() == [True, False, True]
        for _ in range(8):
            pace.cut(torch.zeros(2, dtype=torch.float64), error[:2], finite[:2])
            going = pace.settle(Z0[[1, 3]])
        assert going.tolist() == [False, False]
        ends = (Status.converged, Status.max_steps, Status.non_finite, Status.max_steps)
        assert pace.run.result().status == ends

    def test_a_step_that_is_not_finite_is_tried_twenty_times_again(self) -> None:
        pace = self.pace(max_steps=100)
        error, finite = torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.bool)
        for tried in range(1, 22):
            pace.cut(pace.h, error, finite)
            assert pace.settle(Z0[:4]).tolist() == [tried <= 20] * 4
        assert set(pace.run.result().status) == {Status.non_finite}


@pytest.mark.parametrize(("steps", "status"), [(9, Status.converged), (10, Status.stuck)])
def test_a_chain_of_ten_steps_or_more_is_judged_by_them_alone(steps: int, status: Status) -> None:
    """Everything is accepted in the warm-up, nothing behind it."""

    class Closing(Quadratic):
        calls = 0

        def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
            Closing.calls += 1
            value = torch.zeros(len(z)) if Closing.calls <= 6 else torch.full((len(z),), math.nan)
            return value, torch.zeros_like(z)

    target = Target.of(Closing(torch.zeros(DIM)))
    streams = Streams(SEED, range(COUNT))
    solution = SAMPLERS["mala"](target, Z0, streams=streams, steps=steps, warmup=5)
    assert set(solution.status) == {status}
    assert solution.stats.accepted.tolist() == [5] * COUNT


def test_rows_of_a_mask_are_not_copied_where_they_are_all() -> None:
    a, b = torch.arange(4), torch.arange(8).reshape(4, 2)
    assert only(torch.ones(4, dtype=torch.bool), a, b) == (a, b)
    some = only(torch.tensor([True, False, True, False]), a, b)
    assert [each.tolist() for each in some] == [[0, 2], [[0, 1], [4, 5]]]
    assert rms(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist() == pytest.approx(
        [math.sqrt(12.5), 0.0]
    )


def test_energies_in_blocks_have_no_graph() -> None:
    z = Z0.clone().requires_grad_()
    blocks = Blocks(ConditionalEnergy(lambda z: {"a": z[:, 0]}, NormalAt("a", 0.0, 1.0)))
    assert not blocks(z).requires_grad
    energy, gradient = blocks.value_and_grad(z)
    assert torch.equal(energy, blocks(z))
    assert torch.equal(gradient[:, 0], z[:, 0].detach())

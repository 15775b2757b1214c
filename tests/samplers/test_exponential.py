"""Exponential steps: functions of low-rank matrices, exactness, order, logic and independence."""

from __future__ import annotations

import math

import pytest
import torch
from doubles import RealSize
from torch import Tensor
from torchdiffeq import odeint

from lacelang.energy import (
    ConditionalEnergy,
    Contrast,
    Node,
    NormalAbove,
    NormalAt,
    Outputs,
    Surprisal,
    conjunction,
    disjunction,
    negation,
)
from lacelang.samplers import SAMPLERS
from lacelang.samplers.phi import LowRank, phi, pull, push
from lacelang.samplers.schedule import HORIZON
from lacelang.samplers.solution import Status
from lacelang.samplers.streams import prior

exponential = SAMPLERS["exponential"]
heun = SAMPLERS["heun"]

DIM = 12


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_phi(order: int) -> None:
    """Against phi_n(x) = integral over s in 0..1 of e^((1 - s) x) s^(n - 1) / (n - 1)!."""
    s = torch.linspace(0, 1, 200_001, dtype=torch.float64)
    for x in (-300.0, -5.0, -0.51, -0.49, -1e-9, 0.0, 0.3, 2.0):
        integrand = torch.exp((1 - s) * x) * s ** (order - 1) / math.factorial(order - 1)
        expected = float(torch.trapezoid(integrand, s))
        found = phi(order, torch.tensor([x], dtype=torch.float64)).item()
        assert found == pytest.approx(expected, rel=1e-6)


def test_functions_of_a_low_rank_matrix_are_those_of_the_whole_matrix() -> None:
    random = torch.Generator().manual_seed(0)
    j = torch.randn(3, 4, DIM, dtype=torch.float64, generator=random)
    j[1, 3] = j[1, 2]  # two heads that say the same
    a = torch.randn(3, 4, 4, dtype=torch.float64, generator=random)
    a = a + a.transpose(1, 2)
    v = torch.randn(3, 4, dtype=torch.float64, generator=random)
    x = torch.randn(3, DIM, dtype=torch.float64, generator=random)
    h = torch.tensor([0.01, 0.1, 0.3], dtype=torch.float64)
    low = LowRank(j, a)
    for i in range(3):
        whole = j[i].T @ a[i] @ j[i]
        values, vectors = torch.linalg.eigh(whole)

        def function(order: int, i: int = i, e: Tensor = values, q: Tensor = vectors) -> Tensor:
            return q @ torch.diag(phi(order, -h[i] * e)) @ q.T

        assert torch.allclose(low.phi1_pull(h, v)[i], function(1) @ j[i].T @ v[i], atol=1e-6)
        assert torch.allclose(low.phi2(h, x)[i], function(2) @ x[i], atol=1e-6)
        assert torch.allclose(pull(j, low.bend(push(j, x)))[i], whole @ x[i])


def test_a_jacobian_of_zeros_moves_nothing() -> None:
    low = LowRank(
        torch.zeros(2, 3, DIM, dtype=torch.float64), torch.eye(3).double().expand(2, 3, 3)
    )
    h, x = torch.ones(2, dtype=torch.float64), torch.ones(2, DIM, dtype=torch.float64)
    assert not low.eigenvalues.abs().gt(1e-12).any()
    assert torch.equal(low.phi1_pull(h, torch.ones(2, 3).double()), torch.zeros_like(x))
    assert torch.equal(low.phi2(h, x), x / 2)
    assert torch.equal(low.bend(torch.zeros(2, 3).double()), torch.zeros(2, 3, dtype=torch.float64))


def linear(z: Tensor) -> Outputs:
    """Three heads that are linear in the latent."""
    return {"a": 3 * z[:, 0] + z[:, 1], "b": z[:, 1] - 20 * z[:, 2], "s": z[:, 3:5]}


def curved(z: Tensor) -> Outputs:
    return {
        "a": torch.sin(z[:, 0]) + 0.5 * z[:, 1] ** 2,
        "b": z[:, 2] * torch.tanh(z[:, 3]),
        "s": torch.stack([z[:, 4] * z[:, 5], z[:, 6] + torch.cos(z[:, 7])], dim=1),
    }


GAUSSIAN = conjunction([NormalAt("a", 2.0, 0.05), NormalAt("b", -1.0, 0.2)])
LOGIC = conjunction(
    [
        disjunction([NormalAt("a", 1.5, 0.3), Surprisal("s", {1})]),
        negation(conjunction([Surprisal("s", {1}), NormalAbove("b", 0.5, 0.2)])),
        NormalAbove("b", -0.2, 0.2),
    ]
)
Z0 = prior(9, range(10), DIM).double()


def test_a_linear_gaussian_condition_is_solved_exactly_however_stiff() -> None:
    """Rates up to 4 000 and 10 000: a quadratic energy, whose flow is a matrix exponential."""
    energy = ConditionalEnergy(linear, GAUSSIAN)
    solution = exponential(energy, Z0, tolerance=1e-3)
    # The first step is short; then they grow eightfold, for the error of each is none.
    slopes = energy.value_and_grad(Z0)[1].square().mean(dim=1).sqrt()
    first = 0.1 * math.sqrt(1e-3) / slopes
    steps = torch.log(7.0 * HORIZON / first + 1.0) / math.log(8.0)
    assert torch.equal(solution.stats.nfe, steps.ceil().long() + 2)
    gradient = energy.value_and_grad(torch.zeros(1, DIM, dtype=torch.float64))[1][0]
    hessian = torch.stack(
        [energy.value_and_grad(row[None])[1][0] - gradient for row in torch.eye(DIM).double()]
    )
    values, vectors = torch.linalg.eigh(hessian)
    decay = torch.exp(-values.clamp_min(0) * 5.0249445)
    fixed = -torch.linalg.pinv(hessian, hermitian=True) @ gradient
    expected = (Z0 - fixed) @ vectors @ torch.diag(decay) @ vectors.T + fixed
    assert torch.allclose(solution.z, expected, atol=1e-6)


def test_a_direction_of_negative_curvature_grows_by_e_squared_in_a_step() -> None:
    """E = -a^2 / 2: a linear flow, exact in any step, whose numbers must not run away in one."""
    energy = ConditionalEnergy(linear, Contrast(NormalAt("a", 0.0, 1.0), 0.1))
    z0 = torch.zeros(2, DIM, dtype=torch.float64)
    z0[:, 0], z0[1, 1] = 1e-4, 1e-4
    solution = exponential(energy, z0, tolerance=1.0, time=9.5)
    # J J^T = 10 and the strength is a tenth: a grows as e^t, by e^2 in each of five steps.
    assert solution.stats.accepted.tolist() == [5, 5]
    assert solution.stats.rejected.tolist() == [0, 0]
    start, end = linear(z0)["a"], linear(solution.z)["a"]
    assert torch.allclose(end, start * math.exp(9.5), rtol=1e-6)


def tight(energy: ConditionalEnergy, time: float) -> Tensor:
    """The flow's end by torchdiffeq, all samples at once and three digits finer than needed."""

    def slope(t: Tensor, z: Tensor) -> Tensor:
        return -energy.value_and_grad(z)[1]

    t = torch.tensor([0.0, time], dtype=torch.float64)
    end: Tensor = odeint(slope, Z0, t, method="dopri5", rtol=1e-9, atol=1e-9)[-1]
    return end


@pytest.mark.parametrize("node", [LOGIC, GAUSSIAN], ids=["logic", "gaussian"])
def test_the_end_is_as_exact_as_it_is_asked_to_be(node: Node) -> None:
    energy = ConditionalEnergy(curved, node)
    expected = tight(energy, 0.3)
    errors = []
    for tolerance in (1e-2, 1e-3, 1e-4):
        solution = exponential(energy, Z0, tolerance=tolerance, time=0.3)
        assert set(solution.status) == {Status.converged}
        errors.append((solution.z - expected).square().mean(dim=1).sqrt().median().item())
    assert errors[0] < 3e-2
    assert errors[1] < 5e-3
    assert errors[2] < errors[0] / 10


def test_it_is_of_second_order() -> None:
    energy = ConditionalEnergy(
        curved, conjunction([NormalAt("a", 1.0, 1.0), NormalAt("b", 0.5, 1.0)])
    )
    expected = tight(energy, 1.0)
    errors, costs = [], []
    for tolerance in (1e-3, 1e-5):
        solution = exponential(energy, Z0, tolerance=tolerance, time=1.0, max_steps=100_000)
        errors.append((solution.z - expected).norm().item())
        costs.append(solution.stats.nfe.double().mean().item())
    order = math.log(errors[0] / errors[1]) / math.log(costs[1] / costs[0])
    assert order == pytest.approx(2.0, abs=0.35)


def test_it_takes_fewer_steps_than_heun_where_the_condition_is_stiff() -> None:
    energy = ConditionalEnergy(curved, GAUSSIAN)
    ours = exponential(energy, Z0, tolerance=1e-3, time=0.5)
    theirs = heun(energy, Z0, tolerance=1e-3, time=0.5, max_steps=100_000)
    assert ours.stats.nfe.double().mean() < theirs.stats.nfe.double().mean() / 10


def broken(z: Tensor) -> Outputs:
    heads = dict(linear(z))
    heads["a"] = torch.where(heads["a"] > 1.0, math.nan, heads["a"])
    return heads


def test_nan_from_a_head_is_survived_and_spares_the_rest() -> None:
    energy = ConditionalEnergy(broken, GAUSSIAN)
    z0 = Z0.clone()
    z0[:, :2] = 0.0
    z0[3, 0] = 1.0  # NaN at once
    solution = exponential(energy, z0, tolerance=1e-3)
    assert solution.status == (Status.non_finite,) * 10  # a = 2 lies behind the wall
    assert solution.z.isfinite().all()
    assert torch.equal(solution.z[3], z0[3])
    assert (linear(solution.z)["a"][[0, 1, 2, 4]] > 0.5).all()
    alone = exponential(energy, z0[4:5], tolerance=1e-3)
    assert torch.equal(alone.z[0], solution.z[4])


def test_a_jacobian_beyond_its_type_ends_its_sample_at_once() -> None:
    """Slopes are finite and squares of the Jacobian's rows are not: it cannot be a flow's."""

    def heads(z: Tensor) -> Outputs:
        scale = torch.where(z[:, 1] > 0.0, 1e20, 1.0)
        return {"a": scale * z[:, 0], "b": scale * z[:, 2]}

    node = disjunction([NormalAt("a", 0.0, 1e20), NormalAt("b", 2.0, 3.0)])
    z0 = Z0[:4].float()
    z0[:, 1] = torch.tensor([1.0, -1.0, 1.0, -1.0])
    solution = exponential(ConditionalEnergy(heads, node), z0)
    assert solution.status == (Status.non_finite, Status.converged) * 2
    assert (solution.stats.nfe[::2] <= 3).all()
    alone = exponential(ConditionalEnergy(heads, node), z0[1::2])
    assert torch.equal(solution.z[1::2], alone.z)


def test_limits_progress_and_no_samples() -> None:
    energy = ConditionalEnergy(curved, LOGIC)
    late = exponential(energy, Z0, tolerance=1e-5, max_steps=2)
    assert set(late.status) == {Status.max_steps}
    shares: list[float] = []
    exponential(energy, Z0, on_step=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert exponential(energy, Z0[:0]).status == ()


def test_a_condition_on_everything_moves_nothing() -> None:
    energy = ConditionalEnergy(linear, Surprisal("s", {0, 1}))
    assert torch.equal(exponential(energy, Z0).z, Z0)


def test_extreme_logits_are_survived() -> None:
    def steep(z: Tensor) -> Outputs:
        return {"s": 1e4 * z[:, :2], "a": 1e4 * z[:, 2]}

    node = conjunction(
        [Surprisal("s", {1}), NormalAbove("a", 0.0, 1.0), negation(NormalAt("a", 5.0, 1.0))]
    )
    solution = exponential(ConditionalEnergy(steep, node), Z0.float(), time=1e-4)
    assert solution.z.isfinite().all()
    assert (solution.energy <= node(steep(Z0.float())) + 1e-3).all()


def test_alone_in_seven_and_in_sixty_four_with_one_thread_or_two() -> None:
    node = conjunction(
        [
            disjunction([Surprisal("smile", {1}), NormalAt("age", 60.0, 5.0)]),
            negation(Surprisal("glasses", {1})),
            NormalAt("age", 45.0, 8.0),
        ]
    )
    energy = ConditionalEnergy(RealSize(), node)

    def run(indices: range) -> tuple[Tensor, tuple[Status, ...]]:
        solution = exponential(energy, prior(3, indices, 512), max_steps=12)
        return solution.z, solution.status

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole, statuses = run(range(64))
        assert set(statuses) == {Status.converged, Status.max_steps}
        for rows in (range(40, 47), range(0, 1), range(63, 64)):
            z, status = run(rows)
            assert torch.allclose(z, whole[rows.start : rows.stop], rtol=0, atol=1e-4)
            assert status == statuses[rows.start : rows.stop]
        torch.set_num_threads(2)
        assert torch.allclose(run(range(4))[0], whole[:4], rtol=0, atol=1e-4)
    finally:
        torch.set_num_threads(before)

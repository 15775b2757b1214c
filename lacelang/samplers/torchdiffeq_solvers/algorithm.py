"""The paper's flow in its own time t, by torchdiffeq's solvers: LACE-ODE and LACE-euler.

A solver that somebody else wrote keeps the control flow to itself: it calls the energy and waits.
In a greenlet of its own, every sample's solver steps as it would alone, and yet one batched
evaluation serves all that are waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from greenlet import getcurrent, greenlet
from torch import Tensor

from lacelang.samplers.driver import Driver
from lacelang.samplers.problem import Energy, OnStep, Target
from lacelang.samplers.schedule import T_END, beta
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams
from lacelang.system.threads import checkpoint

MAX_EVALUATIONS = 20_000

PAPER_TOLERANCE = 1e-3


def paper(
    energy: Energy, z0: Tensor, *, streams: Streams | None = None, on_step: OnStep | None = None
) -> Solution:
    """Integrate LACE eq. 7 just as published: one dopri5 for the whole batch, with the adjoint.

    With `ConditionalEnergy.separate` it is the paper's setting, to compare others with. No program
    can name it: the batch shares every step size, so a sample depends on its neighbours. Samples
    end together: one that is not finite stands still from there on.
    """
    run = Driver(energy, z0, on_step)
    if len(z0):
        slope = _WatchedSlope(energy, run, run.rows, MAX_EVALUATIONS)
        tolerances = {"atol": PAPER_TOLERANCE, "rtol": PAPER_TOLERANCE}
        _solve(slope, z0, True, method="dopri5", adjoint_params=(), **tolerances)
    run.tell(1.0)
    return run.result()


def adaptive(
    target: Target,
    z0: Tensor,
    *,
    method: str,
    atol: float,
    rtol: float,
    max_evaluations: int = MAX_EVALUATIONS,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Integrate dz/dt = beta(t)/2 grad E from t = 1 to 1e-3 by a solver that controls its steps.

    torchdiffeq makes one step size for all that a solver is given, so that a sample would depend
    on its neighbours; each sample therefore has a solver to itself, all evaluated in one batch.
    `dopri5` at 1e-3 is LACE-ODE (LACE A.2).
    """
    run = Driver(target.regularised, z0, on_step, target.args)

    def solve(row: int, its_energy: Energy) -> None:
        rows = run.rows[row : row + 1]
        slope = _WatchedSlope(its_energy, run, rows, max_evaluations)
        _solve(slope, z0[rows], method=method, atol=atol, rtol=rtol)

    in_one_batch(run.energy, len(z0), solve, on_step, target.args)
    return run.result()


def fixed(
    target: Target,
    z0: Tensor,
    *,
    method: str,
    step: float,
    max_evaluations: int = MAX_EVALUATIONS,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Integrate dz/dt = beta(t)/2 grad E from t = 1 to 1e-3 by steps of one size.

    `euler` is LACE-euler, with a step of 0.01 or 0.001 in the paper.
    """
    run = Driver(target.regularised, z0, on_step, target.args)
    slope = _Slope(run.energy, run, run.rows, max_evaluations, target.args)
    _solve(slope, z0, method=method, options={"step_size": step})
    run.tell(1.0)
    return run.result()


def _solve(slope: _Slope, z: Tensor, adjoint: bool = False, **options: Any) -> None:
    # Imported here: it brings scipy, 0.7 s that no other sampler should wait for.
    from torchdiffeq import odeint, odeint_adjoint

    state, rows = slope.state, slope.rows
    t = torch.tensor([1.0, T_END], dtype=z.dtype, device=z.device)
    try:
        end = (odeint_adjoint if adjoint else odeint)(slope, z, t, **options)[-1]
    except (_SpentError, AssertionError):  # the latter is torchdiffeq's word for a vanished step
        state.end(rows, slope.reached, Status.max_steps)
        return
    except _LostError:
        state.end(rows, z, Status.non_finite)
        return
    state.end(rows, end, Status.converged)
    state.end(rows[slope.lost], end[slope.lost], Status.non_finite)


class _SpentError(Exception):
    """The evaluations are used up."""


class _LostError(Exception):
    """No sample has a finite slope any more."""


class _Slope:
    """dz/dt of some samples, as torchdiffeq calls it; a sample whose slope is lost stands still."""

    def __init__(
        self,
        energy: Energy,
        state: Driver,
        rows: Tensor,
        budget: int,
        args: tuple[Tensor, ...] = (),
    ) -> None:
        self.energy = energy
        self.state = state
        self.rows = rows
        self.budget = budget
        self.args = args
        self.reached = state.z[rows]
        self.lost = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)

    def __call__(self, t: Tensor, z: Tensor) -> Tensor:
        if self.budget <= 0:
            raise _SpentError
        self.budget -= 1
        e, gradient = self.energy.value_and_grad(z, *self.args)
        self.lost |= ~self.state.saw(self.rows, z, e, gradient)
        if self.lost.all():
            raise _LostError
        return torch.where(self.lost[:, None], 0.0, 0.5 * beta(t) * gradient)


class _WatchedSlope(_Slope):
    """A slope that an adaptive solver tells about its steps."""

    def callback_step(self, t: Tensor, z: Tensor, dt: Tensor) -> None:
        self.reached = z

    def callback_accept_step(self, t: Tensor, z: Tensor, dt: Tensor) -> None:
        self.state.accepted[self.rows] += 1

    def callback_reject_step(self, t: Tensor, z: Tensor, dt: Tensor) -> None:
        self.state.rejected[self.rows] += 1


AT_ONCE = 64


class Client:
    """The energy as a solver sees it: it answers when all solvers have asked."""

    def __init__(self, server: greenlet) -> None:
        self._server = server

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        """Return the energy (1,)."""
        return self.value_and_grad(z)[0]

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energy (1,) of a latent (1, d) and its gradient (1, d)."""
        energy, gradient = self._server.switch(z)
        return energy, gradient


def in_one_batch(
    energy: Energy,
    count: int,
    solve: Callable[[int, Energy], None],
    on_step: OnStep | None,
    args: tuple[Tensor, ...] = (),
) -> None:
    """Run solve(i, its energy) for i in 0 .. count - 1, up to `AT_ONCE` of them side by side.

    `solve` must touch nothing of another sample's; `on_step` gets the share of the samples solved.

    Raises:
        Exception: whatever a solver, the energy or `on_step` raised first.
    """
    client, solved = Client(getcurrent()), 0
    for start in range(0, count, AT_ONCE):
        answers: dict[int, tuple[Any, Any]] = {
            i: (i, client) for i in range(start, min(start + AT_ONCE, count))
        }
        solvers = {i: greenlet(solve) for i in answers}
        while answers:
            checkpoint()
            asked: dict[int, Tensor] = {}
            for i, answer in answers.items():
                z = solvers[i].switch(*answer)
                if not solvers[i].dead:
                    asked[i] = z
                    continue
                solved += 1
                if on_step is not None:
                    on_step(solved / count)
            answers = _answers(energy, asked, args)


def _answers(
    energy: Energy, asked: dict[int, Tensor], args: tuple[Tensor, ...]
) -> dict[int, tuple[Any, Any]]:
    if not asked:
        return {}
    rows, z = list(asked), torch.cat(list(asked.values()))
    energies, gradients = energy.value_and_grad(z, *(each[rows] for each in args))
    return dict(
        zip(
            rows, zip(torch.split(energies, 1), torch.split(gradients, 1), strict=True), strict=True
        )
    )

"""The paper's flow in its own time t, by torchdiffeq's solvers: LACE-ODE and LACE-euler.

A solver of torchdiffeq keeps the control flow to itself: it calls the energy and waits. In a
greenlet of its own, every sample's solver steps as it would alone, and yet one batched evaluation
serves all that are waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import torch
from greenlet import getcurrent, greenlet
from torch import Tensor

from lacelang.samplers.driver import Driver
from lacelang.samplers.problem import Energy, OnStep, Target
from lacelang.samplers.schedule import BETA_MAX, BETA_MIN, T_END
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams
from lacelang.system.threads import checkpoint

MAX_EVALUATIONS = 20_000

Ask: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Latents (n, d) -> energies (n,) and gradients (n, d)."""


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
    run = Driver(target.regularised, z0, args=target.args)

    def solve_one(row: int, ask: Ask) -> None:
        slope = AdaptiveSlope(ask, run, run.rows[row : row + 1], max_evaluations)
        solve(slope, method=method, atol=atol, rtol=rtol)

    in_one_batch(run.energy, len(z0), solve_one, on_step, target.args)
    return run.result()


def fixed(
    target: Target,
    z0: Tensor,
    *,
    method: str,
    step: float,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Integrate dz/dt = beta(t)/2 grad E from t = 1 to 1e-3 by steps of one size.

    `euler` is LACE-euler, with a step of 0.01 or 0.001 in the paper.
    """
    run = Driver(target.regularised, z0, on_step, target.args)
    slope = Slope(lambda z: run.energy.value_and_grad(z, *target.args), run, run.rows)
    solve(slope, method=method, options={"step_size": step})
    run.tell(1.0)
    return run.result()


def solve(slope: Slope, odeint: Callable[..., Tensor] | None = None, **options: Any) -> None:
    """Integrate from where the samples of a slope are, and end them."""
    # Imported here: it brings scipy, 0.7 s that no other sampler should wait for.
    import torchdiffeq

    run, rows, z = slope.run, slope.rows, slope.reached
    t = torch.tensor([1.0, T_END], dtype=z.dtype, device=z.device)
    try:
        end = (odeint or torchdiffeq.odeint)(slope, z, t, **options)[-1]
    except (_SpentError, AssertionError):  # the latter is torchdiffeq's word for a vanished step
        run.end(rows, slope.reached, Status.max_steps)
        return
    except _LostError:
        run.end(rows, z, Status.non_finite)
        return
    run.end(rows, end, Status.converged)
    run.end(rows[slope.lost], end[slope.lost], Status.non_finite)


class _SpentError(Exception):
    """The evaluations are used up."""


class _LostError(Exception):
    """No sample has a finite slope any more."""


class Slope:
    """dz/dt of the samples at `rows` (n,) of a run, as torchdiffeq calls it.

    A sample stands still as soon as its slope is not finite.
    """

    def __init__(
        self, ask: Ask, run: Driver, rows: Tensor, max_evaluations: int = MAX_EVALUATIONS
    ) -> None:
        self.ask, self.run, self.rows = ask, run, rows
        self.left = max_evaluations
        self._step = 0
        self.reached = run.z[rows]
        self.lost = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)

    def __call__(self, t: Tensor, z: Tensor) -> Tensor:
        """Return dz/dt (n, d) at t."""
        if self.left <= 0:
            raise _SpentError
        self.left -= 1
        e, gradient = self.ask(z)
        self.lost |= ~self.run.saw(self.rows, z, e, gradient)
        self.run.note(e, self.rows, self._step)
        self._step += 1
        if self.lost.all():
            raise _LostError
        beta = BETA_MIN + (BETA_MAX - BETA_MIN) * t
        return torch.where(self.lost[:, None], 0.0, 0.5 * beta * gradient)


class AdaptiveSlope(Slope):
    """A slope that an adaptive solver tells about its steps."""

    def callback_step(self, t: Tensor, z: Tensor, dt: Tensor) -> None:
        """Note where the solver is."""
        self.reached = z

    def callback_accept_step(self, t: Tensor, z: Tensor, dt: Tensor) -> None:
        """Count a step."""
        self.run.accepted[self.rows] += 1

    def callback_reject_step(self, t: Tensor, z: Tensor, dt: Tensor) -> None:
        """Count a step that is tried again."""
        self.run.rejected[self.rows] += 1


AT_ONCE = 64


def in_one_batch(
    energy: Energy,
    count: int,
    solve: Callable[[int, Ask], None],
    on_step: OnStep | None,
    args: tuple[Tensor, ...] = (),
) -> None:
    """Run solve(i, ask) for i in 0 .. count - 1, up to `AT_ONCE` of them side by side.

    `ask` waits until all of them have asked, of one latent (1, d) each. `solve` must touch nothing
    of another sample's; `on_step` gets the share of the samples solved.

    Raises:
        Exception: whatever a solver, the energy or `on_step` raised first.
    """
    ask, solved = getcurrent().switch, 0
    for start in range(0, count, AT_ONCE):
        rows = range(start, min(start + AT_ONCE, count))
        solvers = {i: greenlet(partial(solve, i)) for i in rows}
        answers: dict[int, Any] = dict.fromkeys(rows, ask)
        while answers:
            checkpoint()
            asked: dict[int, Tensor] = {}
            for i, answer in answers.items():
                z = solvers[i].switch(answer)
                if not solvers[i].dead:
                    asked[i] = z
                    continue
                solved += 1
                if on_step is not None:
                    on_step(solved / count)
            answers = _answers(energy, asked, args) if asked else {}


def _answers(energy: Energy, asked: dict[int, Tensor], args: tuple[Tensor, ...]) -> dict[int, Any]:
    rows, z = list(asked), torch.cat(list(asked.values()))
    energies, gradients = energy.value_and_grad(z, *(each[rows] for each in args))
    answers = zip(torch.split(energies, 1), torch.split(gradients, 1), strict=True)
    return dict(zip(rows, answers, strict=True))

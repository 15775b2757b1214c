"""Adaptive exponential steps along the energy's gradient flow: stiff conditions in few steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

import torch
from attrs import define, fields
from torch import Tensor

from lacelang.rows import in_blocks
from lacelang.samplers.blocks import Blocks, vjp_in_blocks
from lacelang.samplers.flow import rms
from lacelang.samplers.heun.algorithm import FIRST_MOVE, RETRIES, SAFETY, SHRINKAGE
from lacelang.samplers.phi import LowRank, pull
from lacelang.samplers.problem import Energy, OnStep, Target
from lacelang.samplers.secant import follow
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.state import SamplerState
from lacelang.samplers.streams import Streams

GROWTH = 8.0
STEEPEST = 2.0
"""How far a direction of negative curvature may grow in a step: by e^2."""


class Coordinates(Protocol):
    """An energy as a function of k coordinates of the latent."""

    def linearise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return coordinates (N, k) and their Jacobian (N, k, d) at z (N, d)."""
        ...

    def vjp(self, z: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return coordinates (N, k) at z (N, d) and v (N, k) -> J^T v (N, d)."""
        ...

    def slope(self, o: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energy (N,) of coordinates (N, k) and its gradient (N, k)."""
        ...

    def expand(self, o: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradient (N, k) and the Hessian (N, k, k) at coordinates (N, k)."""
        ...


class Reducible(Energy, Protocol):
    """An energy that reads few coordinates of the latent."""

    def reduced(self, z: Tensor) -> Coordinates:
        """Return those coordinates, given some latents (n, d)."""
        ...


def exponential(
    target: Target,
    z0: Tensor,
    *,
    tolerance: float,
    time: float,
    max_steps: int,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Follow dz/dtau = f(z) = -grad E by exponential Heun steps (ETD2RK; Cox and Matthews 2002).

    The energy reads k numbers o(z) with Jacobian J, so f = -J^T v with v the slope of the reduced
    energy, and H = J^T A J, with A its Hessian, is the flow's stiff part (Gauss-Newton). A step is

        p = z + h phi_1(-h H) f,    D = f(p) - (f(z) - H (p - z)),    z <- p + h phi_2(-h H) D

    where the correction is also the estimate of the error. Functions of H need k x k matrices
    only (`LowRank`). J is evaluated once, at the start, and from there on follows what the slopes
    at the predictions say of it (`follow`); a step is of second order whatever J is, and costs one
    pass of the network and one backward, however many the coordinates. As in `heun`, the slope at
    p serves the next step too, and a step that is too long is cut rather than rejected.

    The exact flow of a linear-Gaussian condition is a single such step, however stiff it is.

    Args:
        target: what to sample.
        z0: prior draws (N, d).
        tolerance: error allowed per step, RMS over the coordinates of z.
        time: length of the flow in tau; the default is the paper's.
        max_steps: of a sample, before it ends as `max_steps`.
        streams: ignored, nothing is random.
        on_step: called with the mean share of the way.

    Returns:
        Samples, with `rejected` counting steps that were cut or tried again shorter.
    """
    # The regularised energy of a condition; no other sampler asks for its coordinates.
    energy = cast("Reducible", target.regularised)
    state = SamplerState(z0)
    if not len(z0):
        return state.solution(Blocks(energy))
    reduced = energy.reduced(z0[:1])
    rows = torch.arange(len(z0), device=z0.device)
    o, jacobian = _linearise(reduced, z0)
    e, v = in_blocks(reduced.slope, o)
    slope = -pull(jacobian, v)
    finite = state.saw(rows, z0, e, slope)
    state.end(rows[~finite], z0[~finite], Status.non_finite)
    h = FIRST_MOVE * tolerance**0.5 / rms(slope).double().clamp_min(1e-30)
    left = torch.full_like(h, time)
    none = torch.zeros_like(rows)
    s = _State(rows, z0.clone(), o, jacobian, h, left, none, none.clone()).only(finite)

    while len(s.rows):
        v, curvature = in_blocks(reduced.expand, s.o)
        flow = LowRank(s.jacobian, curvature)
        h = torch.minimum(s.h, STEEPEST / (-flow.eigenvalues[:, 0]).clamp_min(1e-30))
        h = torch.minimum(h, s.left)
        move = -_scale(h, flow.phi1_pull(h, v))
        p = s.z + move

        o, back = vjp_in_blocks(reduced.vjp, p)
        o = o.double()
        e, v_p = in_blocks(reduced.slope, o)
        slope = -back(v_p)
        finite = state.saw(s.rows, p, e, slope)
        linear = -flow.pull(v + flow.bend(move))
        defect = _where(finite, slope - linear)
        excess = rms(_scale(h, flow.phi2(h, defect))).double() / tolerance

        whole = finite & (excess <= 1.0)
        theta = torch.where(whole, 1.0, excess.clamp_min(1.0).rsqrt() * finite)
        step = theta * h
        moved = -_scale(step, flow.phi1_pull(step, v))
        correction = _scale(theta * step, flow.phi2(step, defect))
        s.z = s.z + moved + correction
        # A step that was cut ends between z and p: so do its coordinates and their Jacobian.
        share = (rms(moved) / rms(move).clamp_min(1e-30)).clamp_max(1.0) * finite
        residual = _where(finite, o - s.o - flow.push(move))
        s.o = s.o + flow.push(moved) + _scale(share.double() ** 2, residual)
        secant = v_p, _where(finite, -slope)
        s.jacobian = follow(s.jacobian, move, residual, *secant, share)
        s.o = s.o + LowRank.product(s.jacobian, correction)

        s.left = s.left - step
        factor = (SAFETY * excess.clamp_min(1e-12).rsqrt()).clamp(SHRINKAGE, GROWTH)
        s.h = h * torch.where(finite, factor, 0.25)
        s.steps, s.failures = s.steps + 1, s.failures + ~finite
        state.accepted[s.rows] += whole
        state.rejected[s.rows] += ~whole

        arrived = s.left <= 0.0
        # Its Gram matrix must be finite, or it would take the whole batch's eigenvalues with it.
        sound = s.jacobian.square().sum(dim=(1, 2)).isfinite()
        stuck = ~arrived & ((s.failures > RETRIES) | ~sound)
        late = (s.steps >= max_steps) & ~arrived & ~stuck
        state.end(s.rows[arrived], s.z[arrived], Status.converged)
        state.end(s.rows[stuck], s.z[stuck], Status.non_finite)
        state.end(s.rows[late], s.z[late], Status.max_steps)
        s = s.only(~(arrived | stuck | late))
        if on_step is not None:
            on_step(1.0 - float(s.left.sum()) / (time * len(z0)))
    return state.solution(Blocks(energy))


@define(eq=False)
class _State:
    """The samples still under way: everything by row."""

    rows: Tensor
    z: Tensor
    o: Tensor
    jacobian: Tensor
    h: Tensor
    left: Tensor
    steps: Tensor
    failures: Tensor

    def only(self, kept: Tensor) -> _State:
        if bool(kept.all()):
            return self
        return _State(*(getattr(self, field.name)[kept] for field in fields(_State)))


def _linearise(reduced: Coordinates, z: Tensor) -> tuple[Tensor, Tensor]:
    # Small quantities are float64, whose rounding no batch size brings to float32's surface.
    o, jacobian = in_blocks(reduced.linearise, z)
    return o.double(), jacobian


def _scale(factor: Tensor, x: Tensor) -> Tensor:
    return factor.to(x)[:, None] * x


def _where(kept: Tensor, x: Tensor) -> Tensor:
    """The rows of x that are kept, and zeros for the others, NaN included."""
    return torch.where(kept.view(-1, *(1,) * (x.ndim - 1)), x, 0.0)

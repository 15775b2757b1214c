"""Adaptive exponential steps along the energy's gradient flow: few of them, however stiff."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from lacelang.energy import ConditionalEnergy
from lacelang.energy.reduced import Pull, Reduced
from lacelang.rows import MOST_SMALL, blocks_of, filled, in_blocks
from lacelang.samplers.driver import Driver, Pace, only, rms
from lacelang.samplers.phi import LowRank, pull, push
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams

GROWTH = 8.0
STEEPEST = 2.0
"""How far a direction of negative curvature may grow in a step: by e^2."""


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
    only (`LowRank`). J is evaluated once, at the start, and then updated from the slopes at the
    predictions (`follow`). A step is of second order whatever J is, and costs one pass of the
    network and one backward, however many the coordinates. As in `heun`, the slope at p serves the
    next step too, and a step that is too long is cut rather than rejected.

    The exact flow of a linear-Gaussian condition is a single such step, however stiff it is.

    Args:
        target: its regularised energy is a `ConditionalEnergy`, which knows what it reads.

    Returns:
        Samples, with `rejected` counting steps that were cut or tried again shorter.
    """
    energy = cast(ConditionalEnergy, target.regularised)
    run = Driver(energy, z0, on_step, target.args)
    if not len(z0):
        return run.result()
    reduced = energy.reduced(*(rows[:1] for rows in (z0, *run.args)))
    o, jacobian = in_blocks(reduced.linearise, z0, *run.args)
    # Small quantities are float64, whose rounding no batch size brings to float32's surface.
    o = o.double()
    e, v = in_blocks(reduced.slope, o, most=MOST_SMALL)
    slope = -pull(jacobian, v)
    lost = ~run.saw(run.rows, z0, e, slope)
    run.note(e)
    z, o, jacobian, slope = only(run.drop(lost, z0, Status.non_finite), z0, o, jacobian, slope)
    pace = Pace(run, rms(slope).double(), tolerance, time, max_steps, GROWTH)
    while len(run.rows):
        v, curvature = in_blocks(reduced.expand, o, most=MOST_SMALL)
        flow = LowRank(jacobian, curvature)
        h = torch.minimum(pace.h, STEEPEST / (-flow.eigenvalues[:, 0]).clamp_min(1e-30))
        move = -_scale(h, flow.phi1_pull(h, v))
        change = push(jacobian, move)
        p = z + move

        o_p, back = _vjp_in_blocks(reduced, p, *run.args)
        e, v_p = in_blocks(reduced.slope, o_p, most=MOST_SMALL)
        slope = -back(v_p)
        finite = run.saw(run.rows, p, e, slope)
        linear = -pull(jacobian, v + flow.bend(change))
        defect = _where(finite, slope - linear)
        correction = _scale(h, flow.phi2(h, defect))
        theta = pace.cut(h, rms(correction).double(), finite)
        run.note(e)

        residual = _where(finite, o_p - o - change)
        moved = move
        cut = (theta < 1.0).nonzero()[:, 0]
        if len(cut):
            part, step = flow.only(cut), (theta * h)[cut]
            moved = move.index_copy(0, cut, -_scale(step, part.phi1_pull(step, v[cut])))
            shorter = _scale(theta[cut] * step, part.phi2(step, defect[cut]))
            correction = correction.index_copy(0, cut, shorter)
            change = change.index_copy(0, cut, push(jacobian[cut], moved[cut]))
        z = z + moved + correction
        # A step that was cut ends between z and p: so do its coordinates and their Jacobian.
        share = (rms(moved) / rms(move).clamp_min(1e-30)).clamp_max(1.0) * finite
        o = o + change + _scale(share.double() ** 2, residual)
        jacobian = follow(jacobian, move, residual, v_p, _where(finite, -slope), share)
        o = o + push(jacobian, correction)

        # Its Gram matrix must be finite, or it would take the whole batch's eigenvalues with it.
        sound = torch.linalg.vector_norm(jacobian, dim=(1, 2)).isfinite()
        z, o, jacobian = only(pace.settle(z, ~sound), z, o, jacobian)
    return run.result()


def _vjp_in_blocks(reduced: Reduced, *rows: Tensor) -> tuple[Tensor, Pull]:
    """Coordinates (N, k), float64, and how slopes by them pull back (`Reduced.vjp`)."""
    blocks = [(*reduced.vjp(*block), count) for block, count in blocks_of(*rows)]

    def pulled(v: Tensor) -> Tensor:
        parts = zip(blocks, torch.split(v, [count for *_, count in blocks]), strict=True)
        return torch.cat([back(filled(part, len(o)))[:n] for (o, back, n), part in parts])

    return torch.cat([o[:count] for o, _, count in blocks]).double(), pulled


def _scale(factor: Tensor, x: Tensor) -> Tensor:
    return factor.to(x)[:, None] * x


def _where(kept: Tensor, x: Tensor) -> Tensor:
    """The rows of x that are kept, and zeros for the others, NaN included."""
    return torch.where(kept.view(-1, *(1,) * (x.ndim - 1)), x, 0.0)


LEAST = 1e-30


def follow(
    jacobian: Tensor, move: Tensor, residual: Tensor, v: Tensor, gradient: Tensor, share: Tensor
) -> Tensor:
    """Return the Jacobian that agrees with a new evaluation and is otherwise as it was.

    Two updates of rank one, after Griewank and Walther (2002, "On constrained optimization by
    adjoint based quasi-Newton methods"). The first is Broyden's: J move is the change of the
    coordinates. The second is its adjoint, J^T v = gradient, and changes each row in proportion to
    its own squared length, for the coordinates have different units.

    The first changes no row by more than its length. After a step that was cut the coordinates are
    interpolated. Their error says nothing of the Jacobian, and divided by a short move it would
    make it far too steep, and the next move shorter still.

    Args:
        jacobian: J (N, k, d) before.
        move: (N, d), from where J was known to the evaluation.
        residual: (N, k), the coordinates' change in that move, less J move.
        v: (N, k), slopes at the evaluation.
        gradient: J^T v (N, d) as evaluated there.
        share: (N,), how much of both updates to make; where it is 0, the evaluation may be NaN.
    """
    v = torch.where(share[:, None] > 0.0, v, 0.0)
    squares = torch.linalg.vector_norm(jacobian, dim=2).square()
    distance = move.double().square().sum(dim=1, keepdim=True)
    most = squares.double().sqrt() * distance.sqrt()
    along = residual.clamp(-most, most) / distance.clamp_min(LEAST)
    weighted = v * squares
    across = weighted / (weighted * v).sum(dim=1, keepdim=True).clamp_min(LEAST)
    missing = gradient - pull(jacobian, v) - (along * v).sum(dim=1, keepdim=True).to(move) * move
    left = torch.stack([along, across], dim=2) * share[:, None, None]
    left = left.to(jacobian)[..., None]
    # Number by number: a batched product of k rows rounds by where in memory a matrix begins.
    return jacobian.addcmul(left[:, :, 0], move[:, None]).addcmul_(left[:, :, 1], missing[:, None])

"""Leapfrog steps for e^-E times the prior N(0, I): kicks by E between rotations by the prior."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lacelang.samplers.problem import Point

Evaluate = Callable[[Tensor], Point]
"""Evaluate latents (n, d)."""


def quarter_turn(steps: int) -> float:
    """The step size of which `steps` make a rotation by 90 degrees.

    Where E is flat, that trajectory ends in a fresh draw from the prior; a longer one turns back.
    """
    return 2.0 * math.tan(math.pi / (4 * steps))


def leapfrog(
    evaluate: Evaluate,
    at: Point,
    velocity: Tensor,
    h: Tensor,
    steps: int = 1,
    inverse_temperature: float = 1.0,
) -> tuple[Point, Tensor, Tensor]:
    """Move along the dynamics of H(z, v) = inverse_temperature E(z) + ||z||^2 / 2 + ||v||^2 / 2.

    Each step is half a kick, a rotation, half a kick:

        v <- v - h/2 inverse_temperature grad E(z)
        z, v <- c z + s v, c v - s z,    c = (1 - h^2/4) / (1 + h^2/4),  s = h / (1 + h^2/4)
        v <- v - h/2 inverse_temperature grad E(z)

    The rotation is the Crank-Nicolson step of the prior's own dynamics and keeps H's last two terms
    as they are, so that the error, and with it the step size, does not depend on the dimension
    but on the curvature of E (Beskos et al. 2011; Cotter et al. 2013). Every part is reversible and
    keeps volume.

    Step sizes h are (n,), velocities (n, d). Returns the end points, their velocities, and by how
    much H rose (n,): +inf where a number was not finite.
    """
    h = h.to(at.z)[:, None]
    quarter = 0.25 * h * h
    cos, sin = (1.0 - quarter) / (1.0 + quarter), h / (1.0 + quarter)
    half = 0.5 * inverse_temperature * h
    start = at.energy
    kinetic = at.z.new_zeros(len(at.z))
    for _ in range(steps):
        velocity, rise = _kick(velocity, half * at.gradient)
        kinetic = kinetic + rise
        z, velocity = cos * at.z + sin * velocity, cos * velocity - sin * at.z
        at = evaluate(z)
        velocity, rise = _kick(velocity, half * at.gradient)
        kinetic = kinetic + rise
    total = inverse_temperature * (at.energy - start) + kinetic
    return at, velocity, torch.where(total.isfinite(), total, math.inf)


def _kick(velocity: Tensor, push: Tensor) -> tuple[Tensor, Tensor]:
    """Return velocity - push, and how ||velocity||^2 / 2 changes, free of cancellation."""
    return velocity - push, (push * (0.5 * push - velocity)).sum(dim=1)

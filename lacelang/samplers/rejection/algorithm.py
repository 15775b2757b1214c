"""Rejection from the prior: independent, exact samples of what is not too rare."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lacelang.errors import UsageError
from lacelang.samplers.driver import MANY_ROWS, Driver
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams, owned

ROUNDING = 1e-3
"""How far below zero an energy may be rounded, in nats."""


def rejection(
    target: Target,
    z0: Tensor,
    *,
    max_tries: int,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Draw from the prior until a draw is accepted, with probability e^-E (LACE A.1, Lemma 1).

    Accepted draws have the density e^-E N(0, I) / Z, exactly, and Z is their share. The first draw
    of a sample is its start, the others come one after another from its own stream, however many
    are evaluated at once. The condition's energy must be at least 0 everywhere.

    Returns:
        Samples, with `nfe` and `rejected` counting a sample's draws up to the accepted one.

    Raises:
        UsageError: there are no streams, or an energy is below 0 and e^-E no probability.
    """
    streams = owned(streams, len(z0), "rejection")
    run = Driver(target.condition, z0, on_step, target.args)
    tried = 0
    while len(run.rows) and tried < max_tries:
        rows = run.rows
        ahead = 1 if tried == 0 else min(max(MANY_ROWS // len(rows), 1), max_tries - tried)
        places = rows.repeat_interleave(ahead)
        owners = places.tolist()
        z = z0 if tried == 0 else streams.normal(owners, z0[places])
        of_each = (each.repeat_interleave(ahead, dim=0) for each in run.args)
        e = run.energy(z, *of_each).view(-1, ahead)
        if bool((e < -ROUNDING).any()):
            raise UsageError(
                "rejection needs energies of at least 0, and this condition's go below; "
                "sample it with smc, hmc or mala"
            )
        accepted = streams.exponential(owners).to(e).view(-1, ahead) >= e
        found = accepted.any(dim=1)
        # argmax is the first of several: draws after an accepted one do not count.
        tries = torch.where(found, accepted.int().argmax(dim=1) + 1, ahead)
        needed = torch.arange(ahead, device=z.device) < tries[:, None]
        best = torch.where(needed & e.isfinite(), e, math.inf).argmin(dim=1)
        chosen = torch.where(found, tries - 1, best)

        z = z.view(len(rows), ahead, -1)
        each = torch.arange(len(rows), device=z.device)
        run.saw(rows, z[each, best], e[each, best])
        run.nfe[rows] += tries - 1
        run.accepted[rows] += found
        run.rejected[rows] += tries - found.long()
        run.drop(found, z[each, chosen], Status.converged)
        tried += ahead
        run.tell(1.0 - len(run.rows) * (1.0 - tried / max_tries) / len(z0))
    return run.finish(z0[run.rows], Status.max_tries)

"""The Metropolis-adjusted Langevin algorithm, semi-implicit in the prior."""

from __future__ import annotations

from torch import Tensor

from lacelang.samplers.chain import walk
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution
from lacelang.samplers.streams import Streams, owned


def mala(
    target: Target,
    z0: Tensor,
    *,
    steps: int,
    warmup: int,
    accept: float,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Propose a Langevin step, and accept it so that e^-E times the prior stays as it is.

    With the Langevin step delta = h^2 / 2 (as in `langevin`), a step proposes

        z' = ((2 - delta) z - 2 delta grad E(z) + sqrt(8 delta) eps) / (2 + delta)

    which takes the prior's drift at the middle of the step (pCNL of Cotter et al. 2013, sec. 4).
    Where E is flat every proposal is accepted, in any dimension. It is one leapfrog step of `hmc`,
    whose rise of H is -log of the Metropolis-Hastings ratio (Neal 2011, section 5.2).

    Args:
        target: what to sample.
        z0: prior draws (N, d).
        steps: after the warm-up.
        warmup: steps in which each sample's step size is adapted.
        accept: the acceptance rate it is adapted to.
        streams: the samples' noise.
        on_step: called with the share of the steps taken.

    Returns:
        The last states of the chains; see `walk`.

    Raises:
        UsageError: there are no streams.
    """
    return walk(
        target.condition,
        z0,
        leapfrogs=1,
        steps=steps,
        warmup=warmup,
        accept=accept,
        streams=owned(streams, len(z0), "mala"),
        on_step=on_step,
    )

"""The flow to the condition in a few steps, and then a chain."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from torch import Tensor

from lacelang.samplers.chain import walk
from lacelang.samplers.exponential.algorithm import exponential
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams


def hybrid(
    target: Target,
    z0: Tensor,
    *,
    tolerance: float,
    time: float,
    max_steps: int,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
    **chain: Any,
) -> Solution:
    """Follow the flow (`exponential`), then take `mala` steps from where it ends.

    The flow alone stops where the condition is met rather than where samples of it lie. Every step
    of the chain brings the sample nearer to e^-E times the prior, and a chain that starts at the
    flow's end needs little warm-up. The flow descends the regularised energy; the chain samples the
    condition with the prior, and needs no regulariser.

    `tolerance`, `time` and `max_steps` are of the flow, the others options of `mala`.

    Returns:
        The last states of the chains, with the cost of both. The chain starts from a flow that used
        up its steps too, but not from one that met no finite energy.
    """

    def half(done: float) -> OnStep | None:
        return None if on_step is None else lambda share: on_step(done + 0.5 * share)

    flow = exponential(
        target, z0, tolerance=tolerance, time=time, max_steps=max_steps, on_step=half(0.0)
    )
    walked = walk(target, flow.z, **chain, leapfrog=1, streams=streams, on_step=half(0.5))
    status = tuple(
        before if before is Status.non_finite else after
        for before, after in zip(flow.status, walked.status, strict=True)
    )
    before = flow.stats
    trace = flow.trace.then(walked.trace, before.nfe, before.accepted, before.rejected)
    return evolve(walked, status=status, stats=before + walked.stats, trace=trace)

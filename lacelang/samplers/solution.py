"""What a sampler returns: latents, and for each how it ended and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import torch
from attrs import field, frozen
from torch import Tensor

from lacelang.samplers.trace import Trace


class Status(IntEnum):
    """How one sample ended: a sentence, and a remedy, empty where nothing is wrong."""

    sentence: str
    remedy: str

    def __new__(cls, code: int, sentence: str = "", remedy: str = "") -> Status:
        """Make a member of its code and its words."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.sentence, member.remedy = sentence, remedy
        return member

    converged = 0, "The sampler went its whole way."
    max_steps = (
        1,
        "The sampler spent all its steps before the end of the way; the sample is where it got to.",
        "Allow more steps (`max_steps`), a larger tolerance, or a higher temperature.",
    )
    non_finite = (
        2,
        "The energy or its gradient was not a finite number; the sample is kept at the best "
        "point seen before.",
        "Try another seed; if many samples fail, look for a classifier that returns NaN, "
        "a very small temperature or a very large weight.",
    )
    max_tries = (
        3,
        "No draw from the prior was accepted; the sample is the best of those that were tried.",
        "The condition is rare: allow more tries (`max_tries`), or sample it with `smc`.",
    )
    stuck = (
        4,
        "The chain accepted nothing after its warm-up; the sample is where it stood.",
        "Allow a longer warm-up (`warmup`), or sample the condition with `smc`.",
    )
    unverified = (
        5,
        "The annotators agreed with no candidate; the sample is the one that shows most of the "
        "condition.",
        "Allow more candidates (`verified(32)`), or ask for less.",
    )
    failed = (
        6,
        "An error ended it, which its record has; there is no sample. Only data sets go on after "
        "such an error.",
        "Mend what the error names; the other samples are not touched by it.",
    )


@frozen(eq=False)
class Stats:
    """What each sample cost; int64 (N,) each.

    Attributes:
        nfe: evaluations of the energy, most of them with its gradient.
        accepted: steps taken as proposed.
        rejected: steps that had to be cut short or tried again.
    """

    nfe: Tensor
    accepted: Tensor
    rejected: Tensor

    def __add__(self, more: Stats) -> Stats:
        """Return the cost of both."""
        return Stats(
            self.nfe + more.nfe, self.accepted + more.accepted, self.rejected + more.rejected
        )


@frozen(eq=False)
class Solution:
    """The end of a sampler's run.

    Attributes:
        z: latents (N, d), finite if the starts were.
        energy: conditional energy (N,) at z in nats, prior excluded; NaN where it never was finite.
        status: one for each sample.
        stats: what it cost.
        extra: what else a sampler found out about each sample, by name, (N,) each.
        trace: a few points of each sample's way; none of a sampler that notes nothing.
    """

    z: Tensor
    energy: Tensor
    status: tuple[Status, ...]
    stats: Stats
    extra: Mapping[str, Tensor] = field(factory=dict)
    trace: Trace = field(factory=Trace.none)


def unmoved(z0: Tensor) -> Solution:
    """Return prior draws (N, d) as the solution of no condition at all."""
    count = len(z0)
    stats = Stats(*torch.zeros(3, count, dtype=torch.int64))
    return Solution(z0, z0.new_zeros(count), (Status.converged,) * count, stats)

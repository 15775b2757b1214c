"""Runs, samples and latents for the tests of what a run leaves behind."""

from __future__ import annotations

import numpy as np

from lacelang.storage.latents import Latents
from lacelang.storage.records import GroupRecord, ProgramRecord, RunRecord, SampleRecord


def make_run(
    *groups: GroupRecord, program: str = "p.lace", source: str = "sample from ffhq"
) -> RunRecord:
    return RunRecord(ProgramRecord(program, source), {"lacelang": "0"}, tuple(groups))


def make_samples(first: int, count: int, status: str = "converged") -> list[SampleRecord]:
    return [
        SampleRecord(i, 0.25 * i, status, 20 + i, {"glasses=1": 0.99, "age=15": 14.2})
        for i in range(first, first + count)
    ]


def make_latents(count: int, start: float = 0.0) -> Latents:
    rows = np.arange(count * 8, dtype=np.float32).reshape(count, 8) + np.float32(start)
    return Latents(z=rows, w=rows / 2)

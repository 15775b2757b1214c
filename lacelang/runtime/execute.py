"""A run from beginning to end: weights, latents, and, where a folder is given, faces and files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve

from lacelang.output.latents import Latents
from lacelang.output.progress import Progress
from lacelang.output.records import GroupRecord
from lacelang.runtime.plan import Options, Plan, plan
from lacelang.runtime.result import Group, Run

if TYPE_CHECKING:
    from lacelang.program import Program


def execute(program: Program, options: Options, progress: Progress) -> Run:
    """Run `program`; see `Program.run`."""
    started = time.perf_counter()
    planned = plan(program, options, progress)
    if options.out is None:
        return _in_memory(planned, progress, started, options.kept)
    from lacelang.runtime.saving import run_into

    return run_into(options.out, program, planned, options.metadata, progress, started)


def _in_memory(
    planned: Plan, progress: Progress, started: float, kept: Mapping[str, Group] | None = None
) -> Run:
    groups: dict[str, Group] = {}
    made: dict[str, Latents] = {}
    tasks = []
    for task in planned.chosen:
        before = (kept or {}).get(task.record.name)
        if before is not None and _same(before.record, task.record):
            groups[before.name] = before
            made[before.name] = Latents(before.latents.numpy(), before.w.numpy())
        else:
            tasks.append(task)
    with progress.stage("sampling", sum(task.record.count for task in tasks)) as stage:
        for task in tasks:
            name = task.record.name
            drawn = list(task.draw(0, made.__getitem__, stage))
            made[name] = Latents.joined([batch.latents for batch in drawn])
            samples = tuple(record for batch in drawn for record in batch.records)
            seconds = sum(batch.seconds for batch in drawn)
            record = evolve(task.record, samples=samples)
            groups[name] = Group(record, made[name], seconds, task.model.decode, None)
    return Run(groups, None, time.perf_counter() - started)


def _same(before: GroupRecord, wanted: GroupRecord) -> bool:
    """Whether a group that was made is the one that is wanted."""
    return (before.fingerprint, before.count) == (wanted.fingerprint, wanted.count)

"""A run from beginning to end: weights, latents, and, where a folder is given, faces and files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

import numpy as np
from attrs import evolve

from lacelang.engine.expectations import AnnotatorPool, judge, judged_attributes
from lacelang.engine.plan import Options, Plan, plan
from lacelang.engine.result import Group, Run
from lacelang.ir import CheckedProgram
from lacelang.progress import Progress
from lacelang.storage.latents import Latents
from lacelang.storage.records import GroupRecord
from lacelang.storage.shards import Shards


def execute(program: CheckedProgram, options: Options, progress: Progress) -> Run:
    """Run a program; see `Program.run` of `lacelang.api`."""
    started = time.perf_counter()
    planned = plan(program, options, progress)
    for expected in planned.expectations:
        if expected not in planned.due:
            text = " ".join(expected.text.split())
            progress.note(f"expect {text}: skipped, {expected.group} is not made")
    if options.out is None:
        return _in_memory(planned, progress, started, options.kept)
    from lacelang.engine.saving import run_into

    return run_into(options, program, planned, progress, started)


def _in_memory(
    planned: Plan, progress: Progress, started: float, kept: Mapping[str, Group] | None = None
) -> Run:
    eyes = _eyes(planned, kept or {}, progress)
    measures = {task.name: task.run(progress) for task in planned.to_measure}
    groups: dict[str, Group] = {}
    made: dict[str, Latents | Shards] = {}
    tasks = []
    for task in planned.chosen:
        before = (kept or {}).get(task.record.name)
        if before is not None and _same(before.record, task.record):
            groups[before.name] = before
            made[before.name] = before.rows
        else:
            tasks.append(task)
    with progress.stage("sampling", sum(task.record.count for task in tasks)) as stage:
        for task in tasks:
            name = task.record.name
            drawn = list(task.draw(0, made.__getitem__, stage))
            latents = Latents.joined([batch.latents for batch in drawn])
            made[name] = latents
            samples = tuple(record for batch in drawn for record in batch.records)
            seconds = sum(batch.seconds for batch in drawn)
            record = evolve(task.record, samples=samples)
            decode = task.model.decode
            groups[name] = Group(record, latents, seconds, decode, None, task.frames)
    if eyes is not None:
        _see(planned, groups, eyes, progress)
    return Run(
        {task.record.name: groups[task.record.name] for task in planned.chosen},
        None,
        time.perf_counter() - started,
        measures,
        tuple(judge(expected, groups[expected.group].record.samples) for expected in planned.due),
    )


def _same(before: GroupRecord, wanted: GroupRecord) -> bool:
    """Whether a group that was made is the one that is wanted."""
    return (before.fingerprint, before.count) == (wanted.fingerprint, wanted.count)


def _eyes(planned: Plan, kept: Mapping[str, Group], progress: Progress) -> AnnotatorPool | None:
    """Annotators, loaded before anything is made, if there will be faces that nobody has seen."""
    records = {task.record.name: task.record for task in planned.chosen}
    for expected in planned.due:
        before = kept.get(expected.group)
        if before is None or not (
            _same(before.record, records[expected.group]) and before.record.is_seen
        ):
            return AnnotatorPool(judged_attributes(planned.due), progress)
    return None


def _see(
    planned: Plan, groups: Mapping[str, Group], eyes: AnnotatorPool, progress: Progress
) -> None:
    """Look at every face of the groups of which something is expected."""
    names = dict.fromkeys(expected.group for expected in planned.due)
    unseen = [groups[name] for name in names if not groups[name].record.is_seen]
    with progress.stage("judging", sum(map(len, unseen))) as stage:
        for group in unseen:
            looks = (partial(np.asarray, face) for face in group.each_image())
            pairs = zip(group.record.samples, eyes.see(looks, stage), strict=True)
            samples = tuple(evolve(sample, seen=seen) for sample, seen in pairs)
            group.record = evolve(group.record, samples=samples)

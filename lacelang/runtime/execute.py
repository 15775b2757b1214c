"""A run from beginning to end: weights, latents, and, where a folder is given, faces and files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from lacelang.compiler import spread_of
from lacelang.output.files import folder_name
from lacelang.output.latents import Latents
from lacelang.output.progress import Progress
from lacelang.output.records import GroupRecord
from lacelang.runtime.atoms import atoms_of
from lacelang.runtime.identity import condition_text, fingerprint, settings_of
from lacelang.runtime.loading import load
from lacelang.runtime.result import Group, Run
from lacelang.runtime.sampling import Task, draw_group

if TYPE_CHECKING:
    from lacelang.program import Device, Program

DEFAULT_SEED = 0


@frozen
class Options:
    """How a program is to be run; see `Program.run`."""

    seed: int | None
    device: Device
    out: Path | None
    only: tuple[str, ...]
    metadata: bool


def execute(program: Program, options: Options, progress: Progress) -> Run:
    """Run `program`; see `Program.run`."""
    started = time.perf_counter()
    tasks = plan(program, options, progress)
    chosen = [task for task in tasks if task.name in options.only]
    if options.out is None:
        return _in_memory(chosen, progress, started)
    from lacelang.runtime.saving import run_into

    return run_into(options.out, program, tasks, chosen, options.metadata, progress, started)


def plan(program: Program, options: Options, progress: Progress) -> list[Task]:
    """Load what the program's statements need, and settle what each of them is to make."""
    tasks = []
    for statement in program.samples:
        model = load(statement.model, options.device, progress)
        seed = statement.seed if options.seed is None else options.seed
        seed = DEFAULT_SEED if seed is None else seed
        where = statement.where
        weights = model.weights(conditioned=where is not None)
        record = GroupRecord(
            name=statement.name,
            folder=folder_name(statement.name),
            condition=condition_text(where),
            fingerprint=fingerprint(statement, seed, weights),
            seed=seed,
            count=statement.count,
            settings=settings_of(statement, weights),
            atoms=() if where is None else atoms_of(where, spread_of(statement, model.sigma)),
            samples=(),
        )
        tasks.append(Task(statement, model, record))
    return tasks


def _in_memory(tasks: Sequence[Task], progress: Progress, started: float) -> Run:
    groups = {}
    with progress.stage("sampling", sum(task.record.count for task in tasks)) as stage:
        for task in tasks:
            drawn = list(draw_group(task, 0, stage))
            latents = Latents.joined([batch.latents for batch in drawn])
            samples = tuple(record for batch in drawn for record in batch.records)
            seconds = sum(batch.seconds for batch in drawn)
            record = evolve(task.record, samples=samples)
            groups[task.name] = Group(record, latents, seconds, task.model.decode, None)
    return Run(groups, None, time.perf_counter() - started)

"""The group of a `pick` statement: some samples of another group, as they are."""

from __future__ import annotations

import time
from functools import partial

from attrs import evolve

from lacelang import ir
from lacelang.engine.fingerprint import fingerprint
from lacelang.engine.tasks import Available, Batch, GroupTask
from lacelang.progress import Stage
from lacelang.storage.files import folder_name


def pick_task(statement: ir.PickStatement, source: GroupTask) -> GroupTask:
    """Return the group of a statement, given the task of the group that it picks from."""
    made = source.record
    weights = made.settings.get("weights", {})
    record = evolve(
        made,
        name=statement.name,
        folder=folder_name(statement.name),
        fingerprint=fingerprint(statement, made.seed, weights, made.fingerprint),
        count=len(statement.indices),
        settings={**made.settings, "picked": list(statement.indices), "of": statement.group},
    )
    prepared = partial(_prepared, statement)
    return GroupTask(source.model, record, prepared, source.frames, (made.name,))


def _prepared(statement: ir.PickStatement, available: Available) -> partial[Batch]:
    return partial(_draw, statement, available)


def _draw(statement: ir.PickStatement, available: Available, indices: range, stage: Stage) -> Batch:
    begun = time.perf_counter()
    source = available.group(statement.group)
    assert source is not None
    rows = [statement.indices[index] for index in indices]
    samples = tuple(
        evolve(source.samples[row], index=index) for index, row in zip(indices, rows, strict=True)
    )
    latents = available.latents(statement.group).rows(rows)
    stage.advance(len(rows))
    return Batch(samples, latents, time.perf_counter() - begun)

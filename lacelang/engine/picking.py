"""The group of a `pick` statement: some samples of another group, as they are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from attrs import evolve

from lacelang import ir
from lacelang.engine.fingerprint import fingerprint, loop_of
from lacelang.engine.tasks import AvailableSamples, Batch, Copying, GroupTask
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
        loop=loop_of(statement),
    )
    found = source.original
    original = None if found is None else lambda index: found(statement.indices[index])
    frames, start = source.frames, source.start
    prepared = Copying(lambda available: partial(_draw, statement, available))
    return GroupTask(
        source.model,
        record,
        prepared,
        frames,
        (made.name,),
        start=start,
        original=original,
        paste=source.paste,
    )


def indices_along(chain: Sequence[ir.Statement], index: int) -> list[int]:
    """Return the indices that a sample of the last statement has in each, the first one first.

    Each statement begins from the group of the one before it.

    Raises:
        IndexError: there is no such sample.
    """
    found = [index]
    for statement in reversed(chain[1:]):
        if isinstance(statement, ir.PickStatement):
            index = statement.indices[index]
        found.append(index)
    return found[::-1]


def _draw(
    statement: ir.PickStatement, available: AvailableSamples, indices: range, stage: Stage
) -> Batch:
    begun = time.perf_counter()
    rows = [statement.indices[index] for index in indices]
    records = available.records(statement.group, rows)
    samples = tuple(
        evolve(record, index=index) for index, record in zip(indices, records, strict=True)
    )
    latents = available.latents(statement.group).rows(rows)
    stage.advance(len(rows))
    return Batch(samples, latents, time.perf_counter() - begun)

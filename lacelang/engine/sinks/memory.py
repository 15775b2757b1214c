"""Groups in memory, decoded when somebody asks for pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

from lacelang.engine.plan import Plan
from lacelang.engine.provenance import Provenances
from lacelang.engine.result import Group
from lacelang.engine.sinks import Begun, Look, Sink
from lacelang.engine.tasks import Batch, GroupTask
from lacelang.storage.latents import Latents, Shards
from lacelang.storage.records import GroupRecord, Seen

if TYPE_CHECKING:
    from lacelang.ir import CheckedProgram


class MemorySink(Sink):
    """Keeps a run in memory; groups of `earlier` runs that would come out the same are taken."""

    def __init__(
        self, planned: Plan, earlier: Mapping[str, Group], program: CheckedProgram | None = None
    ) -> None:
        self._provenances: Provenances | None = None
        if program is not None:
            self._provenances = Provenances(program, {t.record.name: t for t in planned.groups})
        self._planned = planned
        self._batches: list[Batch] = []
        self._groups: dict[str, Group] = {}
        for task in planned.chosen:
            name, made_of = task.record.name, task.record.fingerprint
            found = earlier.get(name)
            if found and found.record.fingerprint == made_of and len(found) == task.record.count:
                self._groups[name] = found

    def begin(self, task: GroupTask) -> Begun:
        return Begun(len(self._groups.get(task.record.name, ())))

    def add(self, task: GroupTask, batch: Batch) -> None:
        self._batches.append(batch)

    def end(self, task: GroupTask, seconds: float) -> None:
        batches, self._batches = self._batches, []
        if batches:
            samples = tuple(record for batch in batches for record in batch.records)
            latents = Latents.joined([batch.latents for batch in batches])
            record = evolve(task.record, samples=samples)
            self._groups[record.name] = Group(
                record,
                latents,
                seconds,
                task.model.decode,
                task.frames,
                provenances=self._provenances,
                paste=task.paste,
            )

    def group(self, name: str) -> GroupRecord | None:
        found = self._groups.get(name)
        return None if found is None else found.record

    def latents(self, name: str) -> Latents | Shards:
        return self._groups[name].rows

    def pictures(self, name: str, indices: Sequence[int]) -> Iterable[Look]:
        images = enumerate(self._groups[name].each_image())
        return (partial(np.asarray, image) for index, image in images if index in indices)

    def annotate(self, name: str, annotations: Iterable[tuple[int, Seen]]) -> None:
        group, found = self._groups[name], dict(annotations)
        samples = tuple(
            evolve(sample, seen=found.get(sample.index, sample.seen))
            for sample in group.record.samples
        )
        group.record = evolve(group.record, samples=samples)

    def finish(self, complete: bool, started: float) -> Sequence[Group]:
        return [self._groups[task.record.name] for task in self._planned.chosen]

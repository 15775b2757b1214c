"""Groups in a data set: shards of samples with their images, on a disk or at a URL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager

from attrs import evolve

from lacelang.engine.failures import MOST_FAILED, said_of, too_many
from lacelang.engine.plan import Options, Plan
from lacelang.engine.provenance import name_of, versions
from lacelang.engine.result import Group
from lacelang.engine.sinks import Begun, Look, Sink
from lacelang.engine.sinks.encoding import DatasetEncoder, Encoded, Taken
from lacelang.engine.sinks.saving import saving
from lacelang.engine.tasks import Batch, GroupTask
from lacelang.errors import LaceError
from lacelang.ir import CheckedProgram
from lacelang.progress import Progress
from lacelang.render.data_card import card_of
from lacelang.semantics.resolved import resolved_text
from lacelang.storage.datasets.folder import Dataset, DatasetGroup
from lacelang.storage.datasets.index import CARD, GroupIndex, Index, Shard
from lacelang.storage.datasets.judged import read_judged
from lacelang.storage.datasets.place import place_of
from lacelang.storage.datasets.samples import Item, arrow
from lacelang.storage.latents import Latents
from lacelang.storage.records import (
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    ProgramRecord,
    SampleRecord,
    Seen,
)
from lacelang.system.threads import Pool


class _Rows:
    """Latents of a group, also of samples whose image is not decoded yet."""

    def __init__(self, sink: DatasetSink, name: str) -> None:
        self._sink, self._name = sink, name

    def rows(self, chosen: Sequence[int]) -> Latents:
        return self._sink.rows(self._name, chosen)


class DatasetSink(Sink):
    """Writes the data set `options.dataset`.

    Raises:
        ResourceError: the place cannot be written, or holds something else.
        KeyboardInterrupt: with a message that says what is kept.
    """

    def __init__(self, program: CheckedProgram, planned: Plan, options: Options) -> None:
        assert options.dataset is not None
        layout = options.dataset.layout
        if layout.format == "parquet":
            arrow()  # before anything is made
        self.decodes = layout.images is not None
        self.ahead, self.tolerant = 4, True
        self._planned = planned
        self._encoder = DatasetEncoder(program, planned, layout)
        self._index = Index(
            # With its imports in it, so that the program makes the same from the index alone.
            ProgramRecord(name_of(program), _text(program)),
            versions(),
            layout,
            tuple(GroupIndex(task.record) for task in planned.groups),
        )
        self._place = place_of(options.dataset.out)
        self._log = options.log
        self._dataset = Dataset(self._place, self._index, options.replace, self._noted)
        # A slow disk makes the decoder wait, so that few pictures are held in memory.
        self._writer = Pool(2, "encoder", most=6)
        self._last: Future[None] | None = None
        # Samples that are drawn and not decoded yet, by group and index.
        self._drawn: dict[str, dict[int, Item]] = {}
        self._lock = threading.RLock()
        self._failed = 0

    @contextmanager
    def open(self, progress: Progress) -> Iterator[None]:
        with self._place.held():
            self._dataset.begin([task.record.name for task in self._planned.chosen])
            groups = self._dataset.groups.values()
            name, there = self._place.name, self._finished()
            if there:
                wanted = sum(group.record.count for group in groups)
                progress.note(f"{name}: {there} of {wanted} samples are there already")
            try:
                with saving(name, self._finished, self._save):
                    yield
            finally:
                for group in groups:
                    group.drop()

    def _noted(self, record: GroupRecord, shard: Shard) -> None:
        """Have the log say that a shard counts from now on."""
        self._log.write(
            "shard",
            group=record.name,
            first=shard.first,
            count=shard.tally.count,
            bytes=sum(each.size for each in shard.files),
            failures=len(shard.tally.failures),
            done=shard.first + shard.tally.count,
            of=record.count,
        )

    def _finished(self) -> int:
        return sum(map(len, self._dataset.groups.values()))

    def _save(self) -> None:
        with self._lock:
            for group in self._dataset.groups.values():
                group.flush()
            self._dataset.save()

    def _group(self, name: str) -> DatasetGroup:
        return self._dataset.groups[name]

    def begin(self, task: GroupTask) -> Begun:
        self._drawn[task.record.name] = {}
        return Begun(min(len(self._group(task.record.name)), task.record.count))

    def add(self, task: GroupTask, batch: Batch) -> None:
        name = task.record.name
        items = [
            Item(sample, batch.latents.rows([row])) for row, sample in enumerate(batch.records)
        ]
        with self._lock:
            if self.decodes:
                self._drawn[name].update((item.sample.index, item) for item in items)
                self._pass_failed(name)
            else:
                for item in items:
                    self._group(name).add(item)

    def picture(self, task: GroupTask, sample: SampleRecord, taken: Taken) -> None:
        self._last = self._writer.submit(self._encode, task, sample, taken, self._last)

    def _encode(
        self, task: GroupTask, sample: SampleRecord, taken: Taken, before: Future[None] | None
    ) -> None:
        """Keep a picture after what was submitted before it: the order is fixed."""
        files = self._encoder.encode(task, sample, taken)
        if before is not None:
            wait([before])
            if not before.cancelled():
                before.result()  # or a sample would be left out
        self.encoded(task, sample, files)

    def encoded(self, task: GroupTask, sample: SampleRecord, files: Encoded) -> None:
        self._failed = 0
        self._keep(task.record.name, sample.index, image=files.image)

    def failed(self, task: GroupTask, sample: SampleRecord, error: Exception) -> None:
        # What was decoded before it may still be waiting for its turn.
        if self._last is not None:
            wait([self._last])
        self._failed += 1
        if self._failed >= MOST_FAILED:
            raise too_many(error) from error
        name, said = task.record.name, said_of(error)
        self._log.write("failed", group=name, index=sample.index, error=said)
        self._keep(name, sample.index, error=said)

    def _keep(
        self, name: str, index: int, image: bytes | None = None, error: str | None = None
    ) -> None:
        with self._lock:
            item = self._drawn[name].pop(index)
            if error is not None:
                item = evolve(item, sample=evolve(item.sample, error=error))
            self._group(name).add(evolve(item, image=image))
            self._pass_failed(name)

    def _pass_failed(self, name: str) -> None:
        """Keep samples that failed while they were drawn, where it is their turn."""
        drawn, group = self._drawn[name], self._group(name)
        while (item := drawn.get(len(group))) is not None and item.sample.error is not None:
            group.add(drawn.pop(len(group)))

    def flush(self) -> None:
        self._writer.close()

    def end(self, task: GroupTask, seconds: float) -> None:
        with self._lock:
            self._group(task.record.name).flush()

    def rows(self, name: str, chosen: Sequence[int]) -> Latents:
        """Latents of samples of a group, in their order."""
        with self._lock:
            drawn = self._drawn[name]
            if all(index in drawn for index in chosen):
                return Latents.joined([drawn[index].latents for index in chosen])
            return self._group(name).rows(chosen)

    def latents(self, name: str) -> _Rows:
        return _Rows(self, name)

    def records(self, name: str, chosen: Sequence[int]) -> Sequence[SampleRecord]:
        with self._lock:
            return [item.sample for item in self._group(name).items(chosen)]

    def group(self, name: str) -> GroupRecord | None:
        return None  # its samples are not held in memory

    def pictures(self, name: str, indices: Sequence[int]) -> Iterable[Look]:
        return ()

    def annotate(self, name: str, annotations: Iterable[tuple[int, Seen]]) -> None:
        return None

    def measured(self, fingerprint: str) -> MeasureRecord | None:
        before = self._dataset.before
        found = (each for each in (before.measures if before else ()))
        known = (each for each in found if each.fingerprint == fingerprint and each.is_sealed())
        return next(known, None)

    def keep(self, measures: Sequence[MeasureRecord], found: Sequence[ExpectationRecord]) -> None:
        self._index = evolve(self._index, measures=tuple(each.sealed() for each in measures))
        self._dataset.keep(self._index)

    def finish(self, complete: bool, started: float) -> Sequence[Group]:
        chosen = {task.record.name for task in self._planned.chosen}
        groups = self._dataset.groups.values()
        whole = all(len(group) >= group.record.count for group in groups)
        every = {task.record.name for task in self._planned.groups} <= chosen
        seconds = round(time.perf_counter() - started, 3)
        self.whole = complete and whole and every
        self.dataset = self._dataset.save(self.whole, seconds)
        self._place.write(
            CARD, card_of(self.dataset, read_judged(self._place)).encode(errors="replace")
        )
        return ()


def _text(program: CheckedProgram) -> str:
    try:
        text = resolved_text(program)
    except LaceError:
        text = program.source
    return text.encode(errors="replace").decode()

"""A run from beginning to end: weights, latents, pictures, verdicts.

Pictures are decoded in one thread while the caller goes on sampling.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Self

from attrs import evolve

from lacelang.engine.annotating import AnnotatorPool
from lacelang.engine.expectations import (
    is_annotated,
    judge,
    judged_attributes,
    unannotated,
)
from lacelang.engine.fingerprint import condition_text
from lacelang.engine.plan import Options, Plan, plan
from lacelang.engine.result import Run
from lacelang.engine.sinks import Picture, Sink
from lacelang.engine.sinks.memory import MemorySink
from lacelang.engine.tasks import BATCH, GroupTask
from lacelang.ir import CheckedProgram
from lacelang.progress import Progress, Stage
from lacelang.storage.latents import Latents
from lacelang.storage.records import ExpectationRecord, MeasureRecord, SampleRecord
from lacelang.system.threads import Pool


def execute(program: CheckedProgram, options: Options, progress: Progress) -> Run:
    """Run a program; see `Program.run` of `lacelang.api`."""
    started = time.perf_counter()
    planned = plan(program, options, progress)
    for expected in planned.expectations:
        if expected not in planned.due:
            text = condition_text(expected)
            progress.note(f"expect {text}: skipped, {expected.group} is not made")
    sink = _sink(program, planned, options)
    with sink.open(progress):
        # Loaded before anything is made, so that what they lack is known at once.
        annotators = None
        if _unannotated(planned, sink):
            annotators = AnnotatorPool(judged_attributes(planned.due), progress)
        measures = _measure(planned, sink, progress)
        sink.keep(measures, ())
        _draw(planned.chosen, sink, progress)
        if annotators is not None:
            _annotate(planned, sink, annotators, progress)
        expectations = _judge(planned, sink)
        sink.keep(measures, expectations)
        known = len(measures), len(expectations)
        complete = known == (len(planned.measures), len(planned.expectations))
        groups = sink.finish(complete, started)
    made = {group.name for group in groups}
    return Run(
        groups,
        options.out,
        time.perf_counter() - started,
        [measure for measure in measures if measure.name in planned.only],
        [expected for expected in expectations if expected.group in made],
        sink.grids,
    )


def _sink(program: CheckedProgram, planned: Plan, options: Options) -> Sink:
    if options.out is None:
        return MemorySink(planned, options.kept, program)
    # Only a run that writes files pays for importing what draws and encodes them.
    from lacelang.engine.sinks.folder import FolderSink

    return FolderSink(program, planned, options)


def _measure(planned: Plan, sink: Sink, progress: Progress) -> list[MeasureRecord]:
    """Measure what is asked for, and keep what an earlier run measured."""
    measures = []
    for task in planned.measures:
        known = sink.measured(task.fingerprint)
        if known is not None:
            measures.append(evolve(known, name=task.name))
        elif task.name in planned.only:
            measures.append(task.run(progress))
    return measures


def _draw(tasks: Sequence[GroupTask], sink: Sink, progress: Progress) -> None:
    """Draw what is missing of every group, and decode it if pictures are wanted."""
    begun = [sink.begin(task) for task in tasks]
    wanted = sum(task.record.count for task in tasks)
    drawn = sum(each.samples for each in begun)
    decoded = drawn - sum(len(each.undecoded) for each in begun)
    if sink.decodes and decoded < wanted:
        for model in {id(task.model): task.model for task in tasks}.values():
            model.prepare()
    with ExitStack() as stack:
        decoder = None
        if sink.decodes:
            decoding = stack.enter_context(progress.stage("decoding", wanted - decoded))
            decoder = stack.enter_context(DecodePipeline(sink, decoding))
        sampling = stack.enter_context(progress.stage("sampling", wanted - drawn))
        for task, before in zip(tasks, begun, strict=True):
            if decoder is not None:
                decoder.put(task, before.undecoded)
            seconds = 0.0
            for batch in task.draw(before.samples, sink, sampling):
                seconds += batch.seconds
                sink.add(task, batch)
                if decoder is not None:
                    decoder.put(task, batch.records)
            sink.end(task, seconds)


def _unannotated(planned: Plan, sink: Sink) -> dict[str, set[int]]:
    """Samples by group whose pictures an expectation needs annotated, of those that are there."""
    found: dict[str, set[int]] = {}
    for expected in planned.due:
        group = sink.group(expected.group)
        if group is None or not is_annotated(group, expected):
            missing = set() if group is None else unannotated(group, expected)
            found.setdefault(expected.group, set()).update(missing)
    return found


def _annotate(planned: Plan, sink: Sink, annotators: AnnotatorPool, progress: Progress) -> None:
    """Annotate the pictures that an expectation is about, where they are not yet annotated."""
    missing = _unannotated(planned, sink)
    with progress.stage("judging", sum(map(len, missing.values()))) as stage:
        for name, chosen in missing.items():
            indices = sorted(chosen)
            found = annotators.annotate(sink.pictures(name, indices), stage)
            sink.annotate(name, zip(indices, found, strict=True))


def _judge(planned: Plan, sink: Sink) -> list[ExpectationRecord]:
    """Judge every expectation whose group is there, whole and annotated."""
    groups = [(expected, sink.group(expected.group)) for expected in planned.expectations]
    return [
        judge(expected, group.samples)
        for expected, group in groups
        if group is not None and is_annotated(group, expected)
    ]


class _StoppedError(Exception):
    """No more pictures are wanted."""


class DecodePipeline:
    """Decodes what is put into it in a thread of its own, and hands the pictures to a sink.

    Leaving the `with` block waits for everything. After an error of the decoder, the sink or the
    caller no more is decoded, and what has been decoded is kept.
    """

    def __init__(self, sink: Sink, stage: Stage) -> None:
        self._sink = sink
        self._stage = stage
        self._pool = Pool(1, "decoder", most=sys.maxsize)

    def put(self, task: GroupTask, samples: Sequence[SampleRecord]) -> None:
        """Queue samples of a group, whose latents the sink has; raise what has gone wrong."""
        # Not all at once: the frames of an edit are large.
        for start in range(0, len(samples), BATCH):
            some = samples[start : start + BATCH]
            latents = self._sink.latents(task.record.name).rows([s.index for s in some])
            self._pool.submit(self._decode, task, some, latents)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._pool.close()
                self._sink.flush()
        finally:
            # After Ctrl-C too: no more pictures but those under way.
            self._pool.drop()
            with suppress(Exception):
                self._sink.flush()

    def _decode(self, task: GroupTask, samples: Sequence[SampleRecord], latents: Latents) -> None:
        frames = task.frames(latents)
        pictures = self._wanted(task.model.decode(frames.reshape(-1, *frames.shape[2:])))
        try:
            for sample in samples:
                self._sink.picture(task, sample, pictures)
                self._stage.advance()
        except BaseException:
            self._pool.left.set()
            raise

    def _wanted(self, pictures: Iterator[Picture]) -> Iterator[Picture]:
        while not self._pool.left.is_set():
            yield next(pictures)
        raise _StoppedError

"""A run from beginning to end: weights, latents, pictures, verdicts.

Pictures are decoded in one thread while the caller goes on sampling.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from attrs import evolve

from lacelang.engine.advancing import Advancing
from lacelang.engine.annotating import AnnotatorPool
from lacelang.engine.executor import Executor
from lacelang.engine.expectations import (
    is_annotated,
    judge,
    judged_attributes,
    unannotated,
)
from lacelang.engine.fingerprint import condition_text
from lacelang.engine.plan import Options, Plan, plan
from lacelang.engine.provenance import name_of
from lacelang.engine.result import Run
from lacelang.engine.sinks import Sink
from lacelang.engine.sinks.memory import MemorySink
from lacelang.ir import CheckedProgram, ExpectStatement
from lacelang.progress import Progress
from lacelang.storage.records import ExpectationRecord, MeasureRecord
from lacelang.version import __version__


def execute(program: CheckedProgram, options: Options, progress: Progress) -> Run:
    """Run a program; see `Program.run` of `lacelang.api`."""
    started, log = time.perf_counter(), options.log
    try:
        run = _executed(program, options, progress, started)
    except BaseException as error:
        how = "interrupted" if isinstance(error, KeyboardInterrupt) else "stopped"
        log.write(how, error=f"{type(error).__name__}: {error}", seconds=_since(started))
        raise
    finally:
        log.close()
    return run


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)


def _executed(program: CheckedProgram, options: Options, progress: Progress, started: float) -> Run:
    if options.dataset is not None:
        program = _unjudged(program, progress)
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
        _draw(program, planned, options, sink, progress)
        if annotators is not None:
            _annotate(planned, sink, annotators, progress)
        expectations = _judge(planned, sink)
        sink.keep(measures, expectations)
        known = len(measures), len(expectations)
        complete = known == (len(planned.measures), len(planned.expectations))
        groups = sink.finish(complete, started)
        options.log.write("ended", seconds=_since(started), complete=sink.whole)
    made = {group.name for group in groups}
    return Run(
        groups,
        options.out,
        time.perf_counter() - started,
        [measure for measure in measures if measure.name in planned.only],
        [expected for expected in expectations if expected.group in made],
        sink.grids,
        sink.dataset,
    )


def _unjudged(program: CheckedProgram, progress: Progress) -> CheckedProgram:
    """Leave out what is expected of groups: a data set is judged by a sample of it."""
    expected = [s for s in program.statements if isinstance(s, ExpectStatement)]
    if expected:
        progress.note("expect: skipped; a data set is judged by evaluating a sample of it")
    return evolve(program, statements=tuple(s for s in program.statements if s not in expected))


def _sink(program: CheckedProgram, planned: Plan, options: Options) -> Sink:
    if options.dataset is not None:
        from lacelang.engine.sinks.dataset import DatasetSink

        return DatasetSink(program, planned, options)
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


def _draw(
    program: CheckedProgram, planned: Plan, options: Options, sink: Sink, progress: Progress
) -> None:
    """Draw what is missing of every group, and decode it if pictures are wanted."""
    tasks = planned.chosen
    begun = [sink.begin(task) for task in tasks]
    counts, log = {task.record.name: task.record.count for task in tasks}, options.log
    wanted = sum(counts.values())
    log.write(
        "begun",
        program=name_of(program),
        version=__version__,
        workers=options.workers or 1,
        groups=[
            {"name": name, "samples": min(each.samples, counts[name]), "of": counts[name]}
            for name, each in zip(counts, begun, strict=True)
        ],
    )
    drawn = sum(each.samples for each in begun)
    decoded = drawn - sum(len(each.undecoded) for each in begun)
    decodes = sink.decodes and decoded < wanted
    with ExitStack() as stack:
        needed = drawn < wanted or decodes
        executor = stack.enter_context(_executor(program, planned, options, needed))
        if decodes:
            executor.prepare(tasks)
        decoder = None
        if sink.decodes:
            images = {
                name: each.samples - len(each.undecoded)
                for name, each in zip(counts, begun, strict=True)
            }
            decoding = Advancing(progress, log, "decoding", "decoded", images, counts)
            decoder = stack.enter_context(executor.decoder(sink, stack.enter_context(decoding)))
        there = {name: each.samples for name, each in zip(counts, begun, strict=True)}
        sampling = stack.enter_context(Advancing(progress, log, "sampling", "drawn", there, counts))
        for task, before in zip(tasks, begun, strict=True):
            if decoder is not None:
                decoder.put(task, before.undecoded)
            name, seconds = task.record.name, 0.0
            for batch in executor.draw(task, before.samples, sink, sampling.stage(name)):
                seconds += batch.seconds
                sink.add(task, batch)
                sampling.done(name, batch.records[0].index, len(batch.records), batch.seconds)
                for each in batch.records:
                    if each.error is not None:
                        log.write("failed", group=name, index=each.index, error=each.error)
                if decoder is not None:
                    decoder.put(task, [each for each in batch.records if each.error is None])
            if decoder is not None and sink.ahead is not None:
                decoder.settle()
            sink.end(task, seconds)
            log.write("group", group=name, samples=task.record.count, seconds=round(seconds, 3))


@contextmanager
def _executor(
    program: CheckedProgram, planned: Plan, options: Options, needed: bool
) -> Iterator[Executor]:
    """Give what draws and decodes: this process, or workers if some are asked for."""
    if options.workers is None or not needed:
        yield Executor(program, planned, options)
        return
    from lacelang.engine.workers import working_together

    with working_together(program, planned, options) as workers:
        yield workers


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

"""A run into a folder.

Samples are drawn in batches; a batch is on disk, latents and all, before its first face is
decoded, and it is decoded while the next one is drawn. So whatever ends the run, what the folder
holds is true, and the next run goes on from it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve
from numpy.typing import NDArray
from PIL import Image

from lacelang.engine.decoding import CHUNK, DecodePipeline
from lacelang.engine.expectations import AnnotatorPool, judge, judged_attributes
from lacelang.engine.loading import Model
from lacelang.engine.plan import Options, Plan
from lacelang.engine.result import Group, Run
from lacelang.engine.tasks import GroupTask
from lacelang.errors import LaceError
from lacelang.ir import EditStatement
from lacelang.progress import Progress
from lacelang.storage.group_folder import Annotation, GroupFolder
from lacelang.storage.records import ExpectationRecord, MeasureRecord, RunRecord, Seen
from lacelang.storage.run_folder import RunFolder, origin_of
from lacelang.system.filenames import as_text
from lacelang.version import __version__

if TYPE_CHECKING:
    from lacelang.ir import CheckedProgram

#: Annotations are written so many at a time.
_ANNOTATED = 16
#: Latents of at most so many samples are held in memory when a run has ended.
_HELD = 4096


def run_into(
    options: Options,
    program: CheckedProgram,
    planned: Plan,
    progress: Progress,
    started: float,
) -> Run:
    """Make what is `planned` of a program in the folder that `options` name.

    Args:
        started: `time.perf_counter()` when the run began.

    Raises:
        ResourceError: the folder cannot be written, or holds files of somebody else.
        KeyboardInterrupt: with a message that says what is kept.
    """
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    out = options.out
    assert out is not None
    path = program.path
    record = RunRecord(
        program=as_text(path.name) if path is not None else "<program>",
        # Text from Python may hold halves of characters.
        source=_encodable(program.source),
        versions=_versions(),
        groups=tuple(task.record for task in planned.groups),
    )
    chosen = [task.record.name for task in planned.chosen]
    origin = None if options.shared and path is None else origin_of(path, out)
    with RunFolder(
        out,
        record,
        chosen,
        origin=origin,
        replace=options.replace,
        metadata=options.metadata,
        begun_from=_begun_from(program, chosen),
    ) as folder:
        replaced = folder.begin()
        if replaced:
            progress.note(f"{out}: {', '.join(replaced)} changed, and will be replaced")
        try:
            # Loaded before anything is made, so that what they lack is known at once.
            attributes = judged_attributes(planned.due)
            eyes = AnnotatorPool(attributes, progress) if _unseen(folder, planned) else None
            measures = _measure(folder, planned, progress)
            folder.keep(measures, ())
            seconds = _make(folder, record, planned.chosen, options, progress)
            if eyes is not None:
                _see(folder, planned, eyes, progress)
            folder.keep(measures, _expectations(folder, planned))
        except KeyboardInterrupt as stop:
            # The same error, which may say more than that it was an interruption.
            stop.args = (_interrupted(folder, out),)
            raise
        except BaseException:
            # What went wrong matters more than that it could not be written down.
            with contextlib.suppress(LaceError):
                folder.save()
            raise
        return _finish(folder, planned, measures, seconds, options, begun, started)


def _begun_from(program: CheckedProgram, chosen: Collection[str]) -> list[Path]:
    """Files and folders that the chosen edits begin from."""
    return [
        statement.saved.file
        for statement in program.statements
        if isinstance(statement, EditStatement) and statement.saved and statement.name in chosen
    ]


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _finish(
    folder: RunFolder,
    planned: Plan,
    measures: Sequence[MeasureRecord],
    seconds: Mapping[str, float],
    options: Options,
    begun: str,
    started: float,
) -> Run:
    total = time.perf_counter() - started
    timing = {
        "started": begun,
        "seconds": round(total, 3),
        "sampling": {name: round(spent, 3) for name, spent in seconds.items()},
    }
    expectations = _expectations(folder, planned)
    whole = len(measures) == len(planned.measures) and len(expectations) == len(
        planned.expectations
    )
    folder.save(complete=whole and folder.is_complete(options.images), timing=timing)
    groups = {}
    for task in planned.chosen:
        made = folder.group(task.record.name)
        # Groups of usual size outlive their folder; large ones stay on disk.
        held = len(made.latents) <= _HELD
        groups[made.name] = Group(
            made.group,
            made.latents.rows(slice(None)) if held else made.latents,
            seconds[made.name],
            task.model.decode,
            made.path,
            task.frames,
            {index: made.image(index) for index in made.finished},
        )
    asked = {task.name for task in planned.to_measure}
    return Run(
        groups,
        folder.root,
        total,
        {measure.name: measure for measure in measures if measure.name in asked},
        tuple(expected for expected in expectations if expected.group in groups),
    )


def _measure(folder: RunFolder, planned: Plan, progress: Progress) -> list[MeasureRecord]:
    """Measure what is asked for, and keep what an earlier run measured."""
    measures = []
    for task in planned.measures:
        known = folder.measured(task.fingerprint)
        if known is not None:
            measures.append(evolve(known, name=task.name))
        elif task in planned.to_measure:
            measures.append(task.run(progress))
    return measures


def _unseen(folder: RunFolder, planned: Plan) -> list[str]:
    """Groups that an expectation is about, with images that are not annotated."""
    names = dict.fromkeys(expected.group for expected in planned.due)
    return [name for name in names if not folder.group(name).group.is_seen]


def _see(folder: RunFolder, planned: Plan, eyes: AnnotatorPool, progress: Progress) -> None:
    """Annotate the images that an expectation is about, where they are not yet annotated."""
    tasks = {task.record.name: task for task in planned.chosen}
    unseen = {
        name: [sample.index for sample in folder.group(name).samples if sample.seen is None]
        for name in _unseen(folder, planned)
    }
    with progress.stage("judging", sum(map(len, unseen.values()))) as stage:
        for name, indices in unseen.items():
            group, model = folder.group(name), tasks[name].model
            looks = (partial(_picture, group, model, index) for index in indices)
            _annotate(group, zip(indices, eyes.see(looks, stage), strict=True))


def _annotate(group: GroupFolder, annotations: Iterable[tuple[int, Seen]]) -> None:
    """Keep annotations, some at a time, also those that were made before an error."""
    pending: list[Annotation] = []
    try:
        for index, seen in annotations:
            pending.append(Annotation(index, seen))
            if len(pending) == _ANNOTATED:
                group.annotate(pending)
                pending = []
    finally:
        if pending:
            group.annotate(pending)


def _expectations(folder: RunFolder, planned: Plan) -> list[ExpectationRecord]:
    """Judge every expectation whose group is there, whole and seen."""
    found = []
    for expected in planned.expectations:
        group = folder.find(expected.group)
        if group is not None and group.is_seen:
            found.append(judge(expected, group.samples))
    return found


def _picture(group: GroupFolder, model: Model, index: int) -> NDArray[np.uint8]:
    """The image of a sample: as it was written, or decoded where none was wanted."""
    if index in group.finished:
        with Image.open(group.image(index)) as image:
            return np.asarray(image.convert("RGB"))
    return next(model.decode_array(group.latents.rows([index]).w))


def _make(
    folder: RunFolder,
    record: RunRecord,
    tasks: Sequence[GroupTask],
    options: Options,
    progress: Progress,
) -> dict[str, float]:
    """Draw and paint what is missing; return the seconds of sampling by group."""
    seconds = {task.record.name: 0.0 for task in tasks}
    wanted = sum(task.record.count for task in tasks)
    groups = [folder.group(name) for name in seconds]
    drawn = sum(len(group.samples) for group in groups)
    finished = folder.finished() if options.images else drawn
    if finished:
        what = "faces" if options.images else "samples"
        progress.note(f"{folder.root}: {finished} of {wanted} {what} are there already")
    if options.images and finished < wanted:
        for model in {id(task.model): task.model for task in tasks}.values():
            model.prepare()
    with contextlib.ExitStack() as stack:
        painter = None
        if options.images:
            decoding = stack.enter_context(progress.stage("decoding", wanted - finished))
            painter = stack.enter_context(
                DecodePipeline(folder, record, decoding, options.metadata)
            )
        sampling = stack.enter_context(progress.stage("sampling", wanted - drawn))
        for task in tasks:
            name = task.record.name
            group = folder.group(name)
            if painter is not None:
                painter.expect(name)
                missing = group.unfinished
                for start in range(0, len(missing), CHUNK):
                    some = missing[start : start + CHUNK]
                    painter.paint(task, some, group.latents.rows([s.index for s in some]))
            for batch in task.draw(len(group.samples), folder.latents, sampling):
                seconds[name] += batch.seconds
                folder.add(name, batch.records, batch.latents)
                if painter is not None:
                    painter.paint(task, batch.records, batch.latents)
    return seconds


def _interrupted(folder: RunFolder, out: Path) -> str:
    with contextlib.suppress(LaceError):
        folder.save()
    return (
        f"interrupted: {folder.finished()} finished faces are kept in {out}\n"
        "  the same command goes on from there"
    )


def _versions() -> dict[str, str]:
    """What the last bits of a sample depend on, beside the program."""
    libraries = {name: version(name) for name in ("torch", "openvino", "numpy")}
    return {"lacelang": __version__, **libraries}

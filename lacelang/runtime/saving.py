"""A run into a folder.

Samples are drawn in batches; a batch is on disk, latents and all, before its first face is
decoded, and it is decoded while the next one is drawn. So whatever ends the run, what the folder
holds is true, and the next run goes on from it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve
from numpy.typing import NDArray
from PIL import Image

from lacelang import __version__
from lacelang.errors import LaceError
from lacelang.output.folder import RunFolder
from lacelang.output.latents import Latents
from lacelang.output.progress import Progress
from lacelang.output.records import ExpectationRecord, MeasureRecord, RunRecord
from lacelang.runtime.expectations import Eyes, judge
from lacelang.runtime.painting import Painter
from lacelang.runtime.plan import Plan
from lacelang.runtime.result import Group, Run
from lacelang.runtime.tasks import GroupTask

if TYPE_CHECKING:
    from lacelang.program import Program


def run_into(
    out: Path,
    program: Program,
    planned: Plan,
    metadata: bool,
    progress: Progress,
    started: float,
) -> Run:
    """Make what is `planned` of a program in the folder `out`.

    Args:
        started: `time.perf_counter()` when the run began.

    Raises:
        ResourceError: the folder cannot be written, or holds files of somebody else.
        KeyboardInterrupt: with a message that says what is kept.
    """
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    path = program.checked.path
    record = RunRecord(
        program=path.name if path is not None else "<program>",
        source=program.source,
        versions=_versions(),
        groups=tuple(task.record for task in planned.groups),
    )
    chosen = planned.chosen
    with RunFolder(out, record, [task.record.name for task in chosen], metadata) as folder:
        removed = folder.begin()
        if removed:
            progress.note(f"{out} held another run: replaced {', '.join(removed)}")
        try:
            # Loaded before anything is made, so that what they lack is known at once.
            eyes = Eyes(progress) if _unseen(folder, planned) else None
            measures = _measure(folder, planned, progress)
            folder.keep(measures, ())
            seconds = _make(folder, record, chosen, metadata, progress)
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
        return _finish(folder, planned, measures, seconds, begun, started)


def _finish(
    folder: RunFolder,
    planned: Plan,
    measures: Sequence[MeasureRecord],
    seconds: Mapping[str, float],
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
    folder.save(complete=whole and folder.is_complete(), timing=timing)
    groups = {}
    for task in planned.chosen:
        name = task.record.name
        latents = _latents(folder, name)
        decode = task.model.decode
        record = folder.group(name)
        groups[name] = Group(record, latents, seconds[name], decode, folder.root, task.frames)
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
    """Groups that an expectation is about, with faces that nobody has seen."""
    names = dict.fromkeys(expected.group for expected in planned.due)
    return [name for name in names if not folder.group(name).is_seen]


def _see(folder: RunFolder, planned: Plan, eyes: Eyes, progress: Progress) -> None:
    """Look at the painted faces that an expectation is about and nobody has seen."""
    unseen = {
        name: [sample for sample in folder.group(name).samples if sample.seen is None]
        for name in _unseen(folder, planned)
    }
    with progress.stage("judging", sum(map(len, unseen.values()))) as stage:
        for name, samples in unseen.items():
            looks = (partial(_picture, folder.path(name, sample.index)) for sample in samples)
            for sample, seen in zip(samples, eyes.see(looks, stage), strict=True):
                folder.saw(name, sample.index, seen)


def _expectations(folder: RunFolder, planned: Plan) -> list[ExpectationRecord]:
    """Judge every expectation whose group is there, whole and seen, whoever made it when."""
    found = []
    for expected in planned.expectations:
        group = folder.find(expected.group)
        if group is not None and group.is_seen:
            found.append(judge(expected, group.samples))
    return found


def _picture(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _make(
    folder: RunFolder,
    record: RunRecord,
    tasks: Sequence[GroupTask],
    metadata: bool,
    progress: Progress,
) -> dict[str, float]:
    """Draw and paint what is missing; return the seconds of sampling by group."""
    seconds = {task.record.name: 0.0 for task in tasks}
    wanted = sum(task.record.count for task in tasks)
    drawn = sum(len(folder.group(name).samples) for name in seconds)
    to_paint = wanted - drawn + sum(len(folder.unwritten(name)) for name in seconds)
    if to_paint < wanted:
        progress.note(f"{folder.root}: {wanted - to_paint} of {wanted} faces are there already")
    if to_paint:
        for model in {id(task.model): task.model for task in tasks}.values():
            model.prepare()
    with (
        progress.stage("decoding", to_paint) as decoding,
        Painter(folder, record, decoding, metadata) as painter,
        progress.stage("sampling", wanted - drawn) as sampling,
    ):
        for task in tasks:
            name, decode = task.record.name, task.model.decode_array
            painter.expect(name)
            kept = folder.latents(name)
            if kept is not None:
                missing = folder.unwritten(name)
                rows = kept.rows([sample.index for sample in missing])
                painter.paint(name, missing, rows, task.frames, decode)
            first = len(folder.group(name).samples)
            for batch in task.draw(first, partial(_latents, folder), sampling):
                seconds[name] += batch.seconds
                folder.add(name, batch.records, batch.latents)
                painter.paint(name, batch.records, batch.latents, task.frames, decode)
    return seconds


def _latents(folder: RunFolder, name: str) -> Latents:
    latents = folder.latents(name)
    assert latents is not None
    return latents


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

"""A run into a folder.

Samples are drawn in batches; a batch is on disk, latents and all, before its first face is
decoded, and it is decoded while the next one is drawn. So whatever ends the run, what the folder
holds is true, and the next run goes on from it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang import __version__
from lacelang.errors import LaceError
from lacelang.output.folder import RunFolder
from lacelang.output.latents import Latents
from lacelang.output.progress import Progress
from lacelang.output.records import RunRecord
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
            seconds = _make(folder, record, chosen, metadata, progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_interrupted(folder, out)) from None
        except BaseException:
            # What went wrong matters more than that it could not be written down.
            with contextlib.suppress(LaceError):
                folder.save()
            raise
        return _finish(folder, chosen, seconds, begun, started)


def _finish(
    folder: RunFolder,
    tasks: Sequence[GroupTask],
    seconds: dict[str, float],
    begun: str,
    started: float,
) -> Run:
    total = time.perf_counter() - started
    timing = {
        "started": begun,
        "seconds": round(total, 3),
        "sampling": {name: round(spent, 3) for name, spent in seconds.items()},
    }
    folder.save(complete=folder.is_complete(), timing=timing)
    groups = {}
    for task in tasks:
        name = task.record.name
        groups[name] = Group(
            folder.group(name),
            _latents(folder, name),
            seconds[name],
            task.model.decode,
            folder.root,
        )
    return Run(groups, folder.root, total)


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
                painter.paint(name, missing, kept.w[[s.index for s in missing]], decode)
            first = len(folder.group(name).samples)
            for batch in task.draw(first, partial(_latents, folder), sampling):
                seconds[name] += batch.seconds
                folder.add(name, batch.records, batch.latents)
                painter.paint(name, batch.records, batch.latents.w, decode)
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

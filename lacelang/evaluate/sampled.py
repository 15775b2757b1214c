"""Groups of samples that stay in the cache, made by several processes, so that a study goes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.engine.loading import load
from lacelang.engine.result import Group
from lacelang.engine.sampling import SampleTask, sample_task
from lacelang.errors import ResourceError
from lacelang.ir import SampleStatement
from lacelang.progress import Silent
from lacelang.semantics import defaults
from lacelang.storage.cache import cache_dir, guarded
from lacelang.storage.group_folder import GroupFolder
from lacelang.storage.index import NAME, read_index, write_index
from lacelang.storage.latents import Latents
from lacelang.storage.records import RunRecord
from lacelang.system.processes import processes

if TYPE_CHECKING:
    from lacelang.progress import Progress

#: What of the package decides where a sample ends; a change in it makes every group anew.
_DECISIVE = ("classifiers/classifier.py", "compiler", "energy", "engine", "generators", "samplers")
_PACKAGE = Path(__file__).parents[1]
_SECONDS = "sampling seconds"


def sample_groups(statements: Sequence[SampleStatement], progress: Progress) -> list[Group]:
    """Sample groups, or read those that were sampled before.

    Groups are the unit: a killed run goes on with the next one.

    Raises:
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    tasks = [_task(statement, progress) for statement in statements]
    missing = [task for task in tasks if not _is_kept(task)]
    with progress.stage("sampling", sum(task.record.count for task in tasks)) as stage:
        stage.advance(sum(task.record.count for task in tasks if task not in missing))
        for count in _make(missing):
            stage.advance(count)
    return [_kept(task) for task in tasks]


def _task(statement: SampleStatement, progress: Progress) -> SampleTask:
    model = load(statement.model, "auto", progress)
    seed = defaults.SEED if statement.seed is None else statement.seed
    return sample_task(statement, model, seed)


def _make(tasks: Sequence[SampleTask]) -> Iterator[int]:
    """Make groups, and yield how many samples are done."""
    if not tasks:
        return
    workers = min(len(tasks), os.cpu_count() or 1)
    if workers == 1 or tasks[0].model.device.type != "cpu":
        for task in tasks:
            yield _write(task)
        return
    with processes(workers) as pool:
        for job in as_completed([pool.submit(_work, task.statement) for task in tasks]):
            yield job.result()


def _work(statement: SampleStatement) -> int:
    return _write(_task(statement, Silent()))


def _write(task: SampleTask) -> int:
    made: dict[str, Latents] = {}  # of an `edit`, what it begins from
    with Silent().stage("sampling") as stage:
        drawn = list(task.draw(0, made.__getitem__, stage))
    samples = [one for batch in drawn for one in batch.records]
    timing = {_SECONDS: sum(batch.seconds for batch in drawn)}
    folder = _folder(task)
    with guarded(folder):
        group = _group(task)
        group.make()
        group.add(samples, Latents.joined([batch.latents for batch in drawn]))
        # Last, for its presence says that the group is whole.
        write_index(folder, RunRecord("", "", {}, (group.record,), complete=True, timing=timing))
    return len(samples)


def _is_kept(task: SampleTask) -> bool:
    return (_folder(task) / NAME).is_file() and _opened(task).is_sampled


def _opened(task: SampleTask) -> GroupFolder:
    """What is there of a group."""
    count = task.record.count
    return GroupFolder.open(_group(task).path, task.record, count, metadata=False)


def _kept(task: SampleTask) -> Group:
    folder = _folder(task)
    run = read_index(folder)
    group = _opened(task)
    if run is None or not group.is_sampled:
        raise ResourceError(f"{folder} is damaged", "remove it")
    seconds = float(run.timing[_SECONDS])
    return Group(group.group, group.latents, seconds, task.model.decode, None, task.frames)


def _group(task: SampleTask) -> GroupFolder:
    return GroupFolder(_folder(task) / task.record.folder, task.record)


def _folder(task: SampleTask) -> Path:
    record = task.record
    return cache_dir() / "sampled" / f"{record.fingerprint}-{record.count}-{_code()}"


@cache
def _code() -> str:
    """A digest of the source that samples depend on: no release has changed, but a sampler may."""
    digest = hashlib.sha256()
    for part in _DECISIVE:
        path = _PACKAGE / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:8]

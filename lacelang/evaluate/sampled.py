"""Groups of samples that stay in the cache, made by several processes, so that a study goes on."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.engine.execute import execute
from lacelang.engine.loading import load
from lacelang.engine.plan import Options
from lacelang.engine.result import Group
from lacelang.engine.sampling import SampleTask, sample_task
from lacelang.engine.sinks.folder import group_of
from lacelang.errors import ResourceError
from lacelang.ir import CheckedProgram, SampleStatement
from lacelang.progress import Silent
from lacelang.semantics import defaults
from lacelang.storage.cache import cache_dir, guarded
from lacelang.storage.group_folder import GroupFolder
from lacelang.storage.index import read_index
from lacelang.system.processes import processes

if TYPE_CHECKING:
    from lacelang.progress import Progress

#: What of the package decides where a sample ends; a change in it makes every group anew.
_DECISIVE = ("classifiers/classifier.py", "compiler", "energy", "engine", "generators", "samplers")
_PACKAGE = Path(__file__).parents[1]


def sample_groups(statements: Sequence[SampleStatement], progress: Progress) -> list[Group]:
    """Sample groups, or read those that were sampled before.

    Groups are the unit: a killed run goes on with the next one.

    Raises:
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    tasks = [_task(statement, progress) for statement in statements]
    missing = [task for task in tasks if _kept(task) is None]
    with progress.stage("sampling", sum(task.record.count for task in tasks)) as stage:
        stage.advance(sum(task.record.count for task in tasks if task not in missing))
        for count in _make(missing):
            stage.advance(count)
    found = []
    for task in tasks:
        group = _kept(task)
        if group is None:
            raise ResourceError(f"{_folder(task)} is damaged", "remove it")
        found.append(group)
    return found


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
        yield from map(_write, tasks)
        return
    with processes(workers) as pool:
        for job in as_completed([pool.submit(_work, task.statement) for task in tasks]):
            yield job.result()


def _work(statement: SampleStatement) -> int:
    return _write(_task(statement, Silent()))


def _write(task: SampleTask) -> int:
    folder = _folder(task)
    with guarded(folder):
        # Seconds are of the whole group: what a killed run has left of it is made again.
        shutil.rmtree(folder, ignore_errors=True)
        options = Options(None, "auto", folder, (task.record.name,), False, False)
        execute(CheckedProgram((task.statement,)), options, Silent())
    return task.record.count


def _kept(task: SampleTask) -> Group | None:
    """What an earlier run left of a group, if it is whole."""
    record, folder = task.record, _folder(task)
    run = read_index(folder)
    if run is None or not run.complete:
        return None
    group = GroupFolder.open(folder / record.folder, record, record.count, metadata=False)
    if not group.is_sampled:
        return None
    return group_of(task, group, float(run.timing["sampling"][record.name]))


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

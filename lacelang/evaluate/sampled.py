"""Groups of samples that stay in the cache, made by several processes.

Each group is a run of its own in a folder of the cache, from which a killed evaluation goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import Annotated

import msgspec
from attrs import evolve

from lacelang.api import Program
from lacelang.engine.loading import load
from lacelang.engine.result import Group
from lacelang.errors import ResourceError
from lacelang.progress import Progress
from lacelang.storage.cache import cache_dir, locked, set_aside
from lacelang.storage.files import read_regular, write_atomic
from lacelang.storage.records import read_index
from lacelang.system.filenames import on_disk
from lacelang.system.processes import processes

#: The parts of the package that samples depend on; a change in them invalidates every group.
_DECISIVE = (
    "classifiers/classifier.py",
    "compiler",
    "energy",
    "engine",
    "generators",
    "ir",  # diagrams of formulas
    "samplers",
)
_PACKAGE = Path(__file__).parents[1]
#: Written when a group is complete: how many seconds its sampling took.
_DONE = ".sampled.json"


class _Done(msgspec.Struct):
    seconds: Annotated[float, msgspec.Meta(ge=0)]


def sample_groups(program: Program, progress: Progress) -> list[Group]:
    """Sample the groups of a program, or read them from the cache."""
    code = _code_digest()
    runs = [
        (Program(evolve(program.checked, statements=(s,), source="")), _folder(repr(s), code))
        for s in program.samples
    ]
    missing = [run for run in runs if not (run[1] / _DONE).is_file()]
    wanted, left = (sum(one.samples[0].count for one, _ in some) for some in (runs, missing))
    with progress.stage("sampling", wanted) as stage:
        stage.advance(wanted - left)
        for count in _make(missing, progress):
            stage.advance(count)
    return [_sampled(*run) for run in runs]


def _make(runs: Sequence[tuple[Program, Path]], progress: Progress) -> Iterator[int]:
    """Make groups, and yield how many samples are done."""
    if not runs:
        return
    # Weights are fetched and converted once, here, where the progress bar is.
    device = load(runs[0][0].samples[0].model, "auto", progress).device
    workers = min(len(runs), os.cpu_count() or 1)
    if workers == 1 or device.type != "cpu":
        for run in runs:
            yield len(_sampled(*run))
        return
    with processes(workers) as pool:
        for job in as_completed([pool.submit(_count, *run) for run in runs]):
            yield job.result()


def _count(program: Program, folder: Path) -> int:
    return len(_sampled(program, folder))


def _sampled(program: Program, folder: Path) -> Group:
    """Return the one group of a program, from `folder` or made now."""
    done = folder / _DONE
    with locked(folder, "sampling"):
        if not _is_sound(folder):
            set_aside(folder)
        (group,) = program.run(out=folder, images=False, replace=True).groups.values()
        seconds = _seconds_of(done)
        if group.stats.seconds or seconds is None:
            seconds = group.stats.seconds
            write_atomic(done, json.dumps({"seconds": seconds}).encode())
    # Those of the run that made it: this one may have found it complete.
    group.stats = evolve(group.stats, seconds=seconds)
    return group


def _is_sound(folder: Path) -> bool:
    """Whether a run can go on in `folder`; what it finds damaged in there it makes anew."""
    if not os.path.lexists(folder):
        return True
    try:
        run = read_index(folder)
    except ResourceError:
        return False
    groups = [folder / on_disk(group.folder) for group in (run.groups if run else ())]
    files = [path for path in folder.iterdir() if path not in groups]
    for group in filter(os.path.lexists, groups):
        if not group.is_dir() or group.is_symlink():
            return False
        files += group.iterdir()
    return all(path.is_file() for path in files)


def _seconds_of(done: Path) -> float | None:
    try:
        return msgspec.json.decode(read_regular(done, 1 << 10) or b"", type=_Done).seconds
    except (ValueError, RecursionError):
        return None


def _folder(statement: str, code: str) -> Path:
    name = hashlib.sha256(statement.encode()).hexdigest()[:24]
    return cache_dir() / "sampled" / f"{name}-{code}"


def _code_digest() -> str:
    """Return a digest of the source that samples depend on."""
    digest = hashlib.sha256()
    for part in _DECISIVE:
        path = _PACKAGE / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:8]

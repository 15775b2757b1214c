"""Decode and annotate many faces in worker processes.

Measures are kept in the cache in shards, files that are whole or absent: a killed run goes on from
them, and a second run with the same faces reads them. A shard whose digest is wrong is made again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray

from lacelang.annotators import Annotator
from lacelang.annotators.faces import FACES
from lacelang.classifiers.draws import Draws
from lacelang.errors import ResourceError
from lacelang.generators import ARCHITECTURES
from lacelang.generators.declaration import Weights
from lacelang.progress import Progress
from lacelang.storage.arrays import packed, unpacked
from lacelang.storage.cache import cache_dir, guarded, set_aside, whole_file
from lacelang.system.processes import processes

Measured: TypeAlias = dict[str, NDArray[Any]]
"""What annotators measured, by name: arrays (N, ...), a row a face."""
Networks: TypeAlias = Callable[[Draws], Measured]

#: Draws in a shard: about ten seconds of work for a core.
SHARD = 25
#: The folder of the cache; another one where files have another form.
MEASURED = "measured-2"


@frozen
class Source:
    """A generator: its architecture and where its weights are."""

    architecture: str
    weights: Weights

    @property
    def key(self) -> str:
        """What tells it from others; the architecture, if it has no weights."""
        return self.weights.sha256 if self.weights is not None else self.architecture


def measure(
    source: Source,
    faces: Draws,
    annotators: Sequence[Annotator] = (FACES,),
    *,
    progress: Progress,
    workers: int | None = None,
    title: str = "labelling",
) -> Measured:
    """Decode and annotate every face; `workers` None takes one per core.

    Raises:
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    folder = _folder(source, faces, annotators)
    with guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
    shards = [
        (faces.rows(slice(start, start + SHARD)), folder / f"{start:06d}.safetensors")
        for start in range(0, len(faces), SHARD)
    ]
    parts = {path: _read(path, len(shard)) for shard, path in shards}
    missing = [shard for shard in shards if parts[shard[1]] is None]
    for _, path in missing:
        set_aside(path)
    with progress.stage(title, total=len(faces)) as stage:
        stage.advance(len(faces) - sum(len(shard) for shard, _ in missing))
        if missing:
            # Weights are fetched and converted once, here, where the progress bar is.
            _load(source, annotators, progress)
            with processes(min(workers or os.cpu_count() or 1, len(missing))) as pool:
                jobs = [
                    pool.submit(_measure, source, tuple(annotators), *shard) for shard in missing
                ]
                for job in as_completed(jobs):
                    stage.advance(job.result())
    parts |= {path: _read(path, len(shard)) for shard, path in missing}
    found = [part for part in parts.values() if part is not None]
    if len(found) < len(parts):
        raise ResourceError(f"measures of images in {folder} have changed", "run the command again")
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _read(path: Path, count: int) -> Measured | None:
    """The measures of so many faces; None if they are missing or damaged."""
    found = unpacked(path)
    if found is None or not all(each.shape[:1] == (count,) for each in found.arrays.values()):
        return None
    return found.arrays or None


def _measure(source: Source, annotators: tuple[Annotator, ...], faces: Draws, path: Path) -> int:
    """Measure a shard in a worker process, and return how many faces it has."""
    measured = _loaded(source, annotators)(faces)
    with whole_file(path) as partial:
        partial.write_bytes(packed(measured))
    return len(faces)


@cache
def _loaded(source: Source, annotators: tuple[Annotator, ...]) -> Networks:
    torch.set_num_threads(1)
    return _load(source, annotators)


def _load(
    source: Source, annotators: Sequence[Annotator], progress: Progress | None = None
) -> Networks:
    """Return the function from faces to what annotators measure in them; it uses one thread."""
    generator = ARCHITECTURES[source.architecture].load(
        source.weights, torch.device("cpu"), progress=progress, threads=1
    )
    measures = [annotator.load(1, progress) for annotator in annotators]

    def measured(faces: Draws) -> Measured:
        columns: dict[str, list[NDArray[Any]]] = {}
        for image in faces.images(generator):
            found: dict[str, Any] = {}
            for one in measures:
                # Where two measure the same, the first counts.
                found = {**one(image), **found}
            for name, value in found.items():
                columns.setdefault(name, []).append(np.asarray(value))
        return {name: np.stack(rows) for name, rows in columns.items()}

    return measured


def _folder(source: Source, faces: Draws, annotators: Sequence[Annotator]) -> Path:
    # The version of the annotator of faces stands where it stood when there was no other.
    versions = [str(a.version) for a in annotators if a == FACES]
    others = [f"{a.name}{a.version if a.version > 1 else ''}" for a in annotators if a != FACES]
    name = "-".join([source.key, *versions, faces.fingerprint(), *others])
    return cache_dir() / MEASURED / name

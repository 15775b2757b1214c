"""Decode and measure many faces in worker processes, in shards, so that a killed run goes on.

A shard is a file of what annotators measured. It appears whole or not at all; a second run with
the same faces finds it and does only what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from lacelang.annotators import ANNOTATORS, Annotator
from lacelang.annotators.faces import FACES
from lacelang.classifiers.draws import Faces
from lacelang.generators import ARCHITECTURES
from lacelang.generators.declaration import Weights
from lacelang.storage.cache import cache_dir, guarded, whole_file
from lacelang.system.processes import processes

if TYPE_CHECKING:
    from lacelang.progress import Progress

Measured: TypeAlias = Mapping[str, NDArray[Any]]
"""What annotators measured, by name: arrays (N, ...), a row a face."""

#: Faces in a shard: about ten seconds of work for a core.
SHARD = 25
_POLL_SECONDS = 0.5

Shard = tuple[Faces, Path]


@frozen
class Source:
    """Which generator decodes: its architecture and where its weights are."""

    architecture: str
    weights: Weights

    @property
    def key(self) -> str:
        """What tells it from others; one without weights is the same for good."""
        return self.weights.sha256[:12] if self.weights is not None else self.architecture


def measure(
    source: Source,
    faces: Faces,
    annotators: Sequence[Annotator] = (FACES,),
    *,
    progress: Progress,
    workers: int | None = None,
    title: str = "labelling",
) -> Measured:
    """Decode every face and have annotators measure its picture; `workers` None takes one per core.

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
    missing = [shard for shard in shards if not shard[1].is_file()]
    with progress.stage(title, total=len(faces)) as stage:
        stage.advance(len(faces) - _count(missing))
        if missing:
            # Fetched and converted once, here, where the progress bar is.
            _networks(source, annotators, progress)
            count = min(workers or os.cpu_count() or 1, len(missing))
            for done in _run(source, missing, [a.name for a in annotators], count):
                stage.advance(done)
    parts = [load_file(path) for _, path in shards]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _run(
    source: Source, missing: Sequence[Shard], annotators: Sequence[str], workers: int
) -> Iterator[int]:
    """Measure shards, every worker its share of them, and yield how many faces are done."""
    waiting = list(missing)
    with processes(workers) as pool:
        shares = [missing[worker::workers] for worker in range(workers)]
        jobs = [pool.submit(_work, source, annotators, share) for share in shares]
        while waiting:
            finished, running = wait(jobs, _POLL_SECONDS)
            for job in finished:
                job.result()
            left = [shard for shard in waiting if not shard[1].is_file()]
            yield _count(waiting) - _count(left)
            waiting = left
            if not running:
                break


def _count(shards: Sequence[Shard]) -> int:
    return sum(len(faces) for faces, _ in shards)


def _work(source: Source, annotators: Sequence[str], shards: Sequence[Shard]) -> None:
    import torch

    torch.set_num_threads(1)
    networks = _networks(source, [ANNOTATORS[name] for name in annotators])
    for faces, path in shards:
        measured = networks(faces)
        with whole_file(path) as partial:
            save_file(measured, partial)


def _networks(
    source: Source, annotators: Sequence[Annotator], progress: Progress | None = None
) -> Callable[[Faces], dict[str, NDArray[Any]]]:
    """What annotators say of a generator's faces, by name, a row a face; on one thread."""
    import torch

    generator = ARCHITECTURES[source.architecture].load(
        source.weights, torch.device("cpu"), progress=progress, threads=1
    )
    measures = [annotator.load(1, progress) for annotator in annotators]

    def measured(faces: Faces) -> dict[str, NDArray[Any]]:
        columns: dict[str, list[NDArray[Any]]] = {}
        for decoded in generator.decode(faces.styles(generator)):
            image = np.ascontiguousarray(decoded[:, ::-1]) if faces.mirrored else decoded
            found: dict[str, Any] = {}
            for one in measures:
                # Where two say the same, the first counts.
                found = {**one(image), **found}
            for name, value in found.items():
                columns.setdefault(name, []).append(np.asarray(value))
        return {name: np.stack(rows) for name, rows in columns.items()}

    return measured


def _folder(source: Source, faces: Faces, annotators: Sequence[Annotator]) -> Path:
    name = f"{source.key}-{FACES.version}-{faces.fingerprint()}"
    others = [f"{a.name}{a.version if a.version > 1 else ''}" for a in annotators if a != FACES]
    if FACES not in annotators:
        others.insert(0, "without-faces")
    return cache_dir() / "measured" / "-".join([name, *others])

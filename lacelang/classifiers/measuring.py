"""Paint and measure many latents in worker processes, in shards, so that a killed run goes on.

A shard is a file of what annotators measured. It appears whole or not at all; a second
run with the same latents finds it and does only what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from lacelang.annotators import ANNOTATORS, Annotator
from lacelang.annotators.faces import FACES
from lacelang.classifiers.draws import Draws, Mirrored, Painted
from lacelang.generators import ARCHITECTURES
from lacelang.generators.declaration import Weights
from lacelang.storage.cache import cache_dir, guarded, whole_file
from lacelang.system.processes import processes

if TYPE_CHECKING:
    from torch import Tensor

    from lacelang.annotators.declaration import Measure
    from lacelang.generators.generator import Generator
    from lacelang.progress import Progress

Faces: TypeAlias = Draws | Painted | Mirrored

Measured: TypeAlias = Mapping[str, NDArray[Any]]
"""What annotators measured, by name: arrays (N, ...), a row a face."""

#: Faces in a shard: about ten seconds of work for a core.
SHARD = 25


@frozen
class Source:
    """Which generator paints: its architecture and where its weights are."""

    architecture: str
    weights: Weights

    @property
    def key(self) -> str:
        """What tells it from others; one without weights is the same for good."""
        return self.weights.sha256[:12] if self.weights is not None else self.architecture


def measure(
    source: Source,
    draws: Faces,
    annotators: Sequence[Annotator] = (FACES,),
    *,
    progress: Progress,
    workers: int | None = None,
    title: str = "labelling",
) -> Measured:
    """Paint every face and have annotators measure its picture.

    Args:
        source: what paints.
        draws: what is painted.
        annotators: who measures.
        progress: where to show how far it is.
        workers: processes; None takes as many as there are cores.
        title: what the bar says.

    Raises:
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    folder = _folder(source, draws, annotators)
    with guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(draws), SHARD)
    missing = [s for s in starts if not _shard(folder, s).is_file()]
    # Fetch and convert once, here, where the progress bar is.
    _load(source, annotators, progress)
    with progress.stage(title, total=len(draws)) as stage:
        stage.advance(len(draws) - sum(min(SHARD, len(draws) - s) for s in missing))
        if missing:
            count = min(workers or os.cpu_count() or 1, len(missing))
            with processes(count, _start, source, tuple(a.name for a in annotators)) as pool:
                jobs = [
                    pool.submit(_work, draws.rows(slice(s, s + SHARD)), _shard(folder, s))
                    for s in missing
                ]
                for job in as_completed(jobs):
                    stage.advance(job.result())
    return joined([load_file(_shard(folder, s)) for s in starts])


def joined(parts: Sequence[Measured]) -> Measured:
    """Return the rows of several tables of measures in one."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


_loaded: tuple[Generator, list[Measure]]


def _start(source: Source, names: Sequence[str]) -> None:
    import torch

    torch.set_num_threads(1)
    global _loaded
    _loaded = _load(source, [ANNOTATORS[name] for name in names], None)


def _work(faces: Faces, path: Path) -> int:
    generator, measures = _loaded
    columns: dict[str, list[NDArray[Any]]] = {}
    mirrored = isinstance(faces, Mirrored)
    for painted in generator.decode(_styles(generator, faces)):
        image = np.ascontiguousarray(painted[:, ::-1]) if mirrored else painted
        for name, value in _measured(measures, image).items():
            columns.setdefault(name, []).append(np.asarray(value))
    with whole_file(path) as partial:
        save_file({name: np.stack(rows) for name, rows in columns.items()}, partial)
    return len(faces)


def _measured(measures: Sequence[Measure], image: NDArray[np.uint8]) -> dict[str, Any]:
    """What annotators say of one image; where two say the same, the first counts."""
    found: dict[str, Any] = {}
    for measure in measures:
        found = {**measure(image), **found}
    return found


def _styles(generator: Generator, faces: Faces) -> Tensor:
    import torch

    if isinstance(faces, Mirrored):
        faces = faces.faces
    if isinstance(faces, Painted):
        return torch.from_numpy(np.ascontiguousarray(faces.w))
    with torch.inference_mode():
        w = generator.mapping(torch.from_numpy(faces.z))
        return generator.truncate(w, torch.from_numpy(faces.psi)[:, None])


def _load(
    source: Source, annotators: Sequence[Annotator], progress: Progress | None
) -> tuple[Generator, list[Measure]]:
    import torch

    generator = ARCHITECTURES[source.architecture].load(
        source.weights, torch.device("cpu"), progress=progress, threads=1
    )
    return generator, [annotator.load(1, progress) for annotator in annotators]


def _folder(source: Source, draws: Faces, annotators: Sequence[Annotator]) -> Path:
    name = f"{source.key}-{FACES.version}-{draws.fingerprint()}"
    others = [f"{a.name}{a.version if a.version > 1 else ''}" for a in annotators if a != FACES]
    if FACES not in annotators:
        others.insert(0, "without-faces")
    return cache_dir() / "measured" / "-".join([name, *others])


def _shard(folder: Path, start: int) -> Path:
    return folder / f"{start:06d}.safetensors"

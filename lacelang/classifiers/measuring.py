"""Paint and measure many latents in worker processes, in shards, so that a killed run goes on.

A shard is a file of raw measures and image embeddings. It appears whole or not at all; a second
run with the same latents finds it and does only what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from lacelang.classifiers.draws import Draws, Mirrored, Painted
from lacelang.storage.cache import cache_dir, guarded, whole_file
from lacelang.storage.fetch import Archive
from lacelang.system.processes import processes

if TYPE_CHECKING:
    from torch import Tensor

    from lacelang.annotators.annotator import Annotators
    from lacelang.annotators.identity import Identity
    from lacelang.generators.generator import Generator
    from lacelang.progress import Progress

Faces: TypeAlias = Draws | Painted | Mirrored

#: Faces in a shard: about ten seconds of work for a core.
SHARD = 25
# Raised when a measure changes its meaning, so that no older shard is taken for a new one.
_MEASURES_VERSION = 1


@frozen
class Source:
    """Which generator paints: its architecture and the archive of its weights."""

    architecture: str
    archive: Archive


@frozen(eq=False)
class Measured:
    """What was measured, a row a face.

    Attributes:
        raw: measures float32 (N, M).
        embedding: image embeddings float16 (N, E).
        identity: descriptors float32 (N, 128) of who it is, where they were asked for.
    """

    raw: NDArray[np.float32]
    embedding: NDArray[np.float16]
    identity: NDArray[np.float32] | None = None


def measure(
    source: Source,
    draws: Faces,
    *,
    progress: Progress,
    workers: int | None = None,
    title: str = "labelling",
    identity: bool = False,
) -> Measured:
    """Paint every face and measure its picture.

    Args:
        source: what paints.
        draws: what is painted.
        progress: where to show how far it is.
        workers: processes; None takes as many as there are cores.
        title: what the bar says.
        identity: describe also who each face is, which takes a network more.

    Raises:
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    folder = _folder(source, draws, identity)
    with guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(draws), SHARD)
    missing = [s for s in starts if not _shard(folder, s).is_file()]
    # Fetch and convert once, here, where the progress bar is.
    _generator(source, progress)
    _annotators()
    if identity:
        _identity(progress)
    with progress.stage(title, total=len(draws)) as stage:
        stage.advance(len(draws) - sum(min(SHARD, len(draws) - s) for s in missing))
        if missing:
            count = min(workers or os.cpu_count() or 1, len(missing))
            for done in _run(source, draws, folder, missing, count, identity):
                stage.advance(done)
    shards = [load_file(_shard(folder, s)) for s in starts]
    names = ("raw", "embedding", "identity") if identity else ("raw", "embedding")
    return Measured(*(np.concatenate([s[name] for s in shards]) for name in names))


def _run(
    source: Source,
    draws: Faces,
    folder: Path,
    missing: Sequence[int],
    workers: int,
    identity: bool,
) -> Iterator[int]:
    with processes(workers, _start, source, identity) as pool:
        jobs = [
            pool.submit(_work, draws.rows(slice(s, s + SHARD)), _shard(folder, s)) for s in missing
        ]
        for job in as_completed(jobs):
            yield job.result()


_loaded: tuple[Generator, Annotators, Identity | None]


def _start(source: Source, identity: bool) -> None:
    import torch

    torch.set_num_threads(1)
    global _loaded
    _loaded = (_generator(source, None), _annotators(), _identity(None) if identity else None)


def _work(faces: Faces, path: Path) -> int:
    generator, annotators, identity = _loaded
    columns: dict[str, list[NDArray[Any]]] = {}
    mirrored = isinstance(faces, Mirrored)
    for painted in generator.decode(_styles(generator, faces)):
        image = np.ascontiguousarray(painted[:, ::-1]) if mirrored else painted
        raw, embedding = annotators.measure(image)
        columns.setdefault("raw", []).append(raw)
        columns.setdefault("embedding", []).append(embedding)
        if identity is not None:
            columns.setdefault("identity", []).append(identity.describe(image))
    with whole_file(path) as partial:
        save_file({name: np.stack(rows) for name, rows in columns.items()}, partial)
    return len(faces)


def _styles(generator: Generator, faces: Faces) -> Tensor:
    import torch

    if isinstance(faces, Mirrored):
        faces = faces.faces
    if isinstance(faces, Painted):
        return torch.from_numpy(np.ascontiguousarray(faces.w))
    with torch.inference_mode():
        w = generator.mapping(torch.from_numpy(faces.z))
        return generator.truncate(w, torch.from_numpy(faces.psi)[:, None])


def _generator(source: Source, progress: Progress | None) -> Generator:
    import torch

    from lacelang.generators.generator import load_generator

    cpu = torch.device("cpu")
    return load_generator(
        source.architecture, source.archive, device=cpu, progress=progress, threads=1
    )


def _annotators() -> Annotators:
    from lacelang.annotators.annotator import Annotators

    return Annotators(threads=1)


def _identity(progress: Progress | None) -> Identity:
    from lacelang.annotators.identity import Identity

    return Identity(threads=1, progress=progress)


def _folder(source: Source, draws: Faces, identity: bool) -> Path:
    name = f"{source.archive.sha256[:12]}-{_MEASURES_VERSION}-{draws.fingerprint()}"
    return cache_dir() / "measured" / (f"{name}-identity" if identity else name)


def _shard(folder: Path, start: int) -> Path:
    return folder / f"{start:06d}.safetensors"

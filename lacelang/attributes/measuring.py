"""Paint and measure many latents in worker processes, in shards, so that a killed run goes on.

A shard is a file of raw measures and image embeddings. It appears whole or not at all; a second
run with the same latents finds it and does only what is missing.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from lacelang.attributes.draws import Draws
from lacelang.models.cache import cache_dir, guarded, whole_file
from lacelang.models.fetch import Archive

if TYPE_CHECKING:
    from lacelang.attributes.annotators.annotator import Annotators
    from lacelang.models.generator import Generator
    from lacelang.output.progress import Progress

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
    """Raw measures float32 (N, M) and image embeddings float16 (N, E), a row a draw."""

    raw: NDArray[np.float32]
    embedding: NDArray[np.float16]


def measure(
    source: Source,
    draws: Draws,
    *,
    progress: Progress,
    workers: int | None = None,
    title: str = "labelling",
) -> Measured:
    """Paint every draw and measure its picture.

    Raises:
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    folder = _folder(source, draws)
    with guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(draws), SHARD)
    missing = [s for s in starts if not _shard(folder, s).is_file()]
    # Fetch and convert once, here, where the progress bar is.
    _generator(source, progress)
    _annotators()
    with progress.stage(title, total=len(draws)) as stage:
        stage.advance(len(draws) - sum(min(SHARD, len(draws) - s) for s in missing))
        if missing:
            for done in _run(source, draws, folder, missing, workers or os.cpu_count() or 1):
                stage.advance(done)
    shards = [load_file(_shard(folder, s)) for s in starts]
    return Measured(
        np.concatenate([s["raw"] for s in shards]),
        np.concatenate([s["embedding"] for s in shards]),
    )


def _run(
    source: Source, draws: Draws, folder: Path, missing: Sequence[int], workers: int
) -> Iterator[int]:
    # Spawned, not forked: OpenVINO's and torch's thread pools do not survive a fork.
    pool = ProcessPoolExecutor(
        min(workers, len(missing)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(source,),
    )
    try:
        jobs = [
            pool.submit(_work, draws.z[s : s + SHARD], draws.psi[s : s + SHARD], _shard(folder, s))
            for s in missing
        ]
        for job in as_completed(jobs):
            yield job.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_loaded: tuple[Generator, Annotators]
_parent: int


def _start(source: Source) -> None:
    import signal

    import torch

    # Ctrl-C reaches the whole process group: the parent alone decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    global _loaded, _parent
    _parent = os.getppid()
    _loaded = (_generator(source, None), _annotators())


def _work(z: NDArray[np.float32], psi: NDArray[np.float32], path: Path) -> int:
    import torch

    if os.getppid() != _parent:
        os._exit(1)  # the run was killed: do not work through what is still queued
    generator, annotators = _loaded
    with torch.inference_mode():
        w = generator.mapping(torch.from_numpy(z))
        w = generator.truncate(w, torch.from_numpy(psi)[:, None])
    pairs = [annotators.measure(image) for image in generator.decode(w)]
    table: dict[str, NDArray[Any]] = {
        "raw": np.stack([r for r, _ in pairs]),
        "embedding": np.stack([e for _, e in pairs]),
    }
    with whole_file(path) as partial:
        save_file(table, partial)
    return len(z)


def _generator(source: Source, progress: Progress | None) -> Generator:
    import torch

    from lacelang.models.generator import load_generator

    cpu = torch.device("cpu")
    return load_generator(
        source.architecture, source.archive, device=cpu, progress=progress, threads=1
    )


def _annotators() -> Annotators:
    from lacelang.attributes.annotators.annotator import Annotators

    return Annotators(threads=1)


def _folder(source: Source, draws: Draws) -> Path:
    name = f"{source.archive.sha256[:12]}-{_MEASURES_VERSION}-{draws.fingerprint()}"
    return cache_dir() / "measured" / name


def _shard(folder: Path, start: int) -> Path:
    return folder / f"{start:06d}.safetensors"

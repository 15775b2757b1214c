"""Latents to files: decoded in one thread, written by others, while the caller goes on sampling."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from lacelang.output.cards import thumbnail
from lacelang.output.film import draw_film
from lacelang.output.folder import RunFolder
from lacelang.output.latents import Float32, Latents
from lacelang.output.png import PngWriter
from lacelang.output.progress import Stage
from lacelang.output.provenance import provenance
from lacelang.output.records import RunRecord, SampleRecord
from lacelang.output.sheet import MOST_FACES, draw_sheet, write_sheet
from lacelang.threads import checkpoint, owned

Picture = NDArray[np.uint8]
Decode = Callable[[Float32], Iterator[Picture]]
Frames = Callable[[Latents], Float32]
"""All pictures of some samples (N, F, …), in the order of a film strip, each one's own last."""

# Frames of so many samples are made at once: those of an edit are large.
_CHUNK = 64


@frozen(eq=False)
class _Job:
    name: str
    samples: Sequence[SampleRecord]
    latents: Latents
    frames: Frames
    decode: Decode


class Painter:
    """Paints the samples handed to `paint`, and each group's sheet once its last face is there.

    Leaving the `with` block waits for everything; leaving it with an exception gives up what has
    not been decoded yet, and keeps what has.

    Raises:
        ResourceError: from `paint` or at the end of the block, if a file could not be written or
            the decoder failed.
    """

    def __init__(
        self, folder: RunFolder, run: RunRecord, stage: Stage, metadata: bool = True
    ) -> None:
        self._folder = folder
        self._run = run
        self._stage = stage
        self._metadata = metadata
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._missing: dict[str, int] = {}
        self._thumbnails: dict[str, dict[int, Image.Image]] = {}
        self._thread = owned(self._work, "decoder")

    def expect(self, name: str) -> None:
        """Say that a group is to be complete in the end; draw its sheet now if it is already."""
        group = self._folder.group(name)
        finished = sum(sample.file is not None for sample in group.samples)
        self._missing[name] = group.count - finished
        self._thumbnails[name] = {}
        if self._missing[name] == 0 and not self._folder.sheet(name).exists():
            self._draw_sheet(name)

    def paint(
        self,
        name: str,
        samples: Sequence[SampleRecord],
        latents: Latents,
        frames: Frames,
        decode: Decode,
    ) -> None:
        """Queue samples for decoding; `latents` has a row for each of them."""
        if self._failure is not None:
            raise self._failure
        for start in range(0, len(samples), _CHUNK):
            rows = slice(start, start + _CHUNK)
            self._jobs.put(_Job(name, samples[rows], latents.rows(rows), frames, decode))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._stop.set()
        self._jobs.put(None)
        try:
            while not self._ended.wait(0.1):
                checkpoint()
        except BaseException:
            # Ctrl-C while the last faces are painted: no more of them, but those under way whole.
            self._stop.set()
            self._ended.wait()
            raise
        # Not `join` above: interrupted, it takes the thread for finished (CPython issue 89437).
        self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            with PngWriter() as writer:
                while (job := self._jobs.get()) is not None:
                    self._paint(writer, job)
        except BaseException as error:
            self._failure = error
        finally:
            self._ended.set()

    def _paint(self, writer: PngWriter, job: _Job) -> None:
        if self._stop.is_set():
            return
        frames = job.frames(job.latents)
        each = frames.shape[1]
        images = job.decode(frames.reshape(-1, *frames.shape[2:]))
        for sample in job.samples:
            group = self._folder.group(job.name)
            film = []
            for image in islice(images, each - 1):
                film.append(thumbnail(image))
                if self._stop.is_set():
                    return
            image = next(images)
            if group.steps:
                # Before the face, whose presence says that the sample is finished.
                film.append(thumbnail(image))
                path = self._folder.film(job.name, sample.index)
                write_sheet(path, draw_film(group, sample, film))
            writer.submit(
                self._folder.path(job.name, sample.index),
                image,
                provenance(self._run, group, sample) if self._metadata else None,
                self._written(job.name, sample.index),
            )
            if self._stop.is_set():
                return

    def _written(self, name: str, index: int) -> Callable[[Picture], None]:
        def note(image: Picture) -> None:
            self._folder.written(name, index)
            small = thumbnail(image) if index < MOST_FACES else None
            with self._lock:
                if small is not None:
                    self._thumbnails[name][index] = small
                self._missing[name] -= 1
                last = self._missing[name] == 0
            if last:
                self._draw_sheet(name)
            self._stage.advance()

        return note

    def _draw_sheet(self, name: str) -> None:
        group = self._folder.group(name)
        pictures = self._thumbnails.pop(name)
        for sample in group.samples[:MOST_FACES]:
            if sample.index not in pictures and sample.file is not None:
                pictures[sample.index] = _small(self._folder.root / sample.file)
        write_sheet(self._folder.sheet(name), draw_sheet(group, pictures))


def _small(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return thumbnail(image)

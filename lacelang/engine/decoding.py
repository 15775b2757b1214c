"""Latents to files: decoded in one thread, written by others, while the caller goes on sampling."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from lacelang.engine.tasks import GroupTask
from lacelang.progress import Stage
from lacelang.render.film_strip import draw_film
from lacelang.render.sheet import MOST_FACES, draw_sheet, write_sheet
from lacelang.render.sheet_cells import thumbnail
from lacelang.storage.group_folder import GroupFolder
from lacelang.storage.latents import Latents
from lacelang.storage.png import PngWriter
from lacelang.storage.provenance import provenance
from lacelang.storage.records import RunRecord, SampleRecord
from lacelang.storage.run_folder import RunFolder
from lacelang.system.threads import checkpoint, owned

Picture = NDArray[np.uint8]

CHUNK = 64
"""Samples that are handed over at once: the frames of an edit are large."""


@frozen(eq=False)
class _Job:
    task: GroupTask
    samples: Sequence[SampleRecord]
    latents: Latents


class DecodePipeline:
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
        self._missing[name] = group.record.count - len(group.finished)
        self._thumbnails[name] = {}
        if self._missing[name] == 0 and not group.has_sheet:
            self._draw_sheet(name)

    def paint(self, task: GroupTask, samples: Sequence[SampleRecord], latents: Latents) -> None:
        """Queue at most `CHUNK` samples for decoding; `latents` has a row for each of them."""
        if self._failure is not None:
            raise self._failure
        self._jobs.put(_Job(task, samples, latents))

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
        frames = job.task.frames(job.latents)
        each = frames.shape[1]
        images = job.task.model.decode_array(frames.reshape(-1, *frames.shape[2:]))
        group = self._folder.group(job.task.record.name)
        for sample in job.samples:
            film = []
            for image in islice(images, each - 1):
                film.append(thumbnail(image))
                if self._stop.is_set():
                    return
            image = next(images)
            if group.record.steps:
                # Before the face, whose presence says that the sample is finished.
                film.append(thumbnail(image))
                write_sheet(group.film(sample.index), draw_film(group.record, sample, film))
            writer.submit(
                group.image(sample.index),
                image,
                provenance(self._run, group.record, sample) if self._metadata else None,
                self._written(group, sample.index),
            )
            if self._stop.is_set():
                return

    def _written(self, group: GroupFolder, index: int) -> Callable[[Picture], None]:
        def note(image: Picture) -> None:
            group.note_image(index)
            small = thumbnail(image) if index < MOST_FACES else None
            with self._lock:
                if small is not None:
                    self._thumbnails[group.name][index] = small
                self._missing[group.name] -= 1
                last = self._missing[group.name] == 0
            if last:
                self._draw_sheet(group.name)
            self._stage.advance()

        return note

    def _draw_sheet(self, name: str) -> None:
        folder = self._folder.group(name)
        pictures = self._thumbnails.pop(name)
        for sample in folder.samples[:MOST_FACES]:
            if sample.index not in pictures:
                pictures[sample.index] = _small(folder.image(sample.index))
        write_sheet(folder.sheet, draw_sheet(folder.group, pictures))
        folder.has_sheet = True


def _small(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return thumbnail(image)

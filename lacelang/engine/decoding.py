"""Latents to pictures: decoded in one thread while the caller goes on sampling."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Self, TypeAlias

from lacelang.engine.sinks import Picture, Sink
from lacelang.engine.tasks import GroupTask
from lacelang.progress import Stage
from lacelang.storage.latents import Latents, Shards
from lacelang.storage.records import SampleRecord
from lacelang.system.threads import checkpoint, owned

#: Samples of which latents are read at once: the frames of an edit are large.
_CHUNK = 64


_Job: TypeAlias = tuple[GroupTask, Sequence[SampleRecord], Latents]


class _StoppedError(Exception):
    """No more pictures are wanted."""


class DecodePipeline:
    """Decodes what is put into it, and hands the pictures to a sink.

    Leaving the `with` block waits for everything; leaving it with an exception gives up what has
    not been decoded yet, and keeps what has.

    Raises:
        ResourceError: from `put` or at the end of the block, if a file could not be written or
            the decoder failed.
    """

    def __init__(self, sink: Sink, stage: Stage) -> None:
        self._sink = sink
        self._stage = stage
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._ended = threading.Event()
        self._thread = owned(self._work, "decoder")

    def put(self, task: GroupTask, samples: Sequence[SampleRecord], latents: Latents) -> None:
        """Queue a batch of samples; `latents` has a row for each of them."""
        if self._failure is not None:
            raise self._failure
        self._jobs.put((task, samples, latents))

    def put_stored(
        self, task: GroupTask, samples: Sequence[SampleRecord], latents: Latents | Shards
    ) -> None:
        """Queue samples of an earlier run; `latents` are those of the whole group."""
        for start in range(0, len(samples), _CHUNK):
            some = samples[start : start + _CHUNK]
            self.put(task, some, latents.rows([sample.index for sample in some]))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._stop.set()
        self._jobs.put(None)
        try:
            while not self._ended.wait(0.1):
                checkpoint()
        except BaseException:
            # Ctrl-C while the last pictures are decoded: no more of them, but those under way.
            self._stop.set()
            self._ended.wait()
            raise
        # Not `join` above: interrupted, it takes the thread for finished (CPython issue 89437).
        self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            try:
                while (job := self._jobs.get()) is not None:
                    self._decode(*job)
            finally:
                self._sink.flush()
        except _StoppedError:
            pass
        except BaseException as error:
            self._failure = error
        finally:
            self._ended.set()

    def _decode(self, task: GroupTask, samples: Sequence[SampleRecord], latents: Latents) -> None:
        frames = task.frames(latents)
        pictures = self._wanted(task.model.decode(frames.reshape(-1, *frames.shape[2:])))
        for sample in samples:
            self._sink.picture(task, sample, pictures)
            self._stage.advance()

    def _wanted(self, pictures: Iterator[Picture]) -> Iterator[Picture]:
        while not self._stop.is_set():
            yield next(pictures)
        raise _StoppedError

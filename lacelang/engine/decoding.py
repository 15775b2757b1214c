"""Pictures of samples: decoded in a thread of its own while the caller goes on sampling."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Self

from lacelang.engine.advancing import Advancing
from lacelang.engine.sinks import Picture, Sink
from lacelang.engine.sinks.encoding import Encoder, Taken
from lacelang.engine.tasks import BATCH, GroupTask
from lacelang.errors import LaceError
from lacelang.storage.latents import Latents
from lacelang.storage.records import SampleRecord
from lacelang.system.threads import Pool


class StoppedError(Exception):
    """No more pictures are wanted."""


def pictures_of(
    task: GroupTask,
    encoder: Encoder,
    latents: Latents,
    tolerant: bool,
    wanted: Callable[[], bool] = lambda: True,
) -> Iterator[Taken | Exception]:
    """Decode N samples, in order.

    An error ends it, or if `tolerant` stands for the samples that it is about: after one the others
    are decoded one by one. Errors of the environment always end it.
    """
    frames = encoder.frames(task, latents)

    def decoded(rows: slice) -> Iterator[Picture]:
        some = frames[rows]
        found = task.model.decode(some.reshape(-1, *some.shape[2:]))
        while wanted():
            yield next(found)
        raise StoppedError

    pictures, alone = decoded(slice(None)), False
    for row in range(len(frames)):
        try:
            if alone:
                pictures = decoded(slice(row, row + 1))
            taken = encoder.taken(task, pictures)
        except (LaceError, StoppedError, MemoryError):
            raise
        except Exception as error:
            if not tolerant:
                raise
            found: Taken | Exception = error
            if not alone:
                alone = True
                try:
                    found = encoder.taken(task, decoded(slice(row, row + 1)))
                except (LaceError, StoppedError, MemoryError):
                    raise
                except Exception as again:
                    found = again
            yield found
        else:
            yield taken


class DecodePipeline:
    """Decodes what is put into it in a thread of its own, and hands the pictures to a sink.

    Leaving the `with` block waits for everything. After an error of the decoder, the sink or the
    caller no more is decoded, and what has been decoded is kept.
    """

    def __init__(self, sink: Sink, encoder: Encoder, advancing: Advancing) -> None:
        self._sink = sink
        self._encoder = encoder
        self._advancing = advancing
        self._pool = Pool(1, "decoder", most=sys.maxsize if sink.ahead is None else sink.ahead)

    def put(self, task: GroupTask, samples: Sequence[SampleRecord]) -> None:
        """Queue samples of a group, whose latents the sink has; raise what has gone wrong."""
        # Not all at once: the frames of an edit are large.
        for start in range(0, len(samples), BATCH):
            some = samples[start : start + BATCH]
            latents = self._sink.latents(task.record.name).rows([s.index for s in some])
            self._pool.submit(self._decode, task, some, latents)

    def settle(self) -> None:
        """Wait until all that was put in is decoded and kept."""
        self._pool.close()
        self._sink.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.settle()
        finally:
            # After Ctrl-C too: no more pictures but those under way.
            self._pool.drop()
            with suppress(Exception):
                self._sink.flush()

    def _decode(self, task: GroupTask, samples: Sequence[SampleRecord], latents: Latents) -> None:
        found = pictures_of(
            task,
            self._encoder,
            latents,
            self._sink.tolerant,
            lambda: not self._pool.left.is_set(),
        )
        name = task.record.name
        stage = self._advancing.stage(name)
        try:
            for sample, taken in zip(samples, found, strict=True):
                if isinstance(taken, Exception):
                    self._sink.failed(task, sample, taken)
                else:
                    self._sink.picture(task, sample, taken)
                stage.advance()
            self._advancing.done(name, samples[0].index, len(samples))
        except BaseException:
            self._pool.left.set()
            raise

"""What draws and decodes the samples of a run: here, this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from lacelang.engine.advancing import Advancing
from lacelang.engine.failures import tolerating
from lacelang.engine.plan import Options, Plan
from lacelang.engine.sinks import Sink
from lacelang.engine.tasks import Batch, GroupTask
from lacelang.ir import CheckedProgram
from lacelang.progress import Stage
from lacelang.storage.records import SampleRecord


class Decoder(Protocol):
    """Decodes samples, and hands what it decoded to a sink, in order."""

    def put(self, task: GroupTask, samples: Sequence[SampleRecord]) -> None:
        """Queue samples of a group, whose latents the sink has; raise what has gone wrong."""

    def settle(self) -> None:
        """Wait until all that was put in is decoded and kept."""


class Executor:
    """This process."""

    def __init__(self, program: CheckedProgram, planned: Plan, options: Options) -> None:
        self._program = program
        self._planned = planned
        self._options = options

    def prepare(self, tasks: Sequence[GroupTask]) -> None:
        """Get ready to decode."""
        for model in {id(task.model): task.model for task in tasks}.values():
            model.prepare()

    def decoder(self, sink: Sink, advancing: Advancing) -> AbstractContextManager[Decoder]:
        """Give what decodes; leaving its block waits for everything."""
        # Only a run that writes files pays for importing what draws and encodes them.
        from lacelang.engine.decoding import DecodePipeline
        from lacelang.engine.sinks.encoding import encoder_of

        encoder = encoder_of(self._program, self._planned, self._options)
        return DecodePipeline(sink, encoder, advancing)

    def draw(self, task: GroupTask, first: int, sink: Sink, stage: Stage) -> Iterator[Batch]:
        """Make samples `first` to the last of a group, a batch at a time."""
        guarded = tolerating if sink.tolerant else None
        return task.draw(first, sink, stage, guarded)

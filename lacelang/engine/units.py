"""What runs in a worker: units of work, each a batch to draw, or some samples to decode."""

from __future__ import annotations

import os
import pickle
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from lacelang.engine.failures import SampleError, said_of, tolerating
from lacelang.engine.plan import Options, plan
from lacelang.engine.sinks.encoding import Encoded, Encoder, encoder_of
from lacelang.engine.tasks import Batch, Copying, Draw, GroupTask, Rows
from lacelang.errors import ResourceError, UsageError
from lacelang.ir import CheckedProgram
from lacelang.progress import Silent, Stage
from lacelang.storage.latents import Latents
from lacelang.system.threads import THREADS


@frozen(eq=False)
class Job:
    """What every worker is told once."""

    key: str
    program: CheckedProgram
    options: Options
    threads: int

    def packed(self) -> bytes:
        """Return it as workers are sent it; a UsageError if a program cannot be sent."""
        try:
            return pickle.dumps(self)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise _of_python(error) from error


@frozen(eq=False)
class _Made:
    """What a worker made of a job."""

    tasks: Mapping[str, GroupTask]
    encoder: Encoder | None
    draws: dict[str, tuple[_Given, Draw]] = field(factory=dict)


class _Given:
    """The groups that a batch begins from: only the samples that it needs."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[Sequence[int], Latents]] = {}

    def latents(self, name: str) -> Rows:
        return _GivenRows(self, name)


class _GivenRows:
    def __init__(self, given: _Given, name: str) -> None:
        self._given, self._name = given, name

    def rows(self, chosen: Sequence[int]) -> Latents:
        indices, latents = self._given.found[self._name]
        places = {index: place for place, index in enumerate(indices)}
        return latents.rows([places[index] for index in chosen])


def _of_python(error: Exception) -> UsageError:
    return UsageError(
        f"`workers` cannot have what Python defined: {error}\n"
        "define it at the top of a module that they can import, or run without workers",
        "workers",
    )


_made: dict[str, _Made] = {}


def _made_of(data: bytes) -> _Made:
    """Load what a job needs, once in each process."""
    try:
        job: Job = pickle.loads(data)
    except (AttributeError, ImportError) as error:
        raise _of_python(error) from error
    if job.key not in _made:
        import torch

        os.environ[THREADS] = str(job.threads)
        torch.set_num_threads(job.threads)
        _made.clear()
        from lacelang.system.torch_state import isolated

        with isolated():
            planned = plan(job.program, job.options, Silent())
            tasks = {task.record.name: task for task in planned.groups}
            encoder = encoder_of(job.program, planned, job.options) if job.options.images else None
        _made[job.key] = _Made(tasks, encoder)
    return _made[job.key]


def _answered(work: Callable[[], object]) -> bytes:
    """What `work` gives, or the error that it raises, as bytes: Ray would wrap errors.

    Beside it stand how often Ray has begun the unit before, and the process that did it now.
    """
    by = _attempt(), f"{platform.node()}:{os.getpid()}"
    try:
        from lacelang.system.torch_state import isolated

        with isolated():
            return pickle.dumps((work(), *by))
    except Exception as error:
        try:
            data = pickle.dumps((error, *by))
            pickle.loads(data)
        except Exception:
            # An error of a library's that cannot be sent.
            data = pickle.dumps((RuntimeError(f"{type(error).__name__}: {error}"), *by))
        return data


def _attempt() -> int:
    """How often Ray has begun this unit before: its worker died, or was lost."""
    try:
        from ray._private.worker import global_worker

        core: Any = vars(global_worker)["core_worker"]
        return int(core.get_current_task_attempt_number())
    except Exception:
        # Not a worker of Ray's, or a Ray that does not say.
        return 0


def draw_unit(
    job: bytes, name: str, fingerprint: str, indices: range, given: bytes | None, tolerant: bool
) -> bytes:
    """Draw a batch; called in a worker."""

    def draw() -> Batch:
        made = _made_of(job)
        task = made.tasks[name]
        if task.record.fingerprint != fingerprint:
            raise ResourceError(
                f"a worker would make other samples of {name}: it has other weights or other "
                "files, another kind of device or another version of lacelang",
                "install the same everywhere",
            )
        assert not isinstance(task.prepared, Copying)  # those are made where the run is
        if name not in made.draws:
            there = _Given()
            if given is not None:
                there.found = pickle.loads(given)
            made.draws[name] = there, task.prepared(there)
        there, make = made.draws[name]
        if given is not None:
            there.found = pickle.loads(given)
        if tolerant:
            make = tolerating(task, make, there)
        return make(indices, Stage())

    return _answered(draw)


def decode_unit(job: bytes, name: str, samples: bytes, tolerant: bool) -> bytes:
    """Decode and encode some samples; called in a worker."""

    def decode() -> list[Encoded | Exception]:
        from lacelang.engine.decoding import pictures_of

        made = _made_of(job)
        assert made.encoder is not None
        task, encoder = made.tasks[name], made.encoder
        records, latents = pickle.loads(samples)
        found = pictures_of(task, encoder, latents, tolerant)
        return [
            SampleError(said_of(each))
            if isinstance(each, Exception)
            else encoder.encode(task, record, each)
            for record, each in zip(records, found, strict=True)
        ]

    return _answered(decode)

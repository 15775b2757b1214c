"""Workers: processes of this machine or of a cluster that share a run, by Ray.

A unit of work is a batch of samples to draw, or some samples to decode and encode. Ray places
units, and repeats those whose worker has died. Results are taken in the order of the samples, and
only so many units are under way that what waits for its turn stays small. A sample depends on the
program, its seed and its index alone, so that it is the same wherever it is made.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import evolve, field, frozen

from lacelang.engine.labour import Labour
from lacelang.engine.plan import Options, Plan, plan
from lacelang.engine.sinks import Sink
from lacelang.engine.sinks.encoding import Encoded, Encoder, encoder_of
from lacelang.engine.tasks import Batch, Draw, GroupTask, Rows, batches
from lacelang.errors import ResourceError
from lacelang.ir import CheckedProgram, ExpectStatement, MeasureStatement, SampleStatement
from lacelang.progress import Silent, Stage
from lacelang.storage.latents import Latents
from lacelang.storage.records import SampleRecord
from lacelang.system.threads import THREADS, cores

EXTRA = "pip install 'lacelang[ray]'"

#: Images of one unit: as PNG files of 1024², they take 25 MB.
_DECODED = 16
#: Units under way for each worker, so that none waits for the next one.
_EACH = 2
#: How often a unit is begun anew after its worker has died.
_RETRIES = 20
#: Of the memory that processes of this machine share, in bytes.
_STORE = 256 << 20
#: Seconds after which a cluster is asked again how large it is.
_ASK = 5.0


@frozen(eq=False)
class Job:
    """What every worker is told once."""

    key: str
    program: CheckedProgram
    options: Options
    threads: int


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

    def records(self, name: str, chosen: Sequence[int]) -> Sequence[SampleRecord]:
        raise NotImplementedError("groups that need records are made where the run is")


class _GivenRows:
    def __init__(self, given: _Given, name: str) -> None:
        self._given, self._name = given, name

    def rows(self, chosen: Sequence[int]) -> Latents:
        indices, latents = self._given.found[self._name]
        places = {index: place for place, index in enumerate(indices)}
        return latents.rows([places[index] for index in chosen])


_made: dict[str, _Made] = {}


def _made_of(data: bytes) -> _Made:
    """Load what a job needs, once in each process."""
    job: Job = pickle.loads(data)
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
    """What `work` gives, or the error that it raises, as bytes: Ray would wrap errors."""
    try:
        from lacelang.system.torch_state import isolated

        with isolated():
            return pickle.dumps(work())
    except Exception as error:
        try:
            data = pickle.dumps(error)
            pickle.loads(data)
        except Exception:
            # An error of a library's that cannot be sent.
            data = pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
        return data


def draw_unit(
    job: bytes, name: str, fingerprint: str, indices: range, given: bytes | None
) -> bytes:
    """Draw a batch; called in a worker."""

    def draw() -> Batch:
        made = _made_of(job)
        task = made.tasks[name]
        if task.record.fingerprint != fingerprint:
            raise ResourceError(
                f"a worker would make other samples of {name}: it has other weights, another kind "
                "of device or another version of lacelang",
                "install the same everywhere",
            )
        if name not in made.draws:
            there = _Given()
            if given is not None:
                there.found = pickle.loads(given)
            made.draws[name] = there, task.prepared(there)
        there, make = made.draws[name]
        if given is not None:
            there.found = pickle.loads(given)
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
            RuntimeError(f"{type(each).__name__}: {each}")
            if isinstance(each, Exception)
            else encoder.encode(task, record, each)
            for record, each in zip(records, found, strict=True)
        ]

    return _answered(decode)


class Workers(Labour):
    """Ray's workers."""

    def __init__(
        self, program: CheckedProgram, planned: Plan, options: Options, ray: Any, threads: int
    ) -> None:
        super().__init__(program, planned, options)
        self._ray = ray
        self._cluster = isinstance(options.workers, str)
        on_cpu = all(task.model.device.type == "cpu" for task in planned.groups)
        needs = {"num_cpus": 1} if on_cpu else {"num_cpus": 1, "num_gpus": 1}
        self._resource = "CPU" if on_cpu else "GPU"
        how = {**needs, "max_retries": _RETRIES, "retry_exceptions": False}
        self._draw_unit = ray.remote(**how)(draw_unit)
        self._decode_unit = ray.remote(**how)(decode_unit)
        self._job = ray.put(pickle.dumps(_job(program, planned, options, threads)))
        self._asked = -_ASK
        self._count = 1
        self._decoder: RemoteDecoder | None = None

    @property
    def most(self) -> int:
        """How many units of a kind may be under way; a cluster may grow."""
        if time.monotonic() - self._asked >= _ASK:
            self._asked = time.monotonic()
            self._count = max(1, int(self._ray.cluster_resources().get(self._resource, 1)))
        return _EACH * self._count

    def prepare(self, tasks: Sequence[GroupTask]) -> None:
        """Nothing: workers get ready by themselves."""

    @contextmanager
    def decoder(self, sink: Sink, stage: Stage) -> Iterator[RemoteDecoder]:
        """See `Labour`."""
        decoder = RemoteDecoder(self, sink, stage)
        self._decoder = decoder
        yield decoder
        decoder.settle()

    def draw(self, task: GroupTask, first: int, sink: Sink, stage: Stage) -> Iterator[Batch]:
        """See `Labour`."""
        if task.is_local:
            yield from task.draw(first, sink, stage)
            return
        pending: deque[Any] = deque()
        for indices in batches(first, task.record.count):
            given = None
            if task.sources:
                found = {n: (indices, sink.latents(n).rows(indices)) for n in task.sources}
                given = pickle.dumps(found)
            pending.append(
                self._draw_unit.remote(
                    self._job, task.record.name, task.record.fingerprint, indices, given
                )
            )
            if len(pending) >= self.most:
                yield self._batch(pending.popleft(), stage)
        while pending:
            yield self._batch(pending.popleft(), stage)

    def _batch(self, unit: Any, stage: Stage) -> Batch:
        """Wait for a batch; what was decoded meanwhile goes to the sink."""
        while self._decoder is not None and self._decoder.waiting:
            ready, _ = self._ray.wait([unit, self._decoder.next_unit], num_returns=1)
            if unit in ready:
                break
            self._decoder.take()
        batch: Batch = self.result(unit)
        stage.advance(len(batch.records))
        return batch

    def result(self, unit: Any) -> Any:
        """What a unit gave; an error that it raised is raised here."""
        from ray import exceptions

        try:
            found = pickle.loads(self._ray.get(unit))
        except exceptions.RayError as error:
            raise ResourceError(
                f"the workers failed: {' '.join(str(error).split())[:300]}",
                "run the command again: it goes on from what is finished",
            ) from error
        if isinstance(found, Exception):
            raise found
        return found

    def submit_decoding(
        self, name: str, samples: Sequence[SampleRecord], latents: Latents, tolerant: bool
    ) -> Any:
        """Have some samples decoded."""
        data = pickle.dumps((samples, latents))
        return self._decode_unit.remote(self._job, name, data, tolerant)


class RemoteDecoder:
    """Has samples decoded by workers, and hands the images to a sink, in order."""

    def __init__(self, workers: Workers, sink: Sink, stage: Stage) -> None:
        self._workers = workers
        self._sink = sink
        self._stage = stage
        self._pending: deque[tuple[Any, GroupTask, Sequence[SampleRecord]]] = deque()

    @property
    def waiting(self) -> bool:
        """Whether something is under way."""
        return bool(self._pending)

    @property
    def next_unit(self) -> Any:
        """The unit whose turn it is."""
        return self._pending[0][0]

    def put(self, task: GroupTask, samples: Sequence[SampleRecord]) -> None:
        """See `lacelang.engine.labour.Decoder`."""
        for start in range(0, len(samples), _DECODED):
            some = samples[start : start + _DECODED]
            latents = self._sink.latents(task.record.name).rows([s.index for s in some])
            name, tolerant = task.record.name, self._sink.tolerant
            unit = self._workers.submit_decoding(name, some, latents, tolerant)
            self._pending.append((unit, task, some))
            while len(self._pending) > self._workers.most:
                self.take()

    def take(self) -> None:
        """Wait for the unit whose turn it is, and keep what it gave."""
        unit, task, samples = self._pending.popleft()
        for sample, found in zip(samples, self._workers.result(unit), strict=True):
            if isinstance(found, Exception):
                self._sink.failed(task, sample, found)
            else:
                self._sink.encoded(task, sample, found)
            self._stage.advance()

    def settle(self) -> None:
        """See `lacelang.engine.labour.Decoder`."""
        while self._pending:
            self.take()
        self._sink.flush()


def _job(program: CheckedProgram, planned: Plan, options: Options, threads: int) -> Job:
    """What workers need of a run: seeds that were drawn for `random` are fixed in it."""
    seeds = {task.record.name: task.record.seed for task in planned.groups}
    statements = tuple(
        evolve(s, seed=seeds[s.name])
        if isinstance(s, SampleStatement) and s.seed == "random"
        else s
        for s in program.statements
        if not isinstance(s, ExpectStatement | MeasureStatement)
    )
    told = evolve(options, out=None, kept={}, on_image=None, workers=None, replace=True)
    return Job(secrets.token_hex(8), evolve(program, statements=statements), told, threads)


@contextmanager
def working_together(program: CheckedProgram, planned: Plan, options: Options) -> Iterator[Workers]:
    """Start workers, or join a cluster, and leave no process behind.

    Raises:
        ResourceError: Ray is not installed, or the cluster cannot be reached.
    """
    ray = _imported()
    wanted = options.workers
    if ray.is_initialized():
        # The caller's own, which stays.
        yield Workers(program, planned, options, ray, 1)
        return
    with _started(ray, wanted) as threads:
        yield Workers(program, planned, options, ray, threads)


def _imported() -> Any:
    # It would report its use to its authors' server, and ask `uv` how the program was started.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if "RAY_AUTH_MODE" not in os.environ:
        # Only this process and its children; Ray would make one, and keep it in a file.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ImportError:
        raise ResourceError(
            "more than one worker needs Ray, which is not installed", EXTRA
        ) from None
    return ray


@contextmanager
def _started(ray: Any, wanted: int | str | None) -> Iterator[int]:
    """Start Ray, or join a cluster; gives how many threads each worker may use."""
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    with contextlib.ExitStack() as stack:
        before = stack.enter_context(_signals_kept())
        try:
            if isinstance(wanted, str):
                stack.callback(ray.shutdown)
                ray.init(wanted, **quiet)
                threads = 1
            else:
                assert wanted is not None
                folder = tempfile.mkdtemp(prefix="ray", dir=_short_folder())
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
                stack.callback(ray.shutdown)
                ray.init(
                    "local",
                    num_cpus=wanted,
                    include_dashboard=False,
                    object_store_memory=_STORE,
                    _node_ip_address="127.0.0.1",
                    _temp_dir=folder,
                    **quiet,
                )
                threads = max(1, cores() // wanted)
        except Exception as error:
            what = wanted if isinstance(wanted, str) else "Ray"
            said = " ".join(str(error).split())[:300]
            raise ResourceError(
                f"{what} cannot be reached: {said}"
                if isinstance(wanted, str)
                else f"Ray cannot be started: {said}",
                "run it without workers, or look into Ray's logs",
            ) from error
        # Ctrl-C and SIGTERM are the command's again while workers work.
        for number, handler in before.items():
            signal.signal(number, handler)
        yield threads


@contextmanager
def _signals_kept() -> Iterator[dict[int, Any]]:
    """Give the handlers of signals that Ray replaces, and put them back at the end."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [signal.SIGINT, signal.SIGTERM]
        before = {int(number): signal.getsignal(number) for number in numbers}
    try:
        yield before
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _short_folder() -> str | None:
    """A folder for Ray's sockets, whose paths have to be short."""
    return "/tmp" if os.path.isdir("/tmp") and os.access("/tmp", os.W_OK) else None

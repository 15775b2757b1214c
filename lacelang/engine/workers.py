"""Workers: processes of this machine or of a cluster that share a run, by Ray.

A unit of work is a batch of samples to draw, or some samples to decode and encode. Ray places
units, and repeats those whose worker has died. Results are taken in the order of the samples, and
only so many units are under way that what waits for its turn stays small. A sample depends on the
program, its seed and its index alone, so that it is the same wherever it is made.
"""

from __future__ import annotations

import pickle
import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import evolve

from lacelang.engine import ray_session
from lacelang.engine.advancing import Advancing
from lacelang.engine.executor import Executor
from lacelang.engine.plan import Options, Plan
from lacelang.engine.run_log import RunLog
from lacelang.engine.sinks import Sink
from lacelang.engine.tasks import Batch, Copying, GroupTask, batches
from lacelang.engine.units import Job, decode_unit, draw_unit
from lacelang.errors import ResourceError
from lacelang.ir import CheckedProgram, ExpectStatement, MeasureStatement, SampleStatement
from lacelang.progress import Stage
from lacelang.storage.latents import Latents
from lacelang.storage.records import SampleRecord

#: Images of one unit: as PNG files of 1024², they take 25 MB.
_DECODED = 16
#: Units under way for each worker, so that none waits for the next one.
_EACH = 2
#: How often a unit is begun anew after its worker has died.
_RETRIES = 20
#: Seconds after which a cluster is asked again how large it is.
_ASK = 5.0


class Workers(Executor):
    """Ray's workers."""

    def __init__(
        self, program: CheckedProgram, planned: Plan, options: Options, ray: Any, threads: int
    ) -> None:
        super().__init__(program, planned, options)
        self._ray = ray
        self._log = options.log
        on_cpu = all(task.model.device.type == "cpu" for task in planned.groups)
        needs = {"num_cpus": 1} if on_cpu else {"num_cpus": 1, "num_gpus": 1}
        self._resource = "CPU" if on_cpu else "GPU"
        how = {**needs, "max_retries": _RETRIES, "retry_exceptions": False}
        self._draw_unit = ray.remote(**how)(draw_unit)
        self._decode_unit = ray.remote(**how)(decode_unit)
        self._job = ray.put(_job(program, planned, options, threads).packed())
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
    def decoder(self, sink: Sink, advancing: Advancing) -> Iterator[RemoteDecoder]:
        """See `Executor`."""
        decoder = RemoteDecoder(self, sink, advancing)
        self._decoder = decoder
        yield decoder
        decoder.settle()

    def draw(self, task: GroupTask, first: int, sink: Sink, stage: Stage) -> Iterator[Batch]:
        """See `Executor`."""
        if isinstance(task.prepared, Copying):
            # No error is about a sample: it is there already.
            yield from task.draw(first, sink, stage)
            return
        name, pending = task.record.name, deque[tuple[Any, range]]()
        for indices in batches(first, task.record.count):
            given = None
            if task.sources:
                found = {n: (indices, sink.latents(n).rows(indices)) for n in task.sources}
                given = pickle.dumps(found)
            how = task.record.fingerprint, indices, given, sink.tolerant
            pending.append((self._draw_unit.remote(self._job, name, *how), indices))
            if len(pending) >= self.most:
                yield self._batch(name, *pending.popleft(), stage)
        while pending:
            yield self._batch(name, *pending.popleft(), stage)

    def _batch(self, name: str, unit: Any, indices: range, stage: Stage) -> Batch:
        """Wait for a batch; what was decoded meanwhile goes to the sink."""
        while self._decoder is not None and self._decoder.waiting:
            ready, _ = self._ray.wait([unit, self._decoder.next_unit], num_returns=1)
            if unit in ready:
                break
            self._decoder.take()
        batch: Batch = self.result(unit, name, indices[0], len(indices))
        stage.advance(len(batch.records))
        return batch

    def result(self, unit: Any, group: str, first: int, count: int) -> Any:
        """What a unit on some samples gave; an error that it raised is raised here."""
        from ray import exceptions

        try:
            found, attempt, worker = pickle.loads(self._ray.get(unit))
        except exceptions.RayError as error:
            raise ResourceError(
                f"the workers failed: {' '.join(str(error).split())[:300]}",
                "run the command again: it goes on from what is finished",
            ) from error
        if attempt:
            where = {"group": group, "first": first, "count": count}
            self._log.write("repeated", **where, attempt=attempt, worker=worker)
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

    def __init__(self, workers: Workers, sink: Sink, advancing: Advancing) -> None:
        self._workers = workers
        self._sink = sink
        self._advancing = advancing
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
        """See `lacelang.engine.executor.Decoder`."""
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
        name, first, count = task.record.name, samples[0].index, len(samples)
        answer, stage = self._workers.result(unit, name, first, count), self._advancing.stage(name)
        for sample, found in zip(samples, answer, strict=True):
            if isinstance(found, Exception):
                self._sink.failed(task, sample, found)
            else:
                self._sink.encoded(task, sample, found)
            stage.advance()
        self._advancing.done(name, first, count)

    def settle(self) -> None:
        """See `lacelang.engine.executor.Decoder`."""
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
    told = evolve(
        options, out=None, kept={}, on_image=None, workers=None, log=RunLog(), replace=True
    )
    return Job(secrets.token_hex(8), evolve(program, statements=statements), told, threads)


@contextmanager
def working_together(program: CheckedProgram, planned: Plan, options: Options) -> Iterator[Workers]:
    """Start workers, or join a cluster, and leave no process behind.

    Raises:
        ResourceError: Ray is not installed, or the cluster cannot be reached.
        UsageError: workers cannot be sent what Python defined for the program.
    """
    ray = ray_session.imported()
    wanted = options.workers
    if ray.is_initialized():
        # The caller's own, which stays.
        yield Workers(program, planned, options, ray, 1)
        return
    with ray_session.started(ray, wanted) as threads:
        yield Workers(program, planned, options, ray, threads)

"""Threads, and what happens to them when the interpreter ends or the process is forked.

A daemon thread that returns from a C++ library after the interpreter has ended aborts the whole
process. So work of this package in a daemon thread, its own or the user's, stands in a `working`
block. The interpreter's end waits for such blocks, which are left early, at a `checkpoint`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

S = TypeVar("S")
T = TypeVar("T")

_state = threading.Condition()
_blocks: Counter[int] = Counter()  # by thread, how many blocks it is in
_ending = False
_watched = False
_torch_before_fork = False


THREADS = "LACELANG_THREADS"
"""The environment variable of how many threads a process may compute with; all cores without it."""


def cores() -> int:
    """How many threads this process may compute with at once."""
    given = os.environ.get(THREADS, "")
    return max(1, int(given)) if given.isdecimal() else os.cpu_count() or 1


def checkpoint() -> None:
    """Leave the work of a daemon thread, by SystemExit in a `working` block, if Python is ending.

    Other threads are waited for by Python itself, and go on.
    """
    if _ending and threading.current_thread().daemon:
        if threading.get_ident() in _blocks:
            raise SystemExit
        _sleep()


@contextmanager
def working() -> Iterator[None]:
    """Make the interpreter's end wait for this block, which is a `checkpoint` at both ends."""
    if not threading.current_thread().daemon:
        yield
        return
    try:
        with _block():
            checkpoint()
            yield
    except Exception:
        # At that time even an import can fail, and there is nobody to report to.
        checkpoint()
        raise
    finally:
        # What the thread does after the block may end in C++ too.
        checkpoint()


@contextmanager
def _block(joined: bool = False) -> Iterator[None]:
    me = threading.get_ident()
    with _state:
        _watch_the_end()
        late = _ending and not joined and me not in _blocks
        if not late:  # or the end would wait for a block that is none
            _blocks[me] += 1
    if late:
        _sleep()
    try:
        yield
    finally:
        with _state:
            _blocks[me] -= 1
            if not _blocks[me]:
                del _blocks[me]
                _state.notify_all()


def _sleep() -> None:
    """Sleep in Python until the process is gone."""
    sleep = threading.Lock()
    sleep.acquire()
    sleep.acquire()


def owned(work: Callable[..., object], name: str, *arguments: Any) -> threading.Thread:
    """Return a thread that the caller joins, a daemon if the caller is one; not started yet."""

    def run() -> None:
        with _block(joined=True) if threading.current_thread().daemon else nullcontext():
            work(*arguments)

    return threading.Thread(target=run, name=name)


def in_background(work: Callable[[], object], name: str) -> None:
    """Do `work` in a daemon thread, in a `working` block."""
    threading.Thread(target=working()(work), name=name, daemon=True).start()


def busy() -> bool:
    """Whether a thread is in a `working` block, so that the interpreter's end would wait."""
    return bool(_blocks)


def forked_after_torch() -> bool:
    """Whether this process was forked from one that had imported torch."""
    return _torch_before_fork


def _watch_the_end() -> None:
    """Have `_end` called when the interpreter begins to end."""
    global _watched, _ending
    if _watched:
        return
    _watched = True
    try:
        # Earlier than `atexit`: the pools of other threads still work then.
        threading._register_atexit(_end)  # type: ignore[attr-defined]
    except RuntimeError:
        # The end has begun already.
        _ending = True


def _end() -> None:
    global _ending
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Let Ctrl-C end the process: here nobody can catch an exception.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    me = threading.get_ident()
    with _state:
        _ending = True
        _state.wait_for(lambda: not _blocks.keys() - {me})


def _forked() -> None:
    global _state, _torch_before_fork
    _state = threading.Condition()
    _blocks.clear()
    _torch_before_fork = "torch" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Pool:
    """Some threads that do what is submitted, in order.

    Leaving the `with` block waits for all of it, after an exception only for what is under way.
    Unlike `ThreadPoolExecutor` it works in a thread that goes on after the main one has ended.

    Args:
        most: jobs that may wait or be under way; for one more, `submit` waits. It raises what went
            wrong with earlier jobs, and so does `close`. Without `most`, only futures raise.
    """

    def __init__(self, count: int, name: str, most: int | None = None) -> None:
        self.left = threading.Event()
        self._count = count
        self._name = name
        self._most = most
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[tuple[threading.Thread, threading.Event]] = []
        self._pending: deque[Future[Any]] = deque()

    def submit(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Queue a call, and return its result to come."""
        from concurrent.futures import Future

        future: Future[T] = Future()

        def job() -> None:
            if self.left.is_set():
                future.cancel()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(*arguments))
                except BaseException as error:
                    future.set_exception(error)

        if self._most is not None:
            while self._pending and (len(self._pending) >= self._most or self._pending[0].done()):
                self._pending.popleft().result()
            self._pending.append(future)
        self._jobs.put(job)
        if len(self._threads) < self._count:
            ended = threading.Event()
            self._threads.append((owned(self._work, self._name, ended), ended))
            self._threads[-1][0].start()
        return future

    def each(self, work: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
        """Yield the results of `work` on items, in order; few items are held at a time."""
        pending: deque[Future[T]] = deque()
        for item in items:
            checkpoint()
            pending.append(self.submit(work, item))
            if len(pending) > self._count:
                yield pending.popleft().result()
        while pending:
            checkpoint()
            yield pending.popleft().result()

    def close(self) -> None:
        """Wait until all that was submitted is done."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread, ended in self._threads:
            # Not `join` first: interrupted, it takes the thread for finished (CPython issue 89437).
            while not ended.wait(0.1):
                checkpoint()
            thread.join()
        self._threads.clear()
        while self._pending:
            self._pending.popleft().result()

    def drop(self) -> None:
        """Drop what has not begun, set `left`, and wait for what is under way."""
        self.left.set()
        self._pending.clear()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.drop()

    def _work(self, ended: threading.Event) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        ended.set()

"""Several processes for long work: quiet on Ctrl-C, and gone when their parent is."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

#: Seconds between two looks at whether the parent is still there.
WATCH = 1.0


@contextmanager
def processes(
    count: int, start: Callable[..., None] | None = None, *arguments: object
) -> Iterator[ProcessPoolExecutor]:
    """Hold a pool of processes; on the way out, however, what is queued is dropped.

    They are spawned, not forked: the thread pools of torch and OpenVINO do not survive a fork.

    Args:
        count: how many.
        start: called in each, with the arguments, before any work; a function of a module.
        arguments: of `start`.
    """
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(os.getpid(), start, arguments),
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start(parent: int, start: Callable[..., None] | None, arguments: tuple[object, ...]) -> None:
    import signal

    # Ctrl-C reaches the whole process group: the parent alone decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()
    if start is not None:
        start(*arguments)


def _watch(parent: int) -> None:
    # A parent that was killed closes nothing: its queue would be worked through, and waited at.
    while os.getppid() == parent:
        time.sleep(WATCH)
    os._exit(1)

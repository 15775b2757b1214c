"""Several processes for long work: quiet on Ctrl-C, and gone when their parent is."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import spawn
from multiprocessing.context import SpawnContext, SpawnProcess
from types import FrameType
from typing import Any

#: Seconds between two looks at whether the parent is still there.
WATCH = 1.0

_launching = threading.Lock()


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Hold a pool of processes.

    They are spawned, not forked: the thread pools of torch and OpenVINO do not survive a fork. They
    do not import the main module: a script without a main guard would run again. At the end what is
    queued is dropped; with an exception running work is stopped too.
    """
    pool = ProcessPoolExecutor(count, _Context(), initializer=_start, initargs=(os.getpid(),))
    try:
        yield pool
    except BaseException:
        for process in (pool._processes or {}).values():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Process(SpawnProcess):
    """A process that does not import its parent's main module."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        with _without_main():
            return SpawnProcess._Popen(process_obj)


class _Context(SpawnContext):
    Process = _Process


@contextmanager
def _without_main() -> Iterator[None]:
    """Leave the main module out of what this thread tells a new process to prepare."""
    me = threading.get_ident()
    with _launching:
        theirs = spawn.get_preparation_data

        def ours(name: str) -> dict[str, Any]:
            data = theirs(name)
            if threading.get_ident() == me:
                data.pop("init_main_from_name", None)
                data.pop("init_main_from_path", None)
            return data

        spawn.get_preparation_data = ours
        try:
            yield
        finally:
            spawn.get_preparation_data = theirs


def _start(parent: int) -> None:
    # Ctrl-C reaches the whole process group; the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # By an exception, so that files half written are removed.
    signal.signal(signal.SIGTERM, _terminated)
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _watch(parent: int) -> None:
    # A parent that was killed closes no queue: the process would work on, and then wait for ever.
    while os.getppid() == parent:
        time.sleep(WATCH)
    os._exit(1)

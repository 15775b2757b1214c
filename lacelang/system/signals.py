"""Ctrl-C, SIGTERM and SIGHUP end a command alike: what is finished is kept."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_IMPORTING = "<frozen importlib."
# Seconds by which a signal that comes during an import is postponed.
_AGAIN = 0.02
# How often: an import that takes a minute is stuck.
_MOST = 3000


class EndedError(KeyboardInterrupt):
    """The process was asked to end by a signal; see `received`."""


Deliver: TypeAlias = Callable[[EndedError], None]


_deliver: Deliver | None = None
_received: int | None = None
_postponed = 0


def received() -> int | None:
    """The signal that is ending the command, if any."""
    return _received


@contextmanager
def heeded() -> Iterator[None]:
    """Raise an exception in the main thread when a signal comes, but not during an import.

    SIGINT raises `KeyboardInterrupt`. The first SIGTERM or SIGHUP raises `EndedError`, and more of
    them do nothing: a terminal that closes sends two. A signal that has another handler, or is
    ignored as under `nohup`, is left alone; so is every signal outside the main thread.
    """
    global _received
    _received = None
    taken = []
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, *_ENDING):
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            if signal.getsignal(number) is usual:
                taken.append((number, signal.signal(number, _handle)))
    try:
        yield
    finally:
        for number, handler in taken:
            signal.signal(number, handler)


@contextmanager
def delivered(deliver: Deliver) -> Iterator[None]:
    """Hand an `EndedError` over instead of raising it wherever the main thread is."""
    global _deliver
    _deliver = deliver
    try:
        yield
    finally:
        _deliver = None


def _handle(number: int, frame: FrameType | None) -> None:
    global _received, _postponed
    if _is_importing(frame) and _postponed < _MOST:
        _postponed += 1
        # A library in C++ whose import is interrupted may abort the process later.
        _thread.start_new_thread(_send_again, (number,))
    elif number == signal.SIGINT:
        raise KeyboardInterrupt
    elif _received is None:
        _received = number
        if _deliver is None:
            raise EndedError
        _deliver(EndedError())


def _send_again(number: int) -> None:
    time.sleep(_AGAIN)
    if hasattr(signal, "pthread_kill"):
        # To the main thread, which may wait for something by then.
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether an import is under way in the main thread, begun since `heeded`."""
    while frame is not None and frame.f_globals.get("__name__") != "lacelang.cli.main":
        if frame.f_code.co_filename.startswith(_IMPORTING):
            return True
        frame = frame.f_back
    return False

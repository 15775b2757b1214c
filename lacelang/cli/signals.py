"""SIGTERM and SIGHUP end a command as Ctrl-C does: what is finished is kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TypeAlias

_NUMBERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class EndedError(KeyboardInterrupt):
    """The process was asked to end by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


Deliver: TypeAlias = Callable[[EndedError], None]


def _raise(stop: EndedError) -> NoReturn:
    raise stop


_delivered_by: list[Deliver] = [_raise]
_received: int | None = None


def exit_code(number: int) -> int:
    """What a shell says of a process that a signal has ended."""
    return 128 + number


def received() -> int | None:
    """The signal that is ending the command, if any."""
    return _received


@contextmanager
def heeded() -> Iterator[None]:
    """Raise `EndedError` in the main thread on the first of these signals, and ignore more.

    A terminal that closes sends two. A signal that has another handler, or is ignored as under
    `nohup`, stays as it is; so does every signal outside the main thread.
    """
    global _received
    _received = None
    taken = []
    if threading.current_thread() is threading.main_thread():
        taken = [n for n in _NUMBERS if signal.getsignal(n) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _handle)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def delivered(deliver: Deliver) -> Iterator[None]:
    """Hand the error over instead of raising it wherever the main thread is."""
    _delivered_by.append(deliver)
    try:
        yield
    finally:
        _delivered_by.pop()


def _handle(number: int, frame: FrameType | None) -> None:
    global _received
    if _received is None:
        _received = number
        _delivered_by[-1](EndedError(number))

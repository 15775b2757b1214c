"""Figures of measurements in a limited time, written to the disk as they come."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from lacelang.render.markdown import markdown_table
from lacelang.storage.files import write_atomic


class OutOfTimeError(Exception):
    """The part has used up its share."""


class Record:
    """The figures, on the disk as they come."""

    def __init__(
        self, path: Path, seconds: float, shares: Mapping[str, float], about: dict[str, Any]
    ) -> None:
        """Begin to measure for so many seconds, of which each part has a share."""
        self.path, self.begun, self.seconds = path, time.monotonic(), seconds
        self._shares = shares
        self.found: dict[str, Any] = {"about": about, "rows": [], "left_out": []}
        self._end = self.begun

    def begin(self, part: str) -> None:
        """Begin a part, with its share of the time."""
        self._part = part
        self._end += self.seconds * self._shares[part]

    def measure(self, name: str, figures: Callable[[], dict[str, Any]]) -> None:
        """Note the figures of a measurement of the part, or why there are none."""
        what, why = {"part": self._part, "what": name}, "the time is used up"
        left = self._end - time.monotonic()
        try:
            if left <= 0.0:
                raise OutOfTimeError
            with _at_most(left):
                self.found["rows"].append({**what, **figures()})
        except Exception as error:  # any: the device's libraries have their own
            if time.monotonic() < self._end:
                why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            self.found["left_out"].append({**what, "why": why})
        self.write()

    def write(self) -> None:
        self.found["about"]["seconds"] = round(time.monotonic() - self.begun, 1)
        write_atomic(self.path, (json.dumps(self.found, indent=1) + "\n").encode())
        write_atomic(self.path.with_suffix(".md"), self.table().encode())

    def table(self) -> str:
        shown = [
            [
                row["part"],
                row["what"],
                ", ".join(f"{k} {_short(v)}" for k, v in row.items() if k not in ("part", "what")),
            ]
            for row in self.found["rows"]
        ]
        left = [
            [row["part"], row["what"], f"left out: {row['why']}"] for row in self.found["left_out"]
        ]
        about = "; ".join(f"{name}: {value}" for name, value in self.found["about"].items())
        table = markdown_table(("part", "measured", "figures"), shown + left, (False,) * 3)
        return f"{about}\n\n{table}\n"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in the block after some seconds, where the system has such a timer."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)

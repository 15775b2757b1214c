"""The progress of a run as values that a page shows, and how a run is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lacelang.progress import Progress, Stage, Unit

MOST_NOTES = 20


class StoppedError(Exception):
    """The run was stopped by the person, or by a newer run."""


class Watched(Progress):
    """Keeps the stages of a run and tells of each change; a run that is stopped ends at the next.

    Args:
        changed: called after every change, from any thread.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._stages: list[_Watched] = []
        self._notes: list[str] = []
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have the run end with a `StoppedError` as soon as it says how far it is."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stopped.is_set()

    def check(self) -> None:
        """Raise the `StoppedError` of a run that was stopped."""
        if self.stopped:
            raise StoppedError

    def stage(self, name: str, total: float | None = None, unit: Unit = "items") -> Stage:
        """See `Progress`."""
        self.check()
        if total == 0:
            return Stage()
        made = _Watched(self, name, total, unit)
        with self._lock:
            self._stages.append(made)
        self._changed()
        return made

    def note(self, message: str) -> None:
        """See `Progress`."""
        with self._lock:
            self._notes = [*self._notes, message][-MOST_NOTES:]
        self._changed()

    @property
    def plain(self) -> list[dict[str, Any]]:
        """The stages that are under way, and how far each is."""
        with self._lock:
            return [
                {"name": s.name, "done": s.done, "total": s.total, "unit": s.unit}
                for s in self._stages
            ]

    @property
    def notes(self) -> list[str]:
        """What was said beside the stages."""
        with self._lock:
            return list(self._notes)

    def advanced(self, stage: _Watched, amount: float) -> None:
        """Note that a stage went on."""
        self.check()
        with self._lock:
            stage.done += amount
        self._changed()

    def left(self, stage: _Watched) -> None:
        """Note that a stage has ended."""
        with self._lock:
            if stage in self._stages:
                self._stages.remove(stage)
        self._changed()


class _Watched(Stage):
    def __init__(self, watched: Watched, name: str, total: float | None, unit: Unit) -> None:
        self._watched = watched
        self.name, self.total, self.unit = name, total, unit
        self.done = 0.0

    def advance(self, amount: float = 1) -> None:
        self._watched.advanced(self, amount)

    def __exit__(self, *_: object) -> None:
        self._watched.left(self)

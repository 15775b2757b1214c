"""Progress below a cell while it runs: bars that are gone when it has ended."""

from __future__ import annotations

import threading
import time
from html import escape
from typing import Any

from lacelang.progress import Progress, Stage, Unit

EVERY = 0.2
"""Seconds between two drawings, at least."""


class CellBars(Progress):
    """Bars in a Jupyter cell, drawn by the thread that runs it."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._stages: list[_CellStage] = []
        self._handle: Any = None
        self._drawn = 0.0
        self._thread = threading.get_ident()

    def stage(self, name: str, total: float | None = None, unit: Unit = "items") -> Stage:
        """Begin a stage; none is shown where there is nothing to do."""
        if total == 0:
            return Stage()
        stage = _CellStage(self, name, total)
        self._stages.append(stage)
        self.draw(now=True)
        return stage

    def note(self, message: str) -> None:
        """Keep a line for the end: what is drawn now is removed."""
        self.notes.append(message)

    def remove(self, stage: _CellStage) -> None:
        """End a stage."""
        if stage in self._stages:
            self._stages.remove(stage)

    def draw(self, now: bool = False) -> None:
        """Draw the bars, not more often than every `EVERY` seconds unless it is asked for now."""
        late = time.monotonic() - self._drawn >= EVERY
        if threading.get_ident() != self._thread or not (now or late):
            return
        self._drawn = time.monotonic()
        from IPython import display

        page = _call(display.HTML, "".join(stage.html() for stage in [*self._stages]))
        if self._handle is None:
            self._handle = _call(display.display, page, display_id=True)
        else:
            self._handle.update(page)

    def clear(self) -> None:
        """Remove the bars as soon as something else is shown, or now if nothing is."""
        from IPython import display

        if self._handle is not None:
            _call(display.clear_output)


def _call(function: Any, *given: Any, **options: Any) -> Any:
    """Call a function of IPython, which declares no types."""
    return function(*given, **options)


class _CellStage(Stage):
    def __init__(self, bars: CellBars, name: str, total: float | None) -> None:
        self._bars, self._name, self._total, self._done = bars, name, total, 0.0

    def advance(self, amount: float = 1) -> None:
        self._done += amount
        self._bars.draw()

    def html(self) -> str:
        if self._total is None:
            return f"<div><progress></progress> {escape(self._name)}</div>"
        done = min(1.0, self._done / self._total)
        bar = f'<progress value="{done:.3f}" max="1"></progress>'
        return f"<div>{bar} {escape(self._name)} {self._done:.0f} of {self._total:.0f}</div>"

    def __exit__(self, *_: object) -> None:
        self._bars.remove(self)
        self._bars.draw()

"""How far a long piece of work has come: on a terminal, or nowhere.

    with progress.stage("decoding", total=32) as stage:
        for image in images:
            stage.advance()

Stages may overlap and may be advanced from any thread.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Literal, Self, TextIO, cast

from lacelang.text.channels import Displaying, console, say
from lacelang.text.hidden import in_line

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Unit = Literal["items", "bytes"]


class Stage:
    """A piece of work under way, left with its `with` block; this one shows nothing."""

    def advance(self, amount: float = 1) -> None:
        """Say that `amount` more of the total is done."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Progress:
    """Where stages are shown; this one shows nothing."""

    def stage(self, name: str, total: float | None = None, unit: Unit = "items") -> Stage:
        """Begin `name`, of `total` items or bytes; None where that is not known."""
        return Stage()

    def note(self, message: str) -> None:
        """Say one line beside the bars."""


class Silent(Progress):
    """Shows nothing: for pipes, tests and programs that embed this one."""


#: Seconds between two lines about a stage where there are no bars, and before the first one.
_EVERY = 60.0


class Plain(Progress):
    """Notes as lines, no bars: for a standard error that is no terminal.

    A stage that takes long says every minute how far it is.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def stage(self, name: str, total: float | None = None, unit: Unit = "items") -> Stage:
        """Begin a stage, of which lines tell."""
        return _Lines(self, name, total) if total and unit == "items" else Stage()

    def note(self, message: str) -> None:
        """Print the message."""
        say(message, self._stream)


class _Lines(Stage):
    def __init__(self, plain: Plain, name: str, total: float) -> None:
        self._plain, self._name, self._total = plain, name, total
        self._done, self._lock = 0.0, threading.Lock()
        self._begun = self._said = time.monotonic()

    def advance(self, amount: float = 1) -> None:
        now = time.monotonic()
        with self._lock:
            self._done += amount
            if now - self._said < _EVERY:
                return
            self._said = now
        rate = self._done / (now - self._begun)
        left = "" if rate <= 0 else f", {_clock((self._total - self._done) / rate)} left"
        self._plain.note(
            f"{self._name}: {self._done:.0f} of {self._total:.0f}, {_rate_text(rate)}{left}"
        )


def _rate_text(rate: float) -> str:
    """Items a second for people, or a minute where that is less than one."""
    return f"{rate:.3g}/s" if rate >= 1 else f"{60 * rate:.3g}/min"


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


class Bars(Progress):
    """Bars on a terminal, drawn by rich."""

    def __init__(self, rich: RichProgress) -> None:
        self._rich = rich

    def stage(self, name: str, total: float | None = None, unit: Unit = "items") -> Stage:
        """Begin a stage with a bar of its own; none where there is nothing to do."""
        return _Bar(self._rich, name, total, unit) if total != 0 else Stage()

    def note(self, message: str) -> None:
        """Print the message over the bars."""
        self._rich.console.print(message)


class _Bar(Stage):
    def __init__(self, rich: RichProgress, name: str, total: float | None, unit: Unit) -> None:
        self._rich = rich
        self._task = rich.add_task(in_line(name), total=total, unit=unit)

    def advance(self, amount: float = 1) -> None:
        self._rich.advance(self._task, amount)

    def __exit__(self, *_: object) -> None:
        # A finished bar stays, frozen at what it reached; an unknown total becomes what was done.
        task = self._rich.tasks[self._rich.task_ids.index(self._task)]
        done = task.completed
        if task.total is None:
            self._rich.update(self._task, total=max(done, 1), completed=done)
        elif abs(task.total - done) < 1e-6 * task.total:
            # Shares of a step do not quite add up to the whole.
            self._rich.update(self._task, completed=task.total)
        self._rich.stop_task(self._task)


@contextmanager
def shown(stream: TextIO | None = None, leave: bool = True) -> Iterator[Progress]:
    """Bars on `stream` (standard error) if it is a terminal, else only notes.

    Finished bars stay there unless `leave` is false.
    """
    stream = stream or sys.stderr
    # It is None where a program has no console.
    if stream is None or not stream.isatty():
        yield Plain(stream)
        return
    with _rich(stream, leave) as rich, _displaying():
        yield Bars(rich)


@contextmanager
def _displaying() -> Iterator[None]:
    """Show what is hidden in what is printed beside bars, where rich reads escape sequences."""
    with (
        redirect_stdout(cast(TextIO, Displaying(sys.stdout))),
        redirect_stderr(cast(TextIO, Displaying(sys.stderr))),
    ):
        yield


def _rich(stream: TextIO, leave: bool) -> RichProgress:
    # Only a terminal pays for importing rich.
    from rich import progress
    from rich.filesize import decimal
    from rich.text import Text

    class Amount(progress.ProgressColumn):
        def render(self, task: progress.Task) -> Text:
            def written(amount: float) -> str:
                in_bytes = task.fields.get("unit") == "bytes"
                return decimal(int(amount)) if in_bytes else f"{amount:.0f}"

            whole = "" if task.total is None else f"/{written(task.total)}"
            return Text(written(task.completed) + whole, style="progress.download")

    class Rate(progress.ProgressColumn):
        def render(self, task: progress.Task) -> Text:
            speed = task.finished_speed or task.speed
            if not speed or task.total is None:
                return Text("")
            in_bytes = task.fields.get("unit") == "bytes"
            said = f"{decimal(int(speed))}/s" if in_bytes else _rate_text(speed)
            return Text(said, style="progress.data.speed")

    screen = console(stream)
    # A sign that the encoding lacks would be written as an escape.
    plain = not screen.encoding.startswith("utf")
    return progress.Progress(
        progress.SpinnerColumn(
            "line" if plain else "dots", finished_text=f"[green]{'*' if plain else '✓'}"
        ),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=32),
        Amount(),
        Rate(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        console=screen,
        transient=not leave,
    )

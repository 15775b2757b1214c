"""The runs of a studio: one at a time, the newest wins, and the last ones are kept on disk."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from attrs import define, field

from lacelang.api import Program
from lacelang.errors import (
    LaceError,
    ProgramError,
    ResourceError,
    UsageError,
    WayOut,
    unexpected,
)
from lacelang.render.result_text import expectation_text, measure_text
from lacelang.repl.warm import Warming
from lacelang.storage.records import GroupRecord, SampleRecord
from lacelang.system.threads import in_background
from lacelang.web.studio.carried import Made, carry, origin_of
from lacelang.web.studio.faces import face
from lacelang.web.studio.watching import StoppedError, Watched

#: Runs whose pictures are kept; the oldest ones are removed.
MOST_RUNS = 40
#: Samples of a group that the page shows.
MOST_SHOWN = 256
#: Seconds that the end of the studio waits for a run to stop.
PATIENCE = 5.0

# Runs whose files are there a little longer than they are listed.
_LINGERING = 3

Status = Literal["waiting", "running", "done", "stopped", "failed"]


@define(eq=False)
class Shown:
    """A group, as far as it is made."""

    record: GroupRecord
    there: int = 0  # images, those included that are not shown


@define(eq=False)
class StudioRun:
    """One run, and what there is of it.

    Attributes:
        live: a slider began it; the next such run takes its place.
        revision: rises with every change.
        results: what it measured and expected, as text.
    """

    number: int
    program: Program
    text: str
    folder: Path
    only: tuple[str, ...] | None
    live: bool
    progress: Watched
    status: Status = "waiting"
    error: str | None = None
    groups: dict[str, Shown] = field(factory=dict)
    faces: list[dict[str, Any]] = field(factory=list)  # in the order in which they came
    results: list[str] = field(factory=list)
    revision: int = 0
    made: list[Made] = field(factory=list)

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status not in ("waiting", "running")

    def plain(self, begin: int = 0) -> dict[str, Any]:
        """What the page shows of it; of its faces, those from the `begin`th on that came."""
        faces = self.faces[begin:]
        return {
            "number": self.number,
            "revision": self.revision,
            "status": self.status,
            "live": self.live,
            "error": self.error,
            "text": self.text,
            "results": list(self.results),
            # Which samples were taken over is not for a person to read.
            "notes": [n for n in self.progress.notes if not n.startswith(str(self.folder))],
            "groups": [_plain_group(shown) for shown in list(self.groups.values())],
            "faces": faces,
            "next": begin + len(faces),
        }


def _plain_group(shown: Shown) -> dict[str, Any]:
    record = shown.record
    return {
        "name": record.name,
        "count": record.count,
        "there": shown.there,
        "condition": record.condition,
    }


class Runs:
    """Runs programs in a thread of its own, into folders below a temporary one.

    Args:
        allow_fetch: weights that a program names, and the standard library does not, are fetched.
        warming: loads a model before it is asked for.
        ways: what is said of ways out of an error.
    """

    def __init__(
        self,
        allow_fetch: bool = False,
        warming: Warming | None = None,
        ways: Mapping[WayOut, str] | None = None,
    ) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="lacelang-studio-"))
        self.ways = dict(ways or {})
        self._allow_fetch = allow_fetch
        self._warming = warming or Warming()
        self._state = threading.Condition()
        self._runs: dict[int, StudioRun] = {}
        self._removed: list[StudioRun] = []
        self._next: StudioRun | None = None
        self._current: StudioRun | None = None
        self._last = 0
        self._ending = False
        self._ended = threading.Event()
        self._listeners: dict[int, Callable[[], None]] = {}
        in_background(self._work, "studio")

    # What the page asks

    def start(
        self, program: Program, only: Sequence[str] | None = None, live: bool = False
    ) -> StudioRun:
        """Run a program in place of the run that is under way, if any."""
        if not program.checked.statements:
            raise UsageError("this program has definitions only: add a `sample`")
        with self._state:
            if self._ending:
                raise UsageError("the studio is ending")
            self._last += 1
            number = self._last
            run = StudioRun(
                number,
                program,
                program.source,
                self.home / f"run-{number:04d}",
                None if only is None else tuple(only),
                live,
                Watched(self._tell),
            )
            if self._current is not None:
                self._current.progress.stop()
            if self._next is not None:
                self._next.status = "stopped"
                self._next.revision += 1
                if self._next.live:
                    del self._runs[self._next.number]
            self._next = run
            self._runs[number] = run
            self._state.notify_all()
        self._tell()
        return run

    def stop(self) -> None:
        """Stop the run that is under way, and the one that waits."""
        with self._state:
            for run in (self._current, self._next):
                if run is not None:
                    run.progress.stop()

    def find(self, number: int) -> StudioRun:
        """Return a run by its number; a UsageError if it is no more kept."""
        run = self._runs.get(number)
        if run is None:
            run = next((r for r in list(self._removed) if r.number == number), None)
        if run is None:
            raise UsageError(f"run {number} is no longer kept")
        return run

    def state(self) -> dict[str, Any]:
        """Which runs there are, and how far the present one is."""
        with self._state:
            current = self._next or self._current
            runs = [[run.number, run.revision] for run in self._runs.values()]
        return {
            "runs": runs,
            "running": None if current is None else current.number,
            "stages": [] if current is None else current.progress.plain,
        }

    def listen(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Have `tell` called after every change, from any thread; returns what ends that."""
        with self._state:
            key = max(self._listeners, default=0) + 1
            self._listeners[key] = tell

        def leave() -> None:
            self._listeners.pop(key, None)

        return leave

    def wait(self, run: StudioRun, seconds: float = 60.0) -> StudioRun:
        """Wait until a run is over."""
        with self._state:
            self._state.wait_for(lambda: run.over, seconds)
        return run

    def close(self) -> None:
        """Stop what runs, and remove all pictures."""
        with self._state:
            self._ending = True
            self._state.notify_all()
        self.stop()
        self._ended.wait(PATIENCE)
        shutil.rmtree(self.home, ignore_errors=True)

    # The thread

    def _work(self) -> None:
        try:
            while True:
                with self._state:
                    self._state.wait_for(lambda: self._next is not None or self._ending)
                    if self._ending:
                        return
                    run, self._next = self._next, None
                    assert run is not None
                    self._current = run
                    run.status = "running"
                self._changed(run)
                status, error = self._outcome(run)
                with self._state:
                    self._current = None
                    run.status, run.error = status, error
                    self._state.notify_all()
                self._changed(run)
                self._remove_old()
        finally:
            self._ended.set()

    def _outcome(self, run: StudioRun) -> tuple[Status, str | None]:
        """Run a program, and return how that ended; only the end of Python is raised."""
        try:
            self._run(run)
        except StoppedError:
            return "stopped", None
        except ProgramError as error:
            return "failed", "\n".join(d.message for d in error.diagnostics)
        except LaceError as error:
            worded = error.worded(self.ways) if isinstance(error, ResourceError) else str(error)
            return "failed", worded
        except Exception as error:
            if run.progress.stopped:
                return "stopped", None
            return "failed", unexpected(error)
        return "done", None

    def _run(self, run: StudioRun) -> None:
        progress, statements = run.progress, run.program.checked.statements
        progress.check()
        self._take_over(run)
        if self._warming.busy:
            with progress.stage("loading the model"):
                self._warming.wait()
        if self._allow_fetch:
            run.program.fetch(progress)
        progress.check()

        needed = {s.needs for s in statements if run.only and getattr(s, "name", "") in run.only}
        made: Counter[str] = Counter()

        def on_image(record: GroupRecord, sample: SampleRecord, file: Path) -> None:
            progress.check()
            made[record.name] += 1
            if run.only is None or record.name in needed.union(run.only):
                shown = run.groups.setdefault(record.name, Shown(record))
                shown.there += 1
                if sample.index < MOST_SHOWN:
                    run.faces.append(face(run.number, record, sample, file))
            if made[record.name] == record.count:
                run.made += [
                    Made(record.name, origin_of(s, statements), run.folder)
                    for s in statements
                    if s.makes == "group" and getattr(s, "name", None) == record.name
                ]
            self._changed(run)

        result = run.program.run(
            out=run.folder, progress=progress, only=run.only, on_image=on_image
        )
        run.results = [measure_text(measured) for measured in result.measures.values()]
        run.results += [expectation_text(expected) for expected in result.expectations]

    def _take_over(self, run: StudioRun) -> None:
        """Take what earlier runs made, and remove the run of a slider that this one replaces."""
        with self._state:
            before = [r for r in self._runs.values() if r.number < run.number]
        made = [each for earlier in before for each in earlier.made]
        carry(run.program.checked.statements, made, run.folder)
        if run.live and before and before[-1].live:
            self._remove(before[-1])

    def _remove_old(self) -> None:
        with self._state:
            over = [run for run in self._runs.values() if run.over]
        for run in over[: max(0, len(self._runs) - MOST_RUNS)]:
            self._remove(run)
        self._tell()

    def _remove(self, run: StudioRun) -> None:
        """Remove a run from the list, and a little later its files, which a page may be reading."""
        with self._state:
            self._runs.pop(run.number, None)
            self._removed.append(run)
            gone, self._removed = self._removed[:-_LINGERING], self._removed[-_LINGERING:]
        for each in gone:
            shutil.rmtree(each.folder, ignore_errors=True)

    def _changed(self, run: StudioRun) -> None:
        run.revision += 1
        self._tell()

    def _tell(self) -> None:
        for tell in list(self._listeners.values()):
            # The loop of a page that is gone.
            with suppress(RuntimeError):
                tell()

"""The log of a run: a file of one JSON object a line, which grows while the run goes on.

Each line has `time` (UTC) and `event`:

    begun        program, version, workers, groups: name, samples that are there, of how many
    drawn        a batch: group, first, count, seconds; done, of, per_second, left_seconds
    decoded      some images: the same
    shard        a shard that counts from now on: group, first, count, bytes, failures; done, of
    failed       a sample that an error ended: group, index, error
    repeated     what a worker was doing that died: group, first, count, attempt, and by whom
    group        all of a group is drawn, and in a data set written: group, samples, seconds
    ended        seconds, complete
    interrupted, stopped   by Ctrl-C or an error: error, seconds

Rates are of this process since it began with the group. Only `time`, seconds and rates differ
between two runs of one program without faults.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from lacelang.errors import UsageError
from lacelang.storage.files import disk_error, make_folder


class RunLog:
    """A log that nobody asked for: nothing is written."""

    def write(self, event: str, **fields: Any) -> None:
        """Say what has happened; from any thread."""

    def close(self) -> None:
        """End it."""


class LogFile(RunLog):
    """A log at `path`, behind what is there already.

    Raises:
        UsageError: the path is that of a folder.
        ResourceError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise UsageError(f"`log` is a file, and {path} is a folder", "log")
        make_folder(path.parent)
        try:
            self._file: IO[bytes] | None = path.open("ab", buffering=0)
        except OSError as error:
            raise disk_error(error, path) from error
        self._lock = threading.Lock()

    def write(self, event: str, **fields: Any) -> None:
        """See `RunLog`. A full disk ends the log, not the run."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **fields}, ensure_ascii=False)
        with self._lock:
            if self._file is None:
                return
            try:
                self._file.write(line.encode(errors="replace") + b"\n")
            except OSError:
                self._end()

    def close(self) -> None:
        """See `RunLog`."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()


class Pace:
    """How far a group has come, and how fast."""

    def __init__(self, done: int, of: int) -> None:
        self._before = self._done = done
        self._of = of
        self._begun: float | None = None

    def begin(self) -> None:
        """Count time from now on, if that has not begun."""
        self._begun = self._begun or time.monotonic()

    def advanced(self, count: int) -> dict[str, Any]:
        """Note that `count` more are done, and return what the log says of it."""
        self.begin()
        assert self._begun is not None
        self._done += count
        passed = time.monotonic() - self._begun
        rate = (self._done - self._before) / passed if passed > 0 else None
        said: dict[str, Any] = {"done": self._done, "of": self._of}
        if rate:
            said["per_second"] = float(f"{rate:.4g}")
            said["left_seconds"] = round(max(0, self._of - self._done) / rate, 1)
        return said

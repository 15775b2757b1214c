"""Locks between processes: a second one waits or is refused; no lock outlives its process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from made_runs import make_run

from lacelang.errors import ResourceError
from lacelang.storage.cache import locked
from lacelang.storage.records import GroupRecord
from lacelang.storage.run_folder import RunFolder

Make = Callable[..., GroupRecord]
HOLD = """
import sys, time
from pathlib import Path
from lacelang.storage.cache import (locked)
from lacelang.storage.records import ProgramRecord, RunRecord
from lacelang.storage.run_folder import RunFolder
path = Path(sys.argv[2])
run = RunRecord(ProgramRecord("", ""), {})
held = RunFolder(path, run) if sys.argv[1] == "run" else locked(path, "")
with held:
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def held_elsewhere(kind: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock until it is killed, which leaves the lock's file."""
    command = [sys.executable, "-c", HOLD, kind, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_until_the_first_is_gone(
    tmp_path: Path, make_group: Make
) -> None:
    run = make_run(make_group())
    with (
        held_elsewhere("run", tmp_path),
        pytest.raises(ResourceError, match="another lacelang is running into"),
        RunFolder(tmp_path, run),
    ):
        pass
    assert (tmp_path / ".lock").exists()
    with RunFolder(tmp_path, run) as folder:
        folder.begin()


@pytest.mark.parametrize("left", [b"", b"4194305\n", b"\xff" * 100])
def test_a_lock_file_that_somebody_left_holds_nothing(
    tmp_path: Path, make_group: Make, left: bytes
) -> None:
    (tmp_path / ".lock").write_bytes(left)
    with RunFolder(tmp_path, make_run(make_group())) as folder:
        folder.begin()


def test_a_second_process_waits_for_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weights"
    with held_elsewhere("cache", path) as process:
        threading.Timer(0.5, process.kill).start()
        with locked(path, "fetching them"):
            assert process.wait() != 0
    said = "fetching them: another process is doing this; waiting for it\n"
    assert capsys.readouterr().err == said
    with locked(path, "fetching them"):
        pass
    assert capsys.readouterr().err == ""


def test_what_a_killed_process_left_is_swept_by_the_next(
    tmp_path: Path,
) -> None:
    half, other = tmp_path / ".weights.1.part", tmp_path / ".weights.bin.2.part"
    half.mkdir()
    (half / "big.bin").write_bytes(b"x")
    other.write_bytes(b"x")
    with locked(tmp_path / "weights", "fetching them"):
        assert not half.exists()
    # Another process may be at it.
    assert other.exists()

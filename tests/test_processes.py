"""Processes for long work: what they do, and that none is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lacelang.system.processes import WATCH, processes


def test_they_work_and_a_failure_is_the_caller_s() -> None:
    with processes(1) as pool:
        assert pool.submit(abs, -3).result() == 3
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()


def test_they_go_when_their_parent_is_killed(tmp_path: Path) -> None:
    """Two of them wait for work, and nobody is left to give any."""
    program = textwrap.dedent(
        """
        import os, sys, time
        from lacelang.system.processes import (processes)
        if __name__ == "__main__":
            with processes(2) as pool:
                ids = {pool.submit(os.getpid).result() for _ in range(50)}
                print(*ids, flush=True)
                time.sleep(600)
        """
    )
    script = tmp_path / "parent.py"
    script.write_text(program)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    children = [int(word) for word in parent.stdout.readline().split()]
    assert children
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20 * WATCH
    while any(map(_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_alive, children))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has buried yet still has a number.
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"

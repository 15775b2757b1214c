"""Ctrl-C in the middle of a run, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from made_runs import read_run

from lacelang.storage.png import is_whole

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send there")

TINY = Path(__file__).parents[1] / "engine"
# The real command line over the small model of the runtime's tests, decoding at a person's pace.
SLOW = """
    import sys, time
    sys.path.insert(0, {tiny!r})
    from tiny import TinyGenerator, TinyModel
    from lacelang.engine import (plan)
    model = TinyModel()
    plan.load = lambda spec, device, progress: model
    decode = TinyGenerator.decode
    def slowly(self, w):
        for image in decode(self, w):
            time.sleep({pause})
            yield image
    TinyGenerator.decode = slowly
    from lacelang.cli.main import main
    sys.exit(main(sys.argv[1:]))
"""


def start(*arguments: str, pause: float = 0.05) -> subprocess.Popen[str]:
    script = textwrap.dedent(SLOW).format(tiny=str(TINY), pause=pause)
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )


def heed_interrupts() -> None:
    # Tests run in the background of a shell inherit a SIGINT that is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def faces(folder: Path) -> list[Path]:
    return sorted(folder.glob("0*.png"))


def wait_for(child: subprocess.Popen[str], folder: Path, count: int) -> None:
    deadline = time.monotonic() + 300
    while len(faces(folder)) < count:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "p.lace"
    path.write_text("sample 40 from ffhq seed 3 as kids\n")
    return path


def test_ctrl_c_keeps_finished_faces_and_a_second_run_goes_on(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    child = start("run", str(source), "--out", str(out))
    wait_for(child, out / "kids", 5)
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate(timeout=180)
    assert child.returncode == 130
    assert stdout == ""
    assert "Traceback" not in stderr
    kept = faces(out / "kids")
    assert 5 <= len(kept) < 40
    assert all(map(is_whole, kept))
    assert f"{len(kept)} finished samples are kept" in stderr
    assert not [name for name in os.listdir(out / "kids") if name.endswith(".part")]
    record = read_run(out)
    assert record is not None
    assert not record.complete
    assert len(record.groups[0].samples) == 40
    times = [path.stat().st_mtime_ns for path in kept]

    second = start("run", str(source), "--out", str(out), pause=0)
    stdout, stderr = second.communicate(timeout=180)
    assert second.returncode == 0
    assert f"{len(kept)} of 40 samples are there already" in stderr
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert len(faces(out / "kids")) == 40
    assert "kids: 40 samples" in stdout

    start("run", str(source), "--out", str(tmp_path / "whole"), pause=0).communicate(timeout=180)
    for path in faces(out / "kids"):
        assert path.read_bytes() == (tmp_path / "whole" / "kids" / path.name).read_bytes()


def test_a_killed_run_leaves_whole_faces_and_goes_on(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    child = start("run", str(source), "--out", str(out), pause=0.02)
    wait_for(child, out / "kids", 4)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    kept = faces(out / "kids")
    assert all(map(is_whole, kept))
    times = [path.stat().st_mtime_ns for path in kept]
    second = start("run", str(source), "--out", str(out), pause=0)
    second.communicate(timeout=180)
    assert second.returncode == 0
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert sorted(os.listdir(out / "kids")) == [
        *(f"{i:04d}.png" for i in range(40)),
        "images.jsonl",
        "latents-000000.safetensors",
        "samples.jsonl",
        "sheet.png",
    ]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_as_ctrl_c_does(tmp_path: Path, source: Path, name: str) -> None:
    out, number = tmp_path / "out", getattr(signal, name)
    child = start("run", str(source), "--out", str(out))
    wait_for(child, out / "kids", 3)
    # A terminal that closes sends two.
    child.send_signal(number)
    child.send_signal(number)
    stdout, stderr = child.communicate(timeout=60)
    assert child.returncode == 128 + number
    assert (stdout, "Traceback" in stderr) == ("", False)
    kept = faces(out / "kids")
    assert 3 <= len(kept) < 40
    assert all(map(is_whole, kept))
    assert f"{len(kept)} finished samples are kept" in stderr
    assert not list(out.rglob("*.part"))


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path, source: Path) -> None:
    """As under `nohup`."""
    out = tmp_path / "out"
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        child = start("run", str(source), "--out", str(out), pause=0.01)
    finally:
        signal.signal(signal.SIGHUP, previous)
    wait_for(child, out / "kids", 3)
    child.send_signal(signal.SIGHUP)
    assert child.wait(60) == 0
    assert len(faces(out / "kids")) == 40


@pytest.mark.weights
def test_ctrl_c_with_the_real_generator(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "lacelang.cli.main", "run", str(source), "--out", str(out)]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)
    wait_for(child, out / "kids", 2)
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=180)
    assert child.returncode == 130
    assert "Traceback" not in stderr
    assert 2 <= len(faces(out / "kids")) < 40
    assert all(map(is_whole, faces(out / "kids")))

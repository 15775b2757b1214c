"""No traffic, no stray process and no stray file: every process is watched, in a fresh home."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lacelang.storage.cache import CACHE_VARIABLE, cache_dir

ROOT = Path(__file__).resolve().parent.parent
GUARD = Path(__file__).parent / "guard"
MAIN = ["-m", "lacelang"]
WEIGHTS = pytest.mark.weights
SLOW = (WEIGHTS, pytest.mark.slow)
PROGRAM = "sample 2 from ffhq where glasses=1 seed 3 as specs\n"
# The one process that is not Python's to end: multiprocessing's own, gone with its parent.
TRACKER = "from multiprocessing.resource_tracker import main;main("
SPAWNED = "from multiprocessing.spawn import spawn_main; spawn_main("


class Watched:
    """A fresh home, a working folder, and what processes in them did."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.work = folder / "work"
        self.scratch = folder / "tmp"
        self.log = folder / "guard.log"
        for each in (self.home, self.work, self.scratch):
            each.mkdir()
        (self.work / "p.lace").write_text(PROGRAM)

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("XDG_", "MPL", "TORCH")) and name != "CI"
        }
        return {
            **kept,
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "PYTHONPATH": os.pathsep.join([str(GUARD), str(ROOT)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GUARD_LOG": str(self.log),
            CACHE_VARIABLE: str(cache_dir()),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.work,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def script(self, text: str) -> subprocess.CompletedProcess[str]:
        (self.work / "mine.py").write_text(textwrap.dedent(text))
        return self.run("mine.py")

    def events(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def left(self) -> list[str]:
        """Files and folders in the home and among temporary files."""
        return sorted(
            str(path.relative_to(folder))
            for folder in (self.home, self.scratch)
            for path in folder.rglob("*")
        )

    def is_quiet(self, processes: int = 1) -> bool:
        starts = [event for event in self.events() if event[0] == "start"]
        others = [event for event in self.events() if event[0] != "start"]
        assert (others, len(starts), self.left()) == ([], processes, [])
        return True


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_the_guard_notices(watched: Watched) -> None:
    done = watched.script(
        """
        import socket, subprocess, pathlib
        (pathlib.Path.home() / "stray").touch()
        subprocess.run(["true"])
        try:
            socket.create_connection(("127.0.0.1", 9), 0.1)
        except OSError:
            pass
        """
    )
    assert done.returncode == 0, done.stderr
    seen = {event[0] for event in watched.events()}
    assert seen >= {"start", "subprocess.Popen", "socket.connect"}
    assert watched.left() == ["stray"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", "p.lace"],
        ["fmt", "p.lace"],
        ["explain", "p.lace"],
        pytest.param(["explain", "p.lace", "--only", "specs"], marks=pytest.mark.weights),
        ["models", "list"],
        ["run", "nothing.lace"],
        pytest.param(["run", "p.lace", "--out", "out"], marks=pytest.mark.weights),
        ["evaluate", "--help"],
        ["label", "--help"],
        ["train", "--help"],
    ],
    ids=" ".join,
)
def test_commands_are_quiet(watched: Watched, arguments: list[str]) -> None:
    done = watched.run(*MAIN, *arguments)
    assert done.returncode in (0, 1, 2), done.stderr
    assert watched.is_quiet()
    assert {path.name for path in watched.work.iterdir()} <= {"p.lace", "out"}


LABEL = ["label", "ffhq", "--count", "2", "--rare", "0", "--seed", "6", "--workers", "1"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["evaluate", "nothing"], 2),
        (["evaluate", "p.lace", "--faces", "0"], 2),
        (["label", "nobody"], 2),
        (["train", "nobody"], 2),
        (["train", "ffhq", "--labels", "nothing"], 3),
        pytest.param(["evaluate", "p.lace", "--faces", "2", "--out", "out"], 0, marks=SLOW),
        pytest.param([*LABEL, "--out", "out"], 0, marks=SLOW),
        pytest.param(["train", "ffhq", "--epochs", "1", "--out", "out"], 0, marks=SLOW),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_evaluating_labelling_and_training_are_quiet(
    watched: Watched, arguments: list[str], code: int
) -> None:
    """Beside `--out` and the cache nothing is written; the only other processes are our workers."""
    done = watched.run(*MAIN, *arguments)
    assert done.returncode == code, done.stderr
    events = watched.events()
    starts = [" ".join(event[1:]) for event in events if event[0] == "start"]
    assert all(TRACKER in start or SPAWNED in start for start in starts[1:])
    assert [event for event in events if event[0] != "start"] == []
    left = watched.left()
    # Torch's optimisers import its compiler, which makes an empty folder among temporary files.
    assert len(left) == left[:1].count(f"torchinductor_{getpass.getuser()}")
    made = {path.name for path in watched.work.iterdir()} - {"p.lace"}
    assert made == ({"out"} if code == 0 else set())


@pytest.mark.weights
def test_python_is_quiet_without_a_main_guard(watched: Watched) -> None:
    """`spawn` runs a script again that has no main guard, once for each process."""
    done = watched.script(
        f"""
        import multiprocessing, os
        multiprocessing.set_start_method("spawn")
        print("begun")
        import lacelang
        before = dict(os.environ)
        run = lacelang.compile({PROGRAM!r}).run(out="out")
        run["specs"].images
        assert dict(os.environ) == before
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "begun\n", "")
    assert watched.is_quiet()


@pytest.mark.weights
def test_a_home_that_cannot_be_written_is_no_trouble(watched: Watched) -> None:
    watched.home.rmdir()
    watched.home.write_text("no folder")
    done = watched.run(*MAIN, "run", "p.lace", "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.weights
def test_converting_is_quiet_where_the_user_imported_openvino_first(watched: Watched) -> None:
    """What the user's own import sends is the user's affair; what comes after is ours."""
    (watched.home / "intel").mkdir()
    (watched.home / "intel" / "openvino_telemetry").write_text("1")
    done = watched.script(
        """
        import sys, time
        import openvino
        import openvino_telemetry
        sent = []
        openvino_telemetry.Telemetry.send_event = lambda *event, **_: sent.append(event)
        telemetry = sys.modules["openvino_telemetry"]
        import torch
        from lacelang.generators import (openvino_runtime)
        openvino_runtime.convert(torch.nn.Linear(2, 2), example_input=torch.zeros(1, 2))
        assert not sent
        openvino.convert_model(torch.nn.Linear(2, 2), example_input=torch.zeros(1, 2))
        assert sent
        assert sys.modules["openvino_telemetry"] is telemetry
        """
    )
    assert done.returncode == 0, done.stderr


def test_the_user_s_telemetry_package_is_as_ever_after_ours(watched: Watched) -> None:
    done = watched.script(
        """
        import sys
        from lacelang.generators import (openvino_runtime)
        openvino_runtime.openvino()
        assert "openvino_telemetry" not in sys.modules
        import openvino
        import openvino_telemetry
        assert openvino_telemetry.Telemetry.__module__ == "openvino_telemetry.main"
        """
    )
    assert done.returncode == 0, done.stderr
    assert watched.is_quiet()


def test_only_one_module_imports_openvino() -> None:
    found = [
        path.name
        for path in (ROOT / "lacelang").rglob("*.py")
        if any(line.split()[:2] == ["import", "openvino"] for line in path.open())
    ]
    assert found == ["openvino_runtime.py"]


def test_our_processes_do_not_run_a_script_again(watched: Watched) -> None:
    done = watched.script(
        """
        print("begun", flush=True)
        from lacelang.system.processes import (processes)
        with processes(2) as pool:
            print(sum(pool.map(abs, [-1, -2])))
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "begun\n3\n", "")
    kinds = [" ".join(event[1:]) for event in watched.events() if event[0] == "start"]
    ours = [kind for kind in kinds if TRACKER not in kind]
    assert len(ours) <= 3
    assert all(SPAWNED in kind for kind in ours[1:])


def test_figures_leave_nothing_in_the_home(watched: Watched, tmp_path: Path) -> None:
    done = watched.script(
        f"""
        import os
        os.environ["{CACHE_VARIABLE}"] = {str(tmp_path / "cache")!r}
        before = dict(os.environ)
        from experiments.plot import scatter
        scatter("a", "b", "x", "y", {{"one": [(1.0, 2.0)]}}).draw()
        assert dict(os.environ) == before
        """
    )
    assert done.returncode == 0, done.stderr
    assert watched.left() == []


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
@pytest.mark.weights
def test_the_prompt_leaves_its_history_and_nothing_else(watched: Watched) -> None:
    import ptyprocess
    import pyte

    child = ptyprocess.PtyProcess.spawn(
        [sys.executable, *MAIN], cwd=str(watched.work), env={**watched.environment, "TERM": "xterm"}
    )
    screen = pyte.Screen(80, 24)
    stream = pyte.ByteStream(screen)
    screen.write_process_input = lambda answer: child.write(answer.encode())
    deadline = time.monotonic() + 60
    while not any("lace>" in line for line in screen.display):
        assert time.monotonic() < deadline
        stream.feed(child.read(4096))
    time.sleep(4)
    child.write(b"\x04")
    assert child.wait() == 0
    assert [event for event in watched.events() if event[0] != "start"] == []
    files = [name for name in watched.left() if (watched.home / name).is_file()]
    assert [name.rpartition("lacelang/")[2] for name in files] == ["history"]

"""The ways out: of a prompt, of a pipe, of a user's script, of a forked process.

None of them may end in an abort, a hang, a traceback or a terminal that is left half open.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals, no forks there")

TINY = Path(__file__).parents[1] / "engine"
# A small model stands for the declared one, and its decoder takes its time.
STAND_IN = f"""
import sys, time
sys.path.insert(0, {str(TINY)!r})
from tiny import TinyGenerator, TinyModel
from lacelang.engine import (plan)
model = TinyModel()
plan.load = lambda spec, device, progress: model
decode = TinyGenerator.decode
def slowly(self, w):
    for image in decode(self, w):
        time.sleep(0.05)
        yield image
TinyGenerator.decode = slowly
import lacelang
"""
MAIN = [sys.executable, "-m", "lacelang"]


def script(text: str, *arguments: str, tiny: bool = True) -> subprocess.CompletedProcess[str]:
    code = (STAND_IN if tiny else "") + textwrap.dedent(text)
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# The prompt


class Prompt:
    """A prompt in a pseudo-terminal, its model being loaded in the background."""

    def __init__(self, folder: Path) -> None:
        import ptyprocess

        self.environment = {**os.environ, "TERM": "xterm", "XDG_DATA_HOME": str(folder)}
        self.process = ptyprocess.PtyProcess.spawn(
            MAIN, cwd=str(folder), env=self.environment, dimensions=(24, 80)
        )
        self.before = self.modes()
        self.said = b""
        self.read_until(b"lace>")

    def modes(self) -> list[int]:
        import termios

        return termios.tcgetattr(self.process.fd)[:4]

    def read_until(self, wanted: bytes | None) -> None:
        deadline = time.monotonic() + 60
        while wanted is None or wanted not in self.said:
            assert time.monotonic() < deadline, self.said
            if not select.select([self.process.fd], [], [], 0.1)[0]:
                continue
            try:
                new = os.read(self.process.fd, 4096)
            except OSError:
                return
            if not new:
                return
            self.said += new
            if b"\x1b[6n" in new:
                self.process.write(b"\x1b[1;1R")

    def code(self) -> int:
        _, status = os.waitpid(self.process.pid, 0)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def prompt(tmp_path: Path) -> Iterator[Prompt]:
    opened = Prompt(tmp_path)
    yield opened
    try:
        os.kill(opened.process.pid, signal.SIGKILL)
        os.waitpid(opened.process.pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


WAYS = {"\x04": 0, ":quit\r": 0, "SIGTERM": 143, "SIGHUP": 129}


@pytest.mark.weights
@pytest.mark.parametrize("after", [0.0, pytest.param(1.2, marks=pytest.mark.slow), 2.0])
@pytest.mark.parametrize("way", WAYS, ids=["Ctrl-D", "quit", "SIGTERM", "SIGHUP"])
def test_leaving_while_the_model_is_loaded(prompt: Prompt, way: str, after: float) -> None:
    time.sleep(after)
    left = time.monotonic()
    if way.startswith("SIG"):
        os.kill(prompt.process.pid, getattr(signal, way))
    else:
        prompt.process.write(way.encode())
    prompt.read_until(None)
    assert prompt.code() == WAYS[way], prompt.said
    assert time.monotonic() - left < 10
    assert b"Traceback" not in prompt.said
    assert prompt.said.rindex(b"\x1b[?25h") > prompt.said.rfind(b"\x1b[?25l")
    assert prompt.modes() == prompt.before


@pytest.mark.weights
def test_a_terminal_that_closes_ends_the_prompt(prompt: Prompt) -> None:
    time.sleep(1)
    os.close(prompt.process.fd)
    assert prompt.code() == 129


# Pipes


@pytest.mark.parametrize(
    "command",
    ["--help", "models list", "explain p.lace", "check --json p.lace", "fmt - < p.lace"],
)
@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("| head -c 1 > /dev/null", 0, ""),
        ("| true", 0, ""),
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        pytest.param(
            "> /dev/full",
            3,
            "lacelang: cannot write the output: No space left on device\n",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device"),
        ),
    ],
)
def test_nobody_reads_the_output(
    tmp_path: Path, command: str, end: str, code: int, said: str
) -> None:
    if command == "fmt - < p.lace" and end.startswith("<"):
        end = ">&- 2>&-"
    (tmp_path / "p.lace").write_text("sample 2 from ffhq where glasses=1\n")
    line = f"set -o pipefail; {' '.join(MAIN)} {command} {end}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (code, said)


# Scripts

BACKGROUND = """
    import threading
    begun = threading.Event()
    def work():
        program = lacelang.compile("sample 30 from ffhq seed 3 as kids")
        if sys.argv[1] == "run":
            begun.set()
            program.run(out=sys.argv[2])
        else:
            for image in program.run()["kids"].each_image():
                begun.set()
    threading.Thread(target=work, daemon=sys.argv[3] == "daemon").start()
    begun.wait()
    time.sleep(float(sys.argv[4]))
    if sys.argv[5] == "raise":
        raise ValueError("mine")
    sys.exit(7)
"""


@pytest.mark.parametrize("after", ["0", pytest.param("0.5", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("how", "code"), [("exit", 7), ("raise", 1)])
@pytest.mark.parametrize("what", ["run", "decode"])
def test_a_script_ends_while_its_daemon_thread_works(
    tmp_path: Path, what: str, how: str, code: int, after: str
) -> None:
    done = script(BACKGROUND, what, str(tmp_path / "out"), "daemon", after, how)
    assert done.returncode == code, done.stderr
    assert "Exception in thread" not in done.stderr
    assert done.stderr.count("Traceback") == (how == "raise")
    assert not list(tmp_path.rglob("*.part"))


def test_a_thread_that_is_no_daemon_goes_on_to_its_end(tmp_path: Path) -> None:
    done = script(BACKGROUND, "run", str(tmp_path), "waited", "0", "exit")
    assert (done.returncode, done.stderr) == (7, "")
    assert len(list((tmp_path / "kids").glob("0*.png"))) == 30


@pytest.mark.weights
@pytest.mark.parametrize(
    "after", [0.5, *(pytest.param(after, marks=pytest.mark.slow) for after in (1.5, 3.0))]
)
def test_a_script_ends_while_the_real_decoder_works(tmp_path: Path, after: float) -> None:
    done = script(
        "import sys, time, lacelang\n" + textwrap.dedent(BACKGROUND),
        "run" if after < 2 else "decode",
        str(tmp_path),
        "daemon",
        str(after if after < 2 else after / 10),
        "exit",
        tiny=False,
    )
    assert (done.returncode, done.stderr) == (7, "")


def test_work_that_begins_after_the_end_is_not_waited_for() -> None:
    done = script(
        """
        import sys, threading, time
        from lacelang.system import threads
        entered = threading.Event()
        def first():
            with threads.working():
                entered.set()
                while not threads._ending:
                    time.sleep(0.01)
                threads.in_background(list, "late")
                time.sleep(0.5)
        threading.Thread(target=first, daemon=True).start()
        entered.wait()
        sys.exit(7)
        """,
        tiny=False,
    )
    assert (done.returncode, done.stderr) == (7, "")


def test_in_an_event_loop(tmp_path: Path) -> None:
    done = script(
        """
        import asyncio, pathlib
        program = lacelang.compile("sample 3 from ffhq seed 3 as kids")
        async def main():
            within = program.run(out=sys.argv[1] + "/a")
            beside = await asyncio.to_thread(program.run, out=sys.argv[1] + "/b")
            several = await asyncio.gather(*(asyncio.to_thread(program.run) for _ in range(3)))
            assert len({run["kids"].latents.numpy().tobytes()
                        for run in (within, beside, *several)}) == 1
        asyncio.run(main())
        """,
        str(tmp_path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(tmp_path.rglob("0*.png"))) == 6


@pytest.mark.weights
@pytest.mark.parametrize(
    "use",
    [
        "lacelang.compile('sample 1 from ffhq').run()['sample1'].images",
        pytest.param(
            "lacelang.compile('sample 1 from ffhq as a\\nexpect glasses=1 in 1% of a').run()",
            marks=pytest.mark.slow,
        ),
        "from lacelang.annotators.faces import FACES; FACES.load()",
    ],
    ids=["decoded", "judged", "annotators gone"],
)
def test_a_signal_after_pictures_is_a_signal(use: str) -> None:
    """The stack that OpenVINO sets for signals must not go before the thread does."""
    done = script(
        f"""
        import gc, os, signal, lacelang
        {use}
        gc.collect()
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            print("heard")
        """,
        tiny=False,
    )
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


# Forks

FORKED = """
    import os, signal, sys
    import lacelang
    program = lacelang.compile("sample 2 from ffhq where glasses=1 seed 3 as specs")
    {before}
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            run = program.run()
            print("sampled", flush=True)
            run["specs"].images
            print("decoded", flush=True)
        except lacelang.ResourceError as error:
            print(str(error).splitlines()[0], flush=True)
        sys.exit(5)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
REFUSED = "no pictures in this process: it was forked from one in which OpenVINO runs"


@pytest.mark.weights
@pytest.mark.parametrize(
    ("before", "said"),
    [
        pytest.param(
            "import torch; (torch.ones(900, 900) @ torch.ones(900, 900)).sum()",
            "decoded",
            marks=pytest.mark.slow,
        ),
        ("program.run()", "decoded"),
        ("program.run()['specs'].images", REFUSED),
    ],
    ids=["torch used", "sampled", "decoded"],
)
def test_a_forked_process_runs_or_says_why_not(before: str, said: str) -> None:
    done = script(FORKED.format(before=before), tiny=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n") == ["sampled", said, "5", ""]


def test_a_pool_of_forked_processes_runs() -> None:
    done = script(
        """
        import multiprocessing
        program = lacelang.compile("sample 2 from ffhq seed 3 as kids")
        def energies(_):
            return program.run()["kids"].latents.sum().item()
        here = energies(0)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(energies, range(4)) == [here] * 4
        """
    )
    assert (done.returncode, done.stderr) == (0, "")

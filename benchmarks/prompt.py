"""How soon the prompt answers: the first key after its start, and the first face after Enter.

    python benchmarks/prompt.py [--times 10] [--model ffhq]

Drives `lacelang repl` in a pseudo-terminal, with weights that are in the cache already. Prints
medians and ranges over `--times` starts and statements. The limits are 0.5 s to the first key and
1.5 s to the first face.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence

import ptyprocess
import pyte

COLUMNS, ROWS = 100, 50
PATIENCE = 120
FIRST_KEY, FIRST_FACE = 0.5, 1.5

CONDITIONS = (
    "glasses=1",
    "smile=1 and age < 30",
    "beard=1 and smile=0",
    "gender=female and glasses=1",
    "age > 50",
    "yaw > 10 and smile=1",
    "haircolor=black and glasses=0",
    "glasses=1 or beard=1",
    "not smile=1 and age in 20..40",
    "gender=male and haircolor=gray",
)


class Terminal:
    """The prompt in a pseudo-terminal; `began` is when the process was started."""

    def __init__(self, folder: str) -> None:
        environment = {n: v for n, v in os.environ.items() if n not in ("NO_COLOR", "TMUX")}
        environment |= {"TERM": "xterm-256color", "XDG_DATA_HOME": folder}
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.changed = threading.Condition()
        self.began = time.perf_counter()
        self.process = ptyprocess.PtyProcess.spawn(
            [sys.executable, "-m", "lacelang", "repl"],
            cwd=folder,
            env=environment,
            dimensions=(ROWS, COLUMNS),
        )
        self.screen.write_process_input = lambda answer: self.process.write(answer.encode())
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        stream = pyte.ByteStream(self.screen)
        try:
            while True:
                data = self.process.read(1 << 16)
                with self.changed:
                    stream.feed(data)
                    self.changed.notify_all()
        except EOFError:
            return

    def lines(self) -> list[str]:
        """What stands on the screen, without the empty lines below."""
        lines = [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines or [""]

    def wait(self, happened: Callable[[list[str]], bool]) -> float:
        """Wait until what stands on the screen is so, and return when it was."""
        with self.changed:
            if not self.changed.wait_for(lambda: happened(self.lines()), PATIENCE):
                raise SystemExit("the prompt does not answer:\n" + "\n".join(self.lines()))
            return time.perf_counter()

    def type(self, keys: str) -> float:
        """Type, and return when."""
        self.process.write(keys.encode())
        return time.perf_counter()

    def end(self) -> None:
        """Close the terminal."""
        self.process.terminate(force=True)


def first_key(folder: str) -> float:
    """Return the seconds from a start until a key that was typed at once is in the line."""
    terminal = Terminal(folder)
    terminal.type("x")
    shown = terminal.wait(lambda lines: lines[-1] == "lace> x")
    terminal.end()
    return shown - terminal.began


def first_faces(folder: str, model: str, conditions: Sequence[str]) -> tuple[float, list[float]]:
    """Return the seconds to a first face typed for at once, and those of later statements."""
    terminal = Terminal(folder)
    found = []
    for number, condition in enumerate(("age > 20", *conditions)):
        terminal.wait(lambda lines: lines[-1] == "lace>")
        typed = f"sample 4 from {model} where {condition} seed {number}"
        terminal.type("\x0c" + typed)
        terminal.wait(lambda lines, typed=typed: lines[-1] == f"lace> {typed}")  # type: ignore[misc]
        entered = terminal.type("\r")
        shown = terminal.wait(lambda lines: any("▀" in line for line in lines))
        found.append(shown - entered)
        terminal.wait(lambda lines: lines[-1] == "lace>")
    terminal.end()
    return found[0], found[1:]


def said(what: str, seconds: Sequence[float], limit: float) -> str:
    """Return a line of the table."""
    middle, least, most = statistics.median(seconds), min(seconds), max(seconds)
    within = "within" if middle <= limit else "ABOVE"
    return f"{what:<28}{middle:6.2f} s  ({least:.2f} to {most:.2f})  {within} {limit} s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--times", type=int, default=10, help="starts and statements (10)")
    parser.add_argument("--model", default="ffhq", help="whose faces (ffhq)")
    given = parser.parse_args()
    conditions = [CONDITIONS[i % len(CONDITIONS)] for i in range(given.times)]
    with tempfile.TemporaryDirectory() as folder:
        starts = [first_key(folder) for _ in range(given.times)]
        cold, later = first_faces(folder, given.model, conditions)
    print(f"median of {given.times} (and range)")
    print(said("start to first key", starts, FIRST_KEY))
    print(said("Enter to first face", later, FIRST_FACE))
    print(f"{'first statement of a session':<28}{cold:6.2f} s  (the model is still being loaded)")


if __name__ == "__main__":
    main()

"""The prompt in a pseudo-terminal, which answers what a terminal is asked."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import ptyprocess
import pyte

PROMPT = "lace>"
ENTER = "\r"
PATIENCE = 200.0
"""Seconds that an answer may take while others use the processor."""


class Terminal:
    """A terminal of some columns and rows with the prompt in it.

    Attributes:
        process: the prompt's.
        screen: what stands in the terminal, cell by cell.
        began: when the process was started, on the clock of `time.perf_counter`.
    """

    def __init__(self, folder: Path, columns: int = 80, rows: int = 50, **environment: str) -> None:
        kept = {n: v for n, v in os.environ.items() if n not in ("NO_COLOR", "TMUX")}
        variables = {
            **kept,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "XDG_DATA_HOME": str(folder),
            **environment,
        }
        self.screen = pyte.Screen(columns, rows)
        self._changed = threading.Condition()
        self.began = time.perf_counter()
        self.process = ptyprocess.PtyProcess.spawn(
            [sys.executable, "-m", "lacelang"],
            cwd=str(folder),
            env=variables,
            dimensions=(rows, columns),
        )
        self.screen.write_process_input = lambda answer: self.process.write(answer.encode())
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        stream = pyte.ByteStream(self.screen)
        try:
            while True:
                data = self.process.read(1 << 16)
                with self._changed:
                    stream.feed(data)
                    self._changed.notify_all()
        except EOFError:
            return

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without the empty lines below."""
        lines = [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines or [""]

    def type(self, keys: str) -> float:
        """Type, and return when."""
        self.process.write(keys.encode())
        return time.perf_counter()

    def wait(self, happened: Callable[[Sequence[str]], bool]) -> float:
        """Wait until the lines on the screen are so, and return when they were.

        Raises:
            TimeoutError: they never are.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: happened(self.lines), PATIENCE):
                raise TimeoutError("\n".join(self.lines))
            return time.perf_counter()

    def wait_for_prompt(self) -> float:
        """Wait until an entry can be typed, and return when it could."""
        return self.wait(lambda lines: lines[-1] == PROMPT)

    def enter(self, typed: str) -> list[str]:
        """Type a line, wait for the next prompt and return the lines between the two."""
        self.type(typed)
        self.wait(lambda lines: lines[-1] == f"{PROMPT} {typed}")
        self.type(ENTER)
        self.wait_for_prompt()
        lines = self.lines
        begin = max(i for i, line in enumerate(lines) if line.startswith(f"{PROMPT} {typed}"))
        return lines[begin + 1 : -1]

    def close(self) -> None:
        """End the program."""
        self.process.terminate(force=True)

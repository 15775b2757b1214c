"""A picture of a terminal with the prompt in it: a pseudo-terminal, drawn cell by cell."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib
import ptyprocess
import pyte
from PIL import Image, ImageDraw, ImageFont

PATIENCE = 300
_CELL = (7, 14)
_GROUND, _INK = "#16181d", "#e4e6eb"
_NAMED = {
    "black": "#3b3f4a",
    "red": "#f2777a",
    "green": "#8fd18b",
    "brown": "#ffcc66",
    "blue": "#7fb2f0",
    "magenta": "#d6a2e8",
    "cyan": "#77cfd0",
    "white": "#e4e6eb",
}


class Terminal:
    """A terminal of some columns and rows with the prompt in it."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        environment = {n: v for n, v in os.environ.items() if n not in ("NO_COLOR", "TMUX")}
        environment |= {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "XDG_DATA_HOME": str(folder),
        }
        self.screen = pyte.Screen(columns, rows)
        self._process = ptyprocess.PtyProcess.spawn(
            [sys.executable, "-m", "lacelang"],
            cwd=str(folder),
            env=environment,
            dimensions=(rows, columns),
        )
        self.screen.write_process_input = lambda answer: self._process.write(answer.encode())
        threading.Thread(target=self._listen, daemon=True).start()
        self.wait(lambda line: line == "lace>")

    def _listen(self) -> None:
        stream = pyte.ByteStream(self.screen)
        try:
            while True:
                stream.feed(self._process.read(1 << 16))
        except EOFError:
            return

    def _last(self) -> str:
        lines = [line.rstrip() for line in self.screen.display]
        return next((line for line in reversed(lines) if line), "")

    def wait(self, happened: Callable[[str], bool]) -> None:
        """Wait until the last line that is not empty is so.

        Raises:
            TimeoutError: it never is.
        """
        deadline = time.monotonic() + PATIENCE
        while not happened(self._last()):
            if time.monotonic() > deadline:
                raise TimeoutError("\n".join(self.screen.display))
            time.sleep(0.05)

    def enter(self, typed: str) -> None:
        """Type a line, and wait for the next prompt."""
        self._process.write(typed.encode())
        self.wait(lambda line: line == f"lace> {typed}")
        self._process.write(b"\r")
        self.wait(lambda line: line == "lace>")

    def close(self) -> None:
        """End the program."""
        self._process.terminate(force=True)

    def picture(self) -> Image.Image:
        """Return what the terminal shows, down to its last line."""
        wide, high = _CELL
        last = max(i for i, line in enumerate(self.screen.display) if line.strip())
        size = (self.screen.columns * wide + 2 * wide, (last + 1) * high + high)
        image = Image.new("RGB", size, _GROUND)
        draw = ImageDraw.Draw(image)
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        font = ImageFont.truetype(str(fonts / "DejaVuSansMono.ttf"), 11)
        for row in range(last + 1):
            for column in range(self.screen.columns):
                cell = self.screen.buffer[row][column]
                ink, ground = _colour(cell.fg, _INK), _colour(cell.bg, _GROUND)
                if cell.reverse:
                    ink, ground = ground, ink
                x, y = wide + column * wide, high // 2 + row * high
                if ground != _GROUND:
                    draw.rectangle((x, y, x + wide - 1, y + high - 1), ground)
                if cell.data == "▀":
                    draw.rectangle((x, y, x + wide - 1, y + high // 2 - 1), ink)
                elif cell.data == "▄":
                    draw.rectangle((x, y + high // 2, x + wide - 1, y + high - 1), ink)
                elif cell.data.strip():
                    draw.text((x, y), cell.data, ink, font)
        return image


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    name = name.removeprefix("bright")
    return _NAMED.get(name, f"#{name}")

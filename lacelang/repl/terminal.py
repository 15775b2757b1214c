"""What a terminal says of itself: its background, its name, and whether it draws sixels.

It is asked once, while the prompt is still being imported, and answers in the meantime. The last
question is one that every terminal answers, so that nobody waits for answers that do not come. Keys
that are typed before the prompt is there are kept for it; an answer that is too late is dropped.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

from lacelang.text.channels import styled

QUESTIONS = "\x1b]11;?\x1b\\\x1b[>q\x1b[c"
"""The background (OSC 11), the name (XTVERSION), and device attributes (DA1)."""

ANSWER_WITHIN = 0.3
"""Seconds within which a terminal has to answer, from the questions on."""

_SIXEL = "4"
_MOST = 1 << 16
_END = r"(?:\x07|\x1b\\)"
_COLOUR = re.compile(rf"\x1b\]11;rgba?:([0-9a-fA-F/]+){_END}")
_NAME = re.compile(r"\x1bP>\|([^\x1b]*)\x1b\\")
_ATTRIBUTES = re.compile(r"\x1b\[\?([\d;]*)c")
_ANSWERS = (_COLOUR, _NAME, _ATTRIBUTES)

Colour = tuple[float, float, float]
"""Red, green and blue, each 0..1."""


class Answers(NamedTuple):
    """What a terminal answered; what it did not is None or empty."""

    background: Colour | None = None
    name: str = ""
    sixel: bool = False
    typed: str = ""  # what was typed meanwhile


NO_ANSWERS = Answers()


def answers_in(text: str) -> Answers:
    """Return the answers in what came from a terminal; all else was typed."""
    colour, name, attributes = (answer.search(text) for answer in _ANSWERS)
    return Answers(
        _colour(colour[1]) if colour else None,
        name[1] if name else "",
        attributes is not None and _SIXEL in attributes[1].split(";"),
        without_answers(text),
    )


def without_answers(text: str) -> str:
    """Return what was typed: the text without answers of the terminal in it."""
    for answer in _ANSWERS:
        text = answer.sub("", text)
    return text


def _colour(said: str) -> Colour | None:
    parts = said.split("/")[:3]
    if len(parts) != 3 or not all(parts):
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in parts)
    return red, green, blue


class Questions:
    """The questions, from when they are asked; leaving the `with` block restores the terminal.

    Only a terminal that understands escape sequences is asked.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._before: list[Any] | None = None
        self._asked = 0.0
        self._input = -1
        environment = os.environ if environment is None else environment
        if environment.get("TERM", "") in ("", "dumb", "linux"):
            return
        try:
            import termios

            self._input = sys.stdin.fileno()
            if not (os.isatty(self._input) and sys.stdout.isatty()):
                return
            self._before = termios.tcgetattr(self._input)
            quiet = termios.tcgetattr(self._input)
            quiet[3] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(self._input, termios.TCSANOW, quiet)
            screen = styled(sys.stdout)
            screen.write(QUESTIONS)
            screen.flush()
        except (ImportError, OSError, ValueError):
            # No such terminals here, or it is gone.
            self.__exit__(None, None, None)
        self._asked = time.monotonic()

    def answers(self) -> Answers:
        """Wait for the answers, at most `ANSWER_WITHIN` from the questions, and return them."""
        if self._before is None:
            return Answers()
        import select

        got = b""
        while len(got) < _MOST and not _ATTRIBUTES.search(got.decode("latin-1")):
            left = self._asked + ANSWER_WITHIN - time.monotonic()
            # What is there already is read in any case: imports may have taken longer.
            if not select.select([self._input], [], [], max(0.0, left))[0]:
                break
            part = os.read(self._input, 4096)
            if not part:
                break
            got += part
        return answers_in(got.decode("utf-8", "replace"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, where: TracebackType | None
    ) -> None:
        if self._before is not None:
            import termios

            # Not flushed: what is typed now is for the prompt.
            termios.tcsetattr(self._input, termios.TCSANOW, self._before)
            self._before = None

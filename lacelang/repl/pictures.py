"""Pictures in a terminal: by a graphics protocol that it is known to support, else in half-blocks.

What a terminal supports is read from the environment variables, and from what it answered when the
prompt began (`terminal`).
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Literal, cast, get_args

from PIL import Image
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.control import Control
from rich.measure import Measurement
from rich.segment import ControlType, Segment, Segments
from rich.style import Style

from lacelang.errors import UsageError
from lacelang.repl.terminal import NO_ANSWERS, Answers

Graphics = Literal["kitty", "iterm", "sixel", "blocks", "none"]

SETTING = "LACELANG_GRAPHICS"
"""The environment variable that overrides the guess."""

_KITTY = frozenset({"xterm-kitty", "xterm-ghostty"})
_SIXEL = ("foot", "mlterm", "contour", "yaft")
_PROGRAMS: Mapping[str, Graphics] = {
    "iTerm.app": "iterm",
    "iTerm2": "iterm",
    "WezTerm": "iterm",  # it lacks the placeholders of kitty's protocol
    "mintty": "iterm",
    "kitty": "kitty",
    "ghostty": "kitty",
    "foot": "sixel",
    "contour": "sixel",
}
"""By TERM_PROGRAM, LC_TERMINAL (which outlives ssh) or the beginning of the name in an answer."""
_FALLBACK_CELL = (10, 20)


def graphics_of(
    environment: Mapping[str, str],
    terminal: bool,
    answers: Answers = NO_ANSWERS,
    passes: bool = False,
) -> Graphics:
    """Return how to draw; `none` if the output is no terminal.

    Args:
        environment: the environment variables.
        terminal: whether the output is one.
        answers: what it said of itself.
        passes: whether it is a tmux in a kitty, and passes on what is meant for that.
    """
    term = environment.get("TERM", "")
    if not terminal or term in ("", "dumb") or environment.get("NO_COLOR"):
        return "none"
    wish = environment.get(SETTING)
    if wish:
        if wish not in get_args(Graphics):
            raise UsageError(
                f"{SETTING} is one of {', '.join(get_args(Graphics))}; {wish!r} is not"
            )
        return cast(Graphics, wish)
    if in_multiplexer(environment):
        # It redraws its panes from text. Kitty's pictures stand at characters of their own, and a
        # tmux that says so keeps sixels; others are lost.
        if passes:
            return "kitty"
        return "sixel" if answers.sixel else "blocks"
    if term in _KITTY:
        return "kitty"
    named = (environment.get("TERM_PROGRAM", ""), environment.get("LC_TERMINAL", ""), answers.name)
    for name in named:
        for program, graphics in _PROGRAMS.items():
            if name.startswith(program):
                return graphics
    return "sixel" if answers.sixel or term.split("-")[0] in _SIXEL else "blocks"


def in_multiplexer(environment: Mapping[str, str]) -> bool:
    """Whether a multiplexer stands between this process and the terminal."""
    return "TMUX" in environment or environment.get("TERM", "").startswith(("screen", "tmux"))


def tmux_passes(environment: Mapping[str, str]) -> bool:
    """Whether this is a tmux in a kitty that lets escape sequences through to it."""
    if "TMUX" not in environment:
        return False
    asked = ["tmux", "display-message", "-p", "#{client_termname} #{allow-passthrough}"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=0.5, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    term, _, passes = said.stdout.strip().partition(" ")
    return term in _KITTY and passes in ("on", "all")


def supported_graphics(answers: Answers = NO_ANSWERS) -> Graphics:
    """Return how to draw on standard output."""
    terminal = sys.stdout.isatty()
    passes = terminal and tmux_passes(os.environ)
    graphics = graphics_of(os.environ, terminal, answers, passes)
    # Kitty's protocol needs characters beyond ASCII as well.
    unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    return graphics if graphics in ("sixel", "iterm") or unicode else "none"


def cell_size() -> tuple[int, int] | None:
    """Return the width and height of a character in pixels, None where the system cannot say."""
    try:
        import fcntl
        import struct
        import termios

        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
    except (ImportError, OSError, ValueError):
        return None
    rows, columns, width, height = struct.unpack("HHHH", answer)
    known = rows and columns and width and height
    return (width // columns, height // rows) if known else None


def drawn(picture: Image.Image, columns: int, rows: int, graphics: Graphics) -> RenderableType:
    """Return `picture` as rich prints it, `columns` characters wide and `rows` lines high."""
    if graphics == "iterm":
        return InlineImage(picture, columns, rows)
    if graphics == "blocks" or cell_size() is None:
        # Without the size of a character the library would query the terminal.
        return half_blocks(picture, columns, rows)
    with _terminal_is(None):
        from textual_image.renderable.sixel import Image as Sixel
        from textual_image.renderable.tgp import Image as Kitty
    if graphics == "kitty":
        image: RenderableType = Kitty(picture, width=columns, height=rows)
        return PassedOn(image) if in_multiplexer(os.environ) else image
    return Sixel(picture, width=columns, height=rows)


class InlineImage:
    """A picture in iTerm2's protocol (OSC 1337), which WezTerm and mintty know as well."""

    def __init__(self, picture: Image.Image, columns: int, rows: int) -> None:
        self._picture, self._columns, self._rows = picture, columns, rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Make room first: where the cursor stands after a picture depends on the terminal."""
        for _ in range(self._rows):
            yield Segment(" " * self._columns + "\n")
        yield _sequence("\x1b7")
        yield Control.move(0, -self._rows)
        yield _sequence(self._inline())
        yield _sequence("\x1b8")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return its width."""
        return Measurement(self._columns, self._columns)

    def _inline(self) -> str:
        file = io.BytesIO()
        self._picture.convert("RGB").save(file, "PNG")
        data = file.getvalue()
        size = f"width={self._columns};height={self._rows};preserveAspectRatio=0"
        content = b64encode(data).decode()
        return f"\x1b]1337;File=inline=1;size={len(data)};{size}:{content}\x07"


class PassedOn:
    """A picture in kitty's protocol, sent through a tmux; its placeholders are text for both."""

    def __init__(self, image: Any) -> None:
        self._image = image

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Send the picture wrapped, and print its placeholders."""
        with _terminal_is(_Wrapping(sys.__stdout__)):
            yield from list(self._image.__rich_console__(console, options))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return its width."""
        return cast(Measurement, self._image.__rich_measure__(console, options))


class _Wrapping:
    """A stream to a tmux, which passes what is written on to the terminal that it is in."""

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        assert self._stream is not None
        doubled = text.replace("\x1b", "\x1b\x1b")
        self._stream.write(f"\x1bPtmux;{doubled}\x1b\\")
        return len(text)


def _sequence(text: str) -> Segment:
    """Return an escape sequence, which rich counts as no character."""
    return Segment(text, control=[(ControlType.CURSOR_FORWARD, 0)])


def half_blocks(picture: Image.Image, columns: int, rows: int) -> RenderableType:
    """Return `picture` as `columns` × `rows` characters of two pixels each."""
    import numpy as np

    small = picture.convert("RGB").resize((columns, 2 * rows), Image.Resampling.LANCZOS)
    pixels = np.asarray(small).tolist()
    segments = []
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for top, bottom in zip(upper, lower, strict=True):
            style = Style(color=Color.from_rgb(*top), bgcolor=Color.from_rgb(*bottom))
            segments.append(Segment("▀", style))
        segments.append(Segment.line())
    return Segments(segments)


def pixels_of(columns: int, rows: int, graphics: Graphics) -> tuple[int, int]:
    """Return the size in pixels at which to draw a picture of that many characters."""
    width, height = (1, 2) if graphics == "blocks" else cell_size() or _FALLBACK_CELL
    return columns * width, rows * height


@contextmanager
def _terminal_is(stream: Any) -> Iterator[None]:
    """Give the library another terminal, or none: it queries its own when it is imported."""
    kept, sys.__stdout__ = sys.__stdout__, stream  # type: ignore[misc]
    try:
        yield
    finally:
        sys.__stdout__ = kept  # type: ignore[misc]

"""Pictures in a terminal: by a graphics protocol that it is known to support, else in half-blocks.

What a terminal supports is read from the environment variables. It is not queried: a late answer,
over a slow line, would be taken for typing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, cast, get_args

from PIL import Image
from rich.color import Color
from rich.console import RenderableType
from rich.segment import Segment, Segments
from rich.style import Style

from lacelang.errors import UsageError

Graphics = Literal["kitty", "sixel", "blocks", "none"]

SETTING = "LACELANG_GRAPHICS"
"""The environment variable that overrides the guess."""

_KITTY = frozenset({"xterm-kitty", "xterm-ghostty"})
_SIXEL = ("foot", "mlterm", "contour", "yaft")
_SIXEL_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "mintty", "contour"})
_FALLBACK_CELL = (10, 20)


def graphics_of(environment: Mapping[str, str], terminal: bool) -> Graphics:
    """Return how to draw by the environment; `none` if the output is no terminal."""
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
    if "TMUX" in environment or term.startswith(("screen", "tmux")):
        # A multiplexer redraws its panes from text, and loses pictures.
        return "blocks"
    if term in _KITTY:
        return "kitty"
    program = environment.get("TERM_PROGRAM", "")
    return "sixel" if program in _SIXEL_PROGRAMS or term.split("-")[0] in _SIXEL else "blocks"


def supported_graphics() -> Graphics:
    """Return how to draw on standard output."""
    graphics = graphics_of(os.environ, sys.stdout.isatty())
    # Kitty's protocol needs characters beyond ASCII as well.
    unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    return graphics if graphics == "sixel" or unicode else "none"


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
    if graphics == "blocks" or cell_size() is None:
        # Without the size of a character the library would query the terminal.
        return half_blocks(picture, columns, rows)
    with _no_questions():
        from textual_image.renderable.sixel import Image as Sixel
        from textual_image.renderable.tgp import Image as Kitty
    return (Kitty if graphics == "kitty" else Sixel)(picture, width=columns, height=rows)


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
def _no_questions() -> Iterator[None]:
    """Hide the terminal from the library, which queries it when it is imported."""
    kept, sys.__stdout__ = sys.__stdout__, None  # type: ignore[misc]
    try:
        yield
    finally:
        sys.__stdout__ = kept  # type: ignore[misc]

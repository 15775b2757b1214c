from __future__ import annotations

import io
import sys

import pytest
from PIL import Image
from rich.console import Console

from lacelang.errors import UsageError
from lacelang.repl import pictures
from lacelang.repl.pictures import drawn, graphics_of, half_blocks, supported_graphics


@pytest.mark.parametrize(
    ("environment", "graphics"),
    [
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "foot-extra"}, "sixel"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "sixel"),
        ({"TERM": "xterm-kitty", "TMUX": "session,1,0"}, "blocks"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "iTerm.app"}, "blocks"),
        ({"TERM": "dumb"}, "none"),
        ({}, "none"),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, "none"),
        ({"TERM": "xterm", "LACELANG_GRAPHICS": "sixel"}, "sixel"),
        ({"TERM": "xterm-kitty", "LACELANG_GRAPHICS": "none"}, "none"),
    ],
)
def test_how_a_terminal_draws(environment: dict[str, str], graphics: str) -> None:
    assert graphics_of(environment, terminal=True) == graphics
    assert graphics_of(environment, terminal=False) == "none"


@pytest.mark.parametrize(
    ("encoding", "term", "graphics"),
    [
        ("cp1252", "xterm-256color", "none"),
        ("ascii", "xterm-kitty", "none"),
        ("ascii", "foot", "sixel"),
        ("UTF-8", "xterm-256color", "blocks"),
    ],
)
def test_an_encoding_without_blocks_draws_none(
    encoding: str, term: str, graphics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "NO_COLOR", "TERM_PROGRAM", "LACELANG_GRAPHICS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", term)
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", stream)
    assert supported_graphics() == graphics


def test_a_way_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="kitty, sixel, blocks, none"):
        graphics_of({"TERM": "xterm", "LACELANG_GRAPHICS": "ascii"}, terminal=True)


def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=40)


def printed(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_half_blocks_have_two_pixels_each() -> None:
    picture = Image.new("RGB", (2, 2))
    picture.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 8, 7)])
    screen = console()
    screen.print(half_blocks(picture, 2, 1), end="")
    assert printed(screen) == (
        "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[0m\x1b[38;2;0;255;0;48;2;9;8;7m▀\x1b[0m\n"
    )


@pytest.mark.parametrize(("graphics", "sign"), [("sixel", "\x1bP"), ("kitty", "\U0010eeee")])
def test_pictures_of_terminals_that_draw(
    monkeypatch: pytest.MonkeyPatch, graphics: pictures.Graphics, sign: str
) -> None:
    from textual_image import _terminal

    monkeypatch.setattr(pictures, "cell_size", lambda: (10, 20))
    monkeypatch.setattr(_terminal, "get_tiocgwinsz", lambda: (24, 80, 800, 480))
    sent = io.StringIO()
    sent.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "__stdout__", sent)
    screen = console()
    screen.print(drawn(Image.new("RGB", (40, 40), "red"), 4, 2, graphics), end="")
    assert sign in printed(screen)
    # Nothing was asked of the terminal: it was sent pictures at most.
    assert "\x1b[c" not in sent.getvalue()
    assert "a=q" not in sent.getvalue()


def test_without_the_size_of_a_character_there_are_half_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "cell_size", lambda: None)
    screen = console()
    screen.print(drawn(Image.new("RGB", (4, 4), "red"), 2, 1, "sixel"), end="")
    assert "▀" in printed(screen)

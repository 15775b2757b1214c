from __future__ import annotations

import io
import os
import re
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from lacelang.errors import UsageError
from lacelang.repl import pictures
from lacelang.repl.pictures import (
    Graphics,
    drawn,
    graphics_of,
    half_blocks,
    supported_graphics,
    tmux_passes,
)
from lacelang.repl.terminal import Answers


@pytest.mark.parametrize(
    ("environment", "graphics"),
    [
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "foot-extra"}, "sixel"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
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
    with pytest.raises(UsageError, match="kitty, iterm, sixel, blocks, none"):
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


def gradient() -> Image.Image:
    picture = Image.new("RGB", (40, 40))
    picture.putdata([(6 * x, 6 * y, 90) for y in range(40) for x in range(40)])
    return picture


@pytest.mark.parametrize(
    ("environment", "answers", "passes", "graphics"),
    [
        ({"TERM": "xterm-256color"}, Answers(name="kitty(0.35.2)"), False, "kitty"),
        ({"TERM": "xterm-256color"}, Answers(name="ghostty 1.0.1"), False, "kitty"),
        ({"TERM": "xterm-256color"}, Answers(name="iTerm2 3.5.4"), False, "iterm"),
        ({"TERM": "xterm-256color"}, Answers(name="XTerm(390)", sixel=True), False, "sixel"),
        ({"TERM": "xterm-256color"}, Answers(name="XTerm(390)"), False, "blocks"),
        ({"TERM": "tmux-256color", "TMUX": "s"}, Answers(name="tmux 3.4"), True, "kitty"),
        ({"TERM": "tmux-256color", "TMUX": "s"}, Answers(sixel=True), False, "sixel"),
        ({"TERM": "screen", "LC_TERMINAL": "iTerm2"}, Answers(), False, "blocks"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Answers(sixel=True), False, "none"),
    ],
)
def test_what_a_terminal_answers_counts(
    environment: dict[str, str], answers: Answers, passes: bool, graphics: Graphics
) -> None:
    assert graphics_of(environment, True, answers, passes) == graphics


def test_a_picture_for_iterm_is_the_picture() -> None:
    screen = console()
    screen.print(drawn(gradient(), 6, 3, "iterm"), end="")
    sent = printed(screen)
    (found,) = re.finditer(r"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]+)\x07", sent)
    options = dict(part.split("=") for part in found[1].split(";"))
    data = b64decode(found[2])
    assert Image.open(io.BytesIO(data)).tobytes() == gradient().tobytes()
    assert options == {
        "inline": "1",
        "size": str(len(data)),
        "width": "6",
        "height": "3",
        "preserveAspectRatio": "0",
    }
    # Room is made first, and the cursor ends below the picture on any terminal.
    assert sent[: found.start()].count("\n") == 3
    assert sent[: found.start()].endswith("\x1b7\x1b[3A")
    assert sent[found.end() :].startswith("\x1b8")


@pytest.mark.parametrize("in_tmux", [False, True])
def test_a_picture_for_kitty_is_the_picture(monkeypatch: pytest.MonkeyPatch, in_tmux: bool) -> None:
    from textual_image import _terminal

    monkeypatch.setattr(pictures, "cell_size", lambda: (10, 20))
    monkeypatch.setattr(_terminal, "get_tiocgwinsz", lambda: (24, 80, 800, 480))
    monkeypatch.setenv("TERM", "tmux-256color" if in_tmux else "xterm-kitty")
    monkeypatch.delenv("TMUX", raising=False)
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "__stdout__", terminal)
    screen = console()
    screen.print(drawn(gradient(), 4, 2, "kitty"), end="")
    sent = terminal.getvalue()
    if in_tmux:
        parts = re.findall(r"\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\", sent)
        assert "".join(f"\x1bPtmux;{part}\x1b\\" for part in parts) == sent
        sent = "".join(part.replace("\x1b\x1b", "\x1b") for part in parts)
    messages = re.findall(r"\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\", sent)
    data = b64decode("".join(content for _, content in messages))
    assert Image.open(io.BytesIO(data)).convert("RGB").tobytes() == gradient().tobytes()
    assert sum("U=1" in options for options, _ in messages) == 1
    assert printed(screen).count("\U0010eeee") == 4 * 2
    assert sys.__stdout__ is terminal


@pytest.mark.skipif(sys.platform == "win32", reason="no tmux there")
@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("xterm-kitty on", True),
        ("xterm-ghostty all", True),
        ("xterm-kitty off", False),
        ("xterm-256color on", False),
        ("", False),
    ],
)
def test_tmux_is_asked_what_it_passes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, passes: bool
) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text(f"#!/bin/sh\necho '{said}'\n")
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert tmux_passes({"TMUX": "socket,1,0"}) is passes
    assert not tmux_passes({})

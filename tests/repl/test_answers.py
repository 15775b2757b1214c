"""What a terminal says of itself, and the colours that follow from it."""

from __future__ import annotations

import os
import sys

import pytest

from lacelang.errors import UsageError
from lacelang.repl.terminal import Answers, Questions, answers_in, without_answers
from lacelang.repl.themes import DARK, LIGHT, TERMINAL, Theme, contrast, luminance, theme_for

WHITE_BACKGROUND = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
ATTRIBUTES = "\x1b[?62;4;22c"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (WHITE_BACKGROUND + ATTRIBUTES, Answers((1.0, 1.0, 1.0), "", True)),
        ("\x1b]11;rgb:00/80/ff\x07\x1b[?1;2c", Answers((0.0, 128 / 255, 1.0), "", False)),
        ("\x1b]11;rgba:0/8/f/f\x07", Answers((0.0, 8 / 15, 1.0), "", False)),
        ("\x1bP>|iTerm2 3.5.4\x1b\\\x1b[?64c", Answers(None, "iTerm2 3.5.4", False)),
        (f"ab{WHITE_BACKGROUND}c\x1b[A{ATTRIBUTES}d", Answers((1, 1, 1), "", True, "abc\x1b[Ad")),
        ("\x1b]11;rgb:ff/zz\x07", Answers(typed="\x1b]11;rgb:ff/zz\x07")),
        ("\x1b]11;rgb:ff/\x07", Answers()),
        ("glasses=1\n", Answers(typed="glasses=1\n")),
        ("", Answers()),
    ],
)
def test_answers_are_told_from_typing(text: str, found: Answers) -> None:
    assert answers_in(text) == found
    assert without_answers(text) == found.typed


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
@pytest.mark.parametrize("answer", [f"le{WHITE_BACKGROUND}t{ATTRIBUTES}", "let"])
def test_a_terminal_is_asked_and_restored(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import pty
    import termios

    master, slave = pty.openpty()
    with (
        open(slave, encoding="utf-8", closefd=False) as keyboard,
        open(slave, "w", encoding="utf-8", closefd=False) as screen,
    ):
        monkeypatch.setattr(sys, "stdin", keyboard)
        monkeypatch.setattr(sys, "stdout", screen)
        before = termios.tcgetattr(slave)
        with Questions({"TERM": "xterm"}) as questions:
            os.write(master, answer.encode())
            answers = questions.answers()
        assert answers.typed == "let"
        assert answers.background == ((1.0, 1.0, 1.0) if "11" in answer else None)
        assert termios.tcgetattr(slave) == before
        asked = os.read(master, 1000)
        assert asked.startswith(b"\x1b]11;?")
        assert asked.endswith(b"\x1b[c")
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("term", ["dumb", "linux", ""])
def test_a_terminal_that_might_print_the_questions_is_not_asked(term: str) -> None:
    with Questions({"TERM": term}) as questions:
        assert questions.answers() == Answers()


@pytest.mark.parametrize(
    ("environment", "background", "theme"),
    [
        ({}, None, TERMINAL),
        ({}, (1.0, 1.0, 1.0), LIGHT),
        ({}, (0.99, 0.96, 0.89), LIGHT),
        ({}, (0.0, 0.17, 0.21), DARK),
        ({"COLORFGBG": "0;15"}, None, LIGHT),
        ({"COLORFGBG": "0;default;7"}, None, LIGHT),
        ({"COLORFGBG": "15;0"}, None, DARK),
        ({"COLORFGBG": "7;8"}, None, DARK),
        ({"COLORFGBG": "default;default"}, None, TERMINAL),
        ({"COLORFGBG": "15;0"}, (1.0, 1.0, 1.0), LIGHT),
        ({"LACELANG_THEME": "dark"}, (1.0, 1.0, 1.0), DARK),
        ({"LACELANG_THEME": "terminal", "COLORFGBG": "0;15"}, None, TERMINAL),
    ],
)
def test_the_background_decides(
    environment: dict[str, str], background: tuple[float, float, float] | None, theme: Theme
) -> None:
    assert theme_for(environment, background) is theme


def test_a_theme_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="dark, light, terminal"):
        theme_for({"LACELANG_THEME": "blue"}, None)


def rgb(text: str) -> tuple[float, float, float]:
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


@pytest.mark.parametrize(
    ("theme", "backgrounds"),
    [
        (DARK, ["#000000", "#1e1e1e", "#282a36", "#002b36", "#2e3440"]),
        (LIGHT, ["#ffffff", "#fdf6e3", "#fafafa", "#eff1f5"]),
    ],
)
def test_every_colour_can_be_read(theme: Theme, backgrounds: list[str]) -> None:
    words = " ".join([*theme.typed.values(), theme.held, theme.missed, theme.failed, theme.quiet])
    colours = {word for word in words.split() if word.startswith("#")}
    assert len(colours) == 7
    for background in backgrounds:
        assert (luminance(rgb(background)) > 0.1791) == (theme is LIGHT)
        for colour in colours:
            # WCAG 2's bound for text.
            assert contrast(rgb(colour), rgb(background)) >= 4.5, (colour, background)

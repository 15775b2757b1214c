from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang.errors import Diagnostic, Span
from lacelang.syntax.render import as_json, render


def _shown(source: str, span: Span, hint: str | None = None) -> list[str]:
    made = Diagnostic("LACE001", "no", span, hint, "error", "a.lace", source)
    return render(made).split("\n")


def test_carets_stand_under_the_span() -> None:
    lines = _shown("let a = b\nlet c = dd\n", Span(2, 9, 2, 11), "yes")
    assert lines == [
        "a.lace:2:9: error LACE001: no",
        "  2 | let c = dd",
        "    |         ^^",
        "  hint: yes",
    ]


def test_tabs_and_wide_characters_keep_carets_in_place() -> None:
    _, line, carets = _shown("\t漢é=1", Span(1, 4, 1, 5))
    assert line == "  1 |     漢é=1"
    # Four columns for the tab, two for the wide character, one for the letter.
    assert carets == "    | " + " " * 7 + "^"


def test_a_long_line_is_cut_around_the_carets() -> None:
    _, line, carets = _shown("x" * 500 + "HERE" + "y" * 500, Span(1, 501, 1, 505))
    assert len(line) < 120
    assert line[carets.index("^") : carets.rindex("^") + 1] == "HERE"


@pytest.mark.parametrize("before", ["a" + "\u0301" * 10_000, "\u1160" * 10_000])
def test_what_takes_no_columns_is_cut_too(before: str) -> None:
    for line in (f"{before}HERE", f"HERE{before}"):
        start = line.index("HERE") + 1
        assert sum(map(len, _shown(line, Span(1, start, 1, start + 4)))) < 2000


def test_several_lines_are_underlined_to_the_end_of_the_first() -> None:
    lines = _shown("let a = (b\n or c)", Span(1, 9, 2, 6))
    assert lines[-1] == "    |         ^^"


def test_nothing_in_a_program_drives_the_terminal() -> None:
    (_, line, _) = _shown("let \x1b[31m = \x00", Span(1, 5, 1, 6))
    assert "\x1b" not in line
    assert "\x00" not in line


def test_the_end_of_the_text_has_a_place() -> None:
    assert _shown("let", Span(1, 4, 1, 5))[-1] == "    |    ^"
    assert _shown("", Span(1, 1, 1, 2)) == ["a.lace:1:1: error LACE001: no"]


def test_json_form() -> None:
    made = Diagnostic("LACE203", "too old", Span(1, 2, 3, 4), None, "warning")
    assert as_json(made) == {
        "code": "LACE203",
        "severity": "warning",
        "message": "too old",
        "hint": None,
        "path": "<program>",
        "line": 1,
        "column": 2,
        "end_line": 3,
        "end_column": 4,
        "fix": None,
    }


def test_nor_does_anything_in_a_message() -> None:
    made = Diagnostic("LACE104", "no \x1b[31m", Span(1, 1, 1, 2), "\x07 \ud800", "error", None, "a")
    assert render(made).replace("\n", "").isprintable()
    assert str(as_json(made)["hint"]).encode("utf-8")


_LETTERS = st.sampled_from([*"ab1(=. ", "漢", "é", "e\u0301", "\t", "\x00", "🙂", "Ａ", "\u200b"])


def _cells(text: str) -> list[str]:
    """What stands in each column of a terminal; nothing in the second one of a wide character."""
    cells: list[str] = []
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me"):
            continue
        cells.append(character)
        if unicodedata.east_asian_width(character) in "WF":
            cells.append("")
    return cells


@settings(max_examples=200, deadline=None)
@given(*[st.lists(_LETTERS, max_size=200).map("".join)] * 2)
def test_carets_stand_under_the_same_word_in_any_line(before: str, after: str) -> None:
    start = len(before) + 1
    line = f"{before}HERE{after}"
    shown = _shown(f"x\n{line}\ny", Span(2, start, 2, start + 4))
    window, carets = shown[1].removeprefix("  2 | "), shown[2].removeprefix("    | ")
    cells = _cells(window)
    assert len(cells) <= 98
    assert carets.strip() == "^^^^"
    margin = carets.index("^")
    assert "".join(cells[margin : margin + 4]) == "HERE"

from __future__ import annotations

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
    }

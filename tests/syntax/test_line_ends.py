"""Every line end that Unicode knows ends a line: in comments, in positions, in formatted text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang.errors import ProgramError
from lacelang.semantics.check import check
from lacelang.syntax.format import format_source
from lacelang.syntax.parser import read
from lacelang.syntax.render import render_all
from lacelang.testing.programs import programs

ENDS = ["\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]


@given(programs(), st.sampled_from(ENDS))
@settings(max_examples=30, deadline=None)
def test_a_program_is_the_same_with_any_line_end(program: object, end: str) -> None:
    text = format_source(program if isinstance(program, str) else str(program))
    other = text.replace("\n", end)
    assert read(other).program == read(text).program
    assert format_source(other) == text


@pytest.mark.parametrize("end", ENDS)
def test_comments_end_and_positions_agree(end: str) -> None:
    text = "# comment\nsample from ffhq # here\nwhere frown=1\n# end\nedit a { smile=2 }\n"
    found = []
    for source in (text, text.replace("\n", end)):
        with pytest.raises(ProgramError) as caught:
            check(source)
        found.append(caught.value.diagnostics)
    assert [d.span for d in found[0]] == [d.span for d in found[1]]
    assert render_all(found[0]) == render_all(found[1])
    assert len(found[0]) > 1


@pytest.mark.parametrize("end", ENDS)
def test_a_text_in_quotes_ends_with_its_line(end: str) -> None:
    with pytest.raises(ProgramError):
        check(f'sample from ffhq as "a{end}b"')


@pytest.mark.parametrize("text", ["", " ", "\n", "\ufeff", "# a", "# a\r# b", "\x00"])
def test_a_program_of_nothing_is_an_error(text: str) -> None:
    with pytest.raises(ProgramError) as caught:
        check(text)
    assert caught.value.diagnostics[0].code == ("LACE313" if text != "\x00" else "LACE001")


def test_definitions_alone_are_checked_and_do_not_run() -> None:
    import lacelang

    program = lacelang.compile("let old = age > 60\n")
    with pytest.raises(ProgramError) as caught:
        program.run()
    assert caught.value.diagnostics[0].code == "LACE314"


def test_comments_alone_are_formatted() -> None:
    assert format_source("#a\r#b") == "#a\n#b\n"

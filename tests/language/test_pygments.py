"""`lace` in pages and reports is coloured by the language's own tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Operator

from lacelang.language.highlighting import KINDS, colored
from lacelang.language.pygments_lexer import TOKENS, LaceLexer
from lacelang.resources import shipped
from lacelang.syntax.grammar import keywords

PROGRAMS = [
    *sorted((Path(__file__).resolve().parents[2] / "programs").glob("*.lace")),
    *sorted(shipped("stdlib").glob("*.lace")),
]


def test_it_is_found_by_name_and_by_file() -> None:
    assert isinstance(get_lexer_by_name("lace"), LaceLexer)
    assert isinstance(get_lexer_for_filename("a.lace"), LaceLexer)


def test_every_keyword_of_the_grammar_is_one() -> None:
    for word in keywords():
        ((_, kind, _),) = LaceLexer().get_tokens_unprocessed(word)
        assert kind in Keyword or kind in Operator.Word
    assert TOKENS.keys() == set(KINDS)


def test_names_by_what_they_are() -> None:
    text = "let old = age > 60\nsample from ffhq where both(old, smile=1)  # c"
    kinds = {word: kind for _, kind, word in LaceLexer().get_tokens_unprocessed(text)}
    assert kinds["old"] in Name
    assert kinds["both"] is Name.Function
    assert kinds["smile"] is Name.Attribute
    assert kinds["# c"] is Comment.Single


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_programs_have_nothing_unknown(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = list(LaceLexer().get_tokens_unprocessed(text))
    assert "".join(word for _, _, word in found) == text
    assert Error not in {kind for _, kind, _ in found}


PIECES = ["sample", "#", '"', "=", "\r", "\n", "\u2028", "𝔁", "é", " ", "(", "&"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_covered_once(text: str) -> None:
    found = list(LaceLexer().get_tokens_unprocessed(text))
    assert "".join(word for _, _, word in found) == text
    end = 0
    for one in colored(text):
        assert end <= one.start < one.end
        end = one.end

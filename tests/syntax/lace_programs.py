"""Programs that the grammar derives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark, Token
from lark.lark import PostLex

from lacelang.syntax.grammar import grammar_text, keywords, retype

NAMES = ("smile", "glasses", "men", "kids", "a", "b", "x1", "tête", "_t", "front")


class _Neighbours(PostLex):
    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Retype the tokens of a whole program."""
        tokens = list(stream)
        retype(tokens)
        return iter(tokens)


def larks_own() -> Lark:
    """Lark's own parser of the grammar, which makes Lark trees."""
    return Lark(grammar_text(), parser="lalr", lexer="basic", postlex=_Neighbours())


def from_the_grammar() -> st.SearchStrategy[str]:
    """Programs that the grammar derives; few of them mean anything."""
    explicit: dict[str, Any] = {
        word.upper(): st.just(f" {word} ") for word in keywords() if word != "in"
    }
    explicit |= {
        "IN": st.just(" in "),
        "IN_SHARE": st.just(" in "),
        "IN_LAYERS": st.just(" in "),
        "NAME": st.sampled_from(NAMES).map(lambda name: f" {name} "),
        "UNIT": st.sampled_from([" deg ", " years "]),
        "NUMBER": st.sampled_from([" 1 ", " -25 ", " 0.5 ", " 1e-3 ", " .5 ", " +2 "]),
        "STRING": st.sampled_from(['"a b"', '"beard at {t}"', '"x.lace"', '""']),
        "SPACE": st.sampled_from([" ", "\n", "\n\n", "\n\n\n", "\t"]),
        "COMMENT": st.sampled_from(["# why\n", "#\n", "#!  \n", "# " + "long " * 25 + "\n"]),
    }
    return from_lark(larks_own(), start="start", explicit=explicit)

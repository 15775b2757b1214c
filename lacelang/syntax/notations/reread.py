"""Reads a text once more, with what is written here in place of other tools' notations."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from attrs import evolve
from lark import Token

from lacelang.errors import Diagnostic
from lacelang.syntax import nodes
from lacelang.syntax.lines import Lines, with_line_feeds
from lacelang.syntax.notations.facts import Facts, facts_of
from lacelang.syntax.notations.search import Mended, mend
from lacelang.syntax.notations.words import lexemes_of
from lacelang.syntax.tokens import Tokens, tokenize

Reading = Callable[[Tokens], tuple[nodes.Program, list[Diagnostic]]]


def reread(
    text: str, program: nodes.Program, read: Reading
) -> tuple[nodes.Program, list[Diagnostic], list[Diagnostic]] | None:
    """Read a text with what is written here in place of notations; None if it has none.

    A notation that cannot be read even so is left to other diagnostics.

    Args:
        text: with LF for every line end.
        program: what has been read of it.
        read: makes a program of tokens.

    Returns:
        The program, what is wrong with the text, and those diagnostics behind which the program
        is not what was meant.
    """
    facts, lines = _facts(text, program), Lines(text)
    besides: set[tuple[str, int]] = set()
    while (mended := mend(text, facts, besides)).places:
        tokens = _placed(tokenize(mended.text), mended, lines)
        result, found = read(tokens)
        problems = tokens.problems + found
        spans = [lines.offsets(problem.span) for problem in problems]
        wrong = {p.key for p in mended.places if any(s < p.end and p.start < e for s, e in spans)}
        if not wrong:
            said = [place.diagnostic for place in mended.places]
            lost = [place.diagnostic for place in mended.places if not place.mended]
            return result, [*said, *problems], [*lost, *problems]
        besides |= wrong
    return None


def notations_read(source: str, program: nodes.Program) -> list[Diagnostic]:
    """Return what is said of the notations in a text that the grammar can read."""
    text = with_line_feeds(source)
    places = mend(text, _facts(text, program), parsing=True).places
    return [place.diagnostic for place in places]


def _facts(text: str, program: nodes.Program) -> Facts:
    named = {lexeme.text for before, lexeme in pairwise(lexemes_of(text)) if before.text == "from"}
    return facts_of(program, named)


def _placed(tokens: Tokens, mended: Mended, lines: Lines) -> Tokens:
    """Give tokens and problems their places in the text as it was."""
    inner = Lines(mended.text)

    def moved(token: Token) -> Token:
        start, end = mended.origin(token.start_pos or 0, token.end_pos or 0)
        at = lines.span(start, end)
        place = (start, at.line, at.column, at.end_line, at.end_column, end)
        return Token(token.type, str(token), *place)

    return Tokens(
        [moved(token) for token in tokens.tokens],
        tokens.comments,
        [
            evolve(p, span=lines.span(*mended.origin(*inner.offsets(p.span))))
            for p in tokens.problems
        ],
        sorted(mended.origin(gap, gap + 1)[0] for gap in tokens.gaps),
        tokens.complete,
    )

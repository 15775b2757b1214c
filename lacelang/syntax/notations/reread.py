"""Reads a text once more, with what is written here in place of other tools' notations."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise

from attrs import frozen
from lark import Token

from lacelang.errors import Diagnostic, Span
from lacelang.syntax import nodes
from lacelang.syntax.lines import with_line_feeds
from lacelang.syntax.notations.facts import facts_of
from lacelang.syntax.notations.pieces import pieces_of
from lacelang.syntax.notations.search import Mended, Place, mend, notations_in
from lacelang.syntax.tokens import Tokens, tokenize

Reading = Callable[[Tokens], tuple[nodes.Program, list[Diagnostic]]]


@frozen
class Reread:
    """What could be read of a text with notations.

    Attributes:
        program: with what is written here in their place.
        problems: what is said of them, and of what else is wrong.
        lost: those behind which the program is not what was meant.
    """

    program: nodes.Program
    problems: list[Diagnostic]
    lost: list[Diagnostic]


def reread(text: str, program: nodes.Program, read: Reading) -> Reread | None:
    """Return the program and what is wrong with it; None if there are no notations in the text.

    A notation that cannot be read even so is left to other complaints.

    Args:
        text: with LF for every line end.
        program: what has been read of it.
        read: makes a program of tokens.
    """
    facts = facts_of(program, _models_named(text))
    besides: set[tuple[str, int]] = set()
    while True:
        mended = mend(text, facts, besides)
        if not mended.places:
            return None
        lines = Lines(text)
        taken = _placed(tokenize(mended.text), mended, lines)
        result, problems = read(taken)
        problems = taken.problems + problems
        wrong = {p.key for p in mended.places if any(_meet(p, d.span, lines) for d in problems)}
        if not wrong:
            said = [place.diagnostic for place in mended.places]
            lost = [place.diagnostic for place in mended.places if not place.mended]
            return Reread(result, [*said, *problems], [*lost, *problems])
        besides |= wrong


def notations_read(source: str, program: nodes.Program) -> list[Diagnostic]:
    """Return what is said of the notations in a text that the grammar can read."""
    text = with_line_feeds(source)
    places = notations_in(text, facts_of(program, _models_named(text)), parsing=True)
    return [place.diagnostic for place in places]


def _models_named(text: str) -> set[str]:
    return {piece.text for before, piece in pairwise(pieces_of(text)) if before.text == "from"}


class Lines:
    """The lines of a text, to go from offsets to lines and columns and back."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(i + 1 for i, sign in enumerate(text) if sign == "\n")]

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place."""
        return self._starts[min(line, len(self._starts)) - 1] + column - 1

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _meet(place: Place, span: Span, lines: Lines) -> bool:
    start = lines.offset(span.line, span.column)
    end = lines.offset(span.end_line, span.end_column)
    return start < place.end and place.start < end


def _placed(taken: Tokens, mended: Mended, lines: Lines) -> Tokens:
    """Give tokens and problems their places in the text as it was."""
    inner = Lines(mended.text)
    problems = []
    for problem in taken.problems:
        span = problem.span
        start, end = mended.origin(
            inner.offset(span.line, span.column), inner.offset(span.end_line, span.end_column)
        )
        placed = Span(*lines.place(start), *lines.place(end))
        problems.append(Diagnostic(problem.code, problem.message, placed, problem.hint))
    return Tokens(
        [_moved(token, mended, lines) for token in taken.tokens],
        taken.comments,
        problems,
        sorted(mended.origin(gap, gap + 1)[0] for gap in taken.gaps),
        taken.complete,
    )


def _moved(token: Token, mended: Mended, lines: Lines) -> Token:
    start, end = mended.origin(token.start_pos or 0, token.end_pos or 0)
    line, column = lines.place(start)
    end_line, end_column = lines.place(end)
    return Token(token.type, str(token), start, line, column, end_line, end_column, end)

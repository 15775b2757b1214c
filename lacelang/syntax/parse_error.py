"""A token that the parser refuses, and what can be said and done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from attrs import field, frozen
from lark import Token

from lacelang.errors import Diagnostic, Span
from lacelang.syntax.build import span_of
from lacelang.syntax.grammar import CLOSER, CLOSERS, keywords, shapes

OPERATORS = frozenset({"EQUAL", "UNEQUAL", "LESSTHAN", "AT_MOST", "MORETHAN", "AT_LEAST", "TILDE"})
"""Terminals that compare an attribute with one value."""

JOINTS = frozenset({"AND", "OR", "XOR", "IMPLIES", "NOT"})
"""Terminals that make a condition out of others."""

_REACH = 64  # tokens that a bracket may take


@frozen
class ParseError:
    """A token that the parser refuses, and its surroundings."""

    token: Token  # of type `$END` at the end of the text
    tokens: Sequence[Token]  # of the whole text
    index: int  # of `token` among them
    expected: frozenset[str]  # types of the tokens that could have come instead
    opened: tuple[Token, ...]  # brackets that are open, outermost first
    statement: Token | None  # the keyword that began the statement, if one has begun
    accepts: Callable[[Sequence[str]], bool]  # tokens of these types, one after another

    @property
    def kind(self) -> str:
        """Type of the refused token."""
        return self.token.type

    @property
    def before(self) -> Token | None:
        """The token before, if there is one."""
        return self.at(-1)

    @property
    def after(self) -> Token | None:
        """The token after, if there is one."""
        return self.at(1)

    @property
    def previous(self) -> str:
        """Type of the token before; empty at the start of the text."""
        return self.kind_at(-1)

    def at(self, offset: int) -> Token | None:
        """Return the token so many places further on, if there is one."""
        place = self.index + offset
        return self.tokens[place] if 0 <= place < len(self.tokens) else None

    def kind_at(self, offset: int) -> str:
        """Return the type of the token so many places further on; empty beyond the text."""
        token = self.at(offset)
        return token.type if token is not None else ""

    def in_statement(self, kind: str) -> bool:
        """Whether a statement of this kind has begun."""
        return self.statement is not None and self.statement.type == kind

    def value_at(self, offset: int) -> int:
        """Return how many tokens the value takes that stands there; 0 if none does."""
        kind = self.kind_at(offset)
        if kind == "NUMBER":
            return 2 if self.kind_at(offset + 1) == "UNIT" else 1
        return int(kind in ("NAME", "STRING"))

    def closing_at(self, offset: int) -> int | None:
        """Return the offset of the bracket that closes the one at `offset`, if it is near."""
        depth = 0
        for further in range(offset, offset + _REACH):
            kind = self.kind_at(further)
            depth += (kind in CLOSER) - (kind in CLOSERS)
            if not depth:
                return further if kind in CLOSERS else None
        return None

    def run(self, start: int, end: int) -> list[Token]:
        """Return the tokens from offset `start` up to `end`."""
        return [token for i in range(start, end) if (token := self.at(i)) is not None]

    def text(self, start: int, end: int) -> str:
        """Return the tokens from offset `start` up to `end` as somebody would write them."""
        return text_of(self.run(start, end))


def text_of(tokens: Sequence[Token]) -> str:
    """Return tokens as somebody would write them."""
    text = " ".join(map(str, tokens))
    for loose, tight in ((" ,", ","), (" .. ", ".."), (" (", "("), ("( ", "("), (" )", ")")):
        text = text.replace(loose, tight)
    return text


@frozen
class Repair:
    """What is wrong, and how the text could be mended so that reading goes on.

    What is read `instead` of `count` tokens, the refused one first, are tokens or words and signs
    of the language; it is None if nobody can tell what was meant.
    """

    code: str
    message: str
    at: Token | Span
    hint: str | None = None
    instead: Sequence[str | Token] | None = field(default=None, kw_only=True)
    count: int = field(default=1, kw_only=True)

    @property
    def diagnostic(self) -> Diagnostic:
        """What is said of it."""
        span = self.at if isinstance(self.at, Span) else span_of(self.at)
        return Diagnostic(self.code, self.message, span, self.hint)

    @property
    def tokens(self) -> list[Token] | None:
        """What to read instead, as tokens."""
        if self.instead is None:
            return None
        return [t if isinstance(t, Token) else Token(kind_of(t), t) for t in self.instead]


def shape_of(kind: str) -> str:
    """Return what a terminal looks like that has one shape."""
    return shapes().get(kind, kind.lower())


def kind_of(text: str) -> str:
    """Return the terminal that a word or sign of the language is; a name if it is none."""
    return text.upper() if text in keywords() else _kinds().get(text, "NAME")


@cache
def _kinds() -> dict[str, str]:
    return {shape: kind for kind, shape in shapes().items()}

"""A token that the parser refuses, and what can be said and done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from attrs import field, frozen
from lark import Token

from lacelang.errors import Change, Diagnostic, Span
from lacelang.syntax.build import span_of
from lacelang.syntax.grammar import (
    CLAUSES,
    CLOSER,
    CLOSERS,
    JOINTS,
    OPERATORS,
    keywords,
    kind_of,
)
from lacelang.syntax.notations.reader import Reader
from lacelang.syntax.notations.words import Lexeme

BRACKETED = {"round": "LPAR", "square": "LSQB", "curly": "LBRACE"}
"""Elements of shapes that are a bracket and all in it, by the terminal that opens it."""

_ONE = {
    "begins_condition": frozenset({"NAME", "LPAR", "NOT"}),
    "clause": CLAUSES,
    "closer": CLOSERS,
    "logic": JOINTS,
    "opener": frozenset(CLOSER),
    "operator": OPERATORS,
    "string": frozenset({"STRING"}),
    "unit_word": frozenset({"UNIT"}),
}
_VALUES = frozenset({"NAME", "NUMBER", "UNIT", "STRING"})
_SEVERAL = {
    "compared": OPERATORS | _VALUES,
    "name_list": frozenset({"NAME", "COMMA"}),
    "value_list": _VALUES | {"COMMA", "RANGE"},
}
_KINDS = {"NAME": "word", "NUMBER": "number", "STRING": "text"}
_BEFORE, _BEHIND = 16, 80


class TokenReader(Reader):
    """Reads elements of shapes among the tokens around a refused one, whose place is `refused`."""

    def __init__(self, tokens: Sequence[Token], index: int) -> None:
        first = max(index - _BEFORE, 0)
        self.tokens = tokens[first : index + _BEHIND]
        self.refused = index - first
        super().__init__([_lexeme(token) for token in self.tokens], {})

    def terminal(self, i: int) -> str:
        """Return the type of the token at `i`; empty beyond them."""
        return self.tokens[i].type if 0 <= i < len(self.tokens) else ""

    def read(self, element: str, i: int) -> int | None:
        """Return where an element ends, if it begins with the token at `i`."""
        kind = self.terminal(i)
        if element in _ONE:
            return i + 1 if kind in _ONE[element] else None
        if element in BRACKETED:
            return self.closing(i) if kind == BRACKETED[element] else None
        if element in _SEVERAL:
            return (self.read(element, i + 1) or i + 1) if kind in _SEVERAL[element] else None
        if element == "name_run" and kind == "NAME":
            # A name that is compared begins a condition.
            goes_on = self.terminal(i + 1) == "NAME" and self.terminal(i + 2) not in OPERATORS
            return self.read(element, i + 1) if goes_on else i + 1
        if element in ("any", "name_run"):
            return i + 1 if kind and element == "any" else None
        return super().read(element, i)

    def unit(self, i: int) -> int:
        """A unit, known or not, or nothing."""
        return self.read("unit_word", i) or i


def _lexeme(token: Token) -> Lexeme:
    """Return a token as a lexeme; a name that is written like a word of the language is no word."""
    start, end = token.start_pos or 0, token.end_pos or 0
    low = token.lower()
    named = token.type == "NAME" and low in keywords()
    kind = _KINDS.get(token.type, "sign")
    return Lexeme(kind, str(token), start, end, False, "" if named else low)


@frozen(slots=False)
class ParseError:
    """A token that the parser refuses, and its surroundings."""

    token: Token  # of type `$END` at the end of the text
    tokens: Sequence[Token]  # of the whole text
    index: int  # of `token` among them
    expected: frozenset[str]  # types of the tokens that could have come instead
    opened: tuple[Token, ...]  # brackets that are open, outermost first
    statement: Token | None  # the keyword that began the statement, if one has begun
    accepts: Callable[[Sequence[str]], bool]  # tokens of these types, one after another

    @cached_property
    def reader(self) -> TokenReader:
        """What reads the tokens around the refused one."""
        return TokenReader(self.tokens, self.index)

    @property
    def kind(self) -> str:
        """Type of the refused token."""
        return self.token.type

    @property
    def before(self) -> Token | None:
        """The token before, if there is one."""
        return self.at(-1)

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


def written_out(tokens: Sequence[str | Token]) -> str:
    """Return what is read instead of tokens as it is to be written, brackets close to the text."""
    text = text_of([token if isinstance(token, Token) else Token("", token) for token in tokens])
    for loose, tight in (("[ ", "["), (" ]", "]"), ("{ ", "{"), (" }", "}")):
        text = text.replace(loose, tight)
    return text


@frozen
class Repair:
    """What is wrong, and how the text could be mended so that reading goes on.

    What is read `instead` of `count` tokens, the refused one first, are tokens or words and signs
    of the language; it is None if nobody can tell what was meant. `fix` does what the hint says.
    """

    code: str
    message: str
    at: Token | Span
    hint: str | None = None
    instead: Sequence[str | Token] | None = field(default=None, kw_only=True)
    count: int = field(default=1, kw_only=True)
    fix: tuple[Change, ...] = field(default=(), kw_only=True)

    @property
    def diagnostic(self) -> Diagnostic:
        """What is said of it."""
        span = self.at if isinstance(self.at, Span) else span_of(self.at)
        return Diagnostic(self.code, self.message, span, self.hint, fix=self.fix)

    @property
    def tokens(self) -> list[Token] | None:
        """What to read instead, as tokens."""
        if self.instead is None:
            return None
        return [t if isinstance(t, Token) else Token(kind_of(t), t) for t in self.instead]

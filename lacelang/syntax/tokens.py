"""From text to tokens, past every character that does not belong.

The terminals are the grammar's; this module drives Lark's lexer over a whole file, mends the slips
that have one obvious meaning (`&&`, `==`, curly quotes) so that parsing can go on, and reports
each of them. Names leave it in NFC, with the places that they have in the text.
"""

from __future__ import annotations

import re
from copy import copy
from functools import cache

from attrs import define, field
from lark import Token
from lark.exceptions import UnexpectedCharacters
from lark.lexer import BasicLexer, LexerState, LexerThread

from lacelang.errors import MOST_SHOWN, Change, Diagnostic, Span
from lacelang.syntax.build import between, span_of
from lacelang.syntax.grammar import (
    CLOSER,
    CLOSERS,
    OPERATORS,
    STATEMENTS,
    UNITS,
    keywords,
    kind_of,
    loaded,
    retype,
)
from lacelang.syntax.lines import with_line_feeds
from lacelang.text.hidden import REFUSED, displayed, escaped, first_hidden, without_hidden
from lacelang.text.names import is_part, mended, nfc, what_is_wrong

MAX_NESTING = 64
"""How many brackets and `not`s may stand inside one another."""

MAX_LENGTH = 1000
"""How many characters a name, a number or a text in quotes may have."""

_LIMITED = {
    "NAME": ("name", "use a shorter one"),
    "NUMBER": ("number", "write fewer digits"),
    "STRING": ("text in quotes", "use a shorter name or path"),
}
_JOINED = OPERATORS | {"COLON"}
_NOT_SO = "{} is not how it is written here"
_DENIED = re.compile(r"\s*[\w(!¬\"]")


@define
class Tokens:
    """A text taken apart."""

    tokens: list[Token] = field(factory=list)  # in order, names in NFC
    comments: list[Token] = field(factory=list)
    problems: list[Diagnostic] = field(factory=list)  # what had to be mended or left out
    gaps: list[int] = field(factory=list)  # offsets at which something was left out
    complete: bool = True  # reading did not stop early


def tokenize(text: str) -> Tokens:
    """Take `text` apart; nothing in it can make this raise."""
    result = Tokens()
    text = with_line_feeds(text)
    lexer = _lexer()
    state = LexerThread.from_text(lexer, text).state
    assert state is not None
    tokens, comments = result.tokens, result.comments
    open_ = 0
    while True:
        try:
            token: Token | None = lexer.next_token(state)
        except EOFError:
            break
        except UnexpectedCharacters:
            token = None
        long = token is not None and len(token) > MAX_LENGTH and token.type in _LIMITED
        if token is None or long or (token.type == "NAME" and not token.isascii()):
            if len(result.problems) >= MOST_SHOWN:
                result.complete = False
                break
            if token is None:
                _mend(text, state, result)
            elif long:
                tokens.append(_cut(token, result))
            else:
                _add_name(token, result)
            continue
        if token.type in ("STRING", "COMMENT"):
            token = _seen(token, result)
        (comments if token.type == "COMMENT" else tokens).append(token)
        open_ += (token.type in CLOSER) - (token.type in CLOSERS)
        if open_ > _HOPELESS:
            break
    _join_touching(result)
    retype(tokens)
    _limit_nesting(result)
    return result


@cache
def _lexer() -> BasicLexer:
    """Return the grammar's lexer, except that it keeps comments."""
    conf = copy(loaded().lexer_conf)
    conf.ignore = ["SPACE"]
    return BasicLexer(conf)


@cache
def _signs() -> dict[str, str]:
    """Return the signs of other languages, those first that begin with others."""
    # Programs without mistakes need not load them.
    from lacelang.syntax.notations.words import HERE, WORDS

    return dict(sorted((HERE | WORDS["misread"]).items(), key=lambda item: -len(item[0])))


def _slip(text: str, at: int) -> tuple[str, dict[str, str]]:
    """Return the characters at `at` that the lexer refuses, and what is said of them."""
    from lacelang.syntax.notations.words import SLIPS

    sign = next((sign for sign in _signs() if text.startswith(sign, at)), None)
    if sign is not None and (sign not in "!¬" or _DENIED.match(text, at + 1)):
        read = _signs()[sign]
        return sign, {"says": _NOT_SO, "hint": f"write `{read}`", "read": read}
    found = ((re.compile(slip["pattern"]).match(text, at), slip) for slip in SLIPS)
    return next((match.group().rstrip() or match.group(), slip) for match, slip in found if match)


def _mend(text: str, state: LexerState, result: Tokens) -> None:
    """Report the characters at the lexer's position and step over them, or mend them."""
    at, line, column = state.line_ctr.char_pos, state.line_ctr.line, state.line_ctr.column
    wrong, slip = _slip(text, at)
    hint, read = slip["hint"], slip.get("read", "").format(wrong.strip(_QUOTES))
    square = [t.type for t in result.tokens[-16:] if t.type in ("LSQB", "RSQB")]
    if wrong == ";" and square[-1:] == ["LSQB"]:
        hint, read = "settings are separated by commas", ","
    state.line_ctr.feed(wrong)
    span = Span(line, column, state.line_ctr.line, state.line_ctr.column)
    message = slip["says"].format(_shown(wrong), wrong)
    fix: tuple[Change, ...] = ()
    if read or hint.endswith("leave it out"):
        fix = (Change(span, apart(read, text, at, at + len(wrong))),)
    code = slip.get("code", "LACE008")
    result.problems.append(Diagnostic(code, message, span, hint, fix=fix))
    if read:
        kind = "UNIT" if read in UNITS else kind_of(read)
        end = column + len(wrong)
        result.tokens.append(Token(kind, read, at, line, column, line, end, at + len(wrong)))
    else:
        result.gaps.append(at)


def _add_name(token: Token, result: Tokens) -> None:
    """Add a name in NFC; of one that is none, report it and add what is left of it."""
    name = nfc(token)
    hint = what_is_wrong(name)
    kind: str | None = "NAME"
    if hint is not None:
        shown, name = _shown(name), mended(name)
        message = f"{shown} is not a name" if name else f"{shown} has no meaning here"
        # What cannot be seen was hardly meant; what can be seen was.
        fix = (Change(span_of(token), name),) if name == without_hidden(nfc(token)) else ()
        result.problems.append(Diagnostic("LACE001", message, span_of(token), hint, fix=fix))
        if name in keywords():
            kind = name.upper()
    if name:
        result.tokens.append(token.update(kind, name))
    else:
        result.gaps.append(token.start_pos or 0)


def _cut(token: Token, result: Tokens) -> Token:
    """Report a token that is too long; return what is read of it: each use of it takes time."""
    what, hint = _LIMITED[token.type]
    message = f"this {what} is longer than {MAX_LENGTH} characters"
    result.problems.append(Diagnostic("LACE015", message, span_of(token), hint))
    if token.type == "STRING":
        return token.update(value='""')
    return token.update(value=str(token)[:MAX_LENGTH] if token.type == "NUMBER" else "x")


def _seen(token: Token, result: Tokens) -> Token:
    """Return a quoted text without what is hidden in it, which is reported; or a comment as it is.

    A comment may hold what has no width, but nothing that drives a terminal or reorders its line.
    """
    quoted = token.type == "STRING"
    found = REFUSED.search(token)
    at = first_hidden(token) if quoted else found.start() if found else None
    if at is None or len(result.problems) >= MOST_SHOWN:
        return token
    line, column = token.line or 1, (token.column or 1) + at
    where = "quotes" if quoted else "a comment"
    message = f"`{escaped(token[at])}` cannot stand in {where}"
    hint = "it would not be seen as what it is; leave it out"
    if quoted:
        hint += ", and rename a file that has it in its name"
    span = Span(line, column, line, column + 1)
    seen = without_hidden(token) if quoted else REFUSED.sub("", token)
    fix = (Change(span_of(token), seen),)
    result.problems.append(Diagnostic("LACE001", message, span, hint, fix=fix))
    return token.update(value=seen) if quoted else token


def apart(new: str, text: str, start: int, end: int) -> str:
    """Return what to write between two offsets, so that it does not run into words beside it."""
    before, after = text[start - 1 : start], text[end : end + 1]
    left = " " * bool(new and before and is_part(before) and is_part(new[0]))
    right = " " * bool(new and after and is_part(after) and is_part(new[-1]))
    return f"{left}{new}{right}"


_QUOTES = "\"'“”‘’"


def _shown(wrong: str) -> str:
    """Return the characters for a message, the hidden ones by their numbers."""
    return f"`{displayed(wrong if len(wrong) <= 20 else wrong[:20] + '…')}`"


def _join_touching(result: Tokens) -> None:
    """Read `==`, `=>`, `=<` and `<>` as the one operator that was meant."""
    joined: list[Token] = []
    for token in result.tokens:
        before = joined[-1] if joined else None
        if (
            before is not None
            and token.type in OPERATORS
            and before.type in _JOINED
            and before.end_pos == token.start_pos
            and (meant := _signs().get(f"{before}{token}")) is not None
        ):
            if len(result.problems) < MOST_SHOWN:
                message, hint = _NOT_SO.format(f"`{before}{token}`"), f"write `{meant}`"
                span = between(before, token)
                fix = (Change(span, meant),)
                result.problems.append(Diagnostic("LACE008", message, span, hint, fix=fix))
            start = before.start_pos, before.line, before.column
            end = token.end_line, token.end_column, token.end_pos
            joined[-1] = Token(kind_of(meant), meant, *start, *end)
        else:
            joined.append(token)
    result.tokens[:] = joined


def _limit_nesting(result: Tokens) -> None:
    """Refuse a text that is nested deeper than `MAX_NESTING`; it ends before that point."""
    nots = 0
    levels = [("LBRACE", 0)]  # brackets that are open, each with its depth
    for i, token in enumerate(result.tokens):
        kind = token.type
        if kind in CLOSER:
            levels.append((kind, levels[-1][1] + nots + 1))
        elif kind in CLOSERS and levels[1:]:
            levels.pop()
        elif kind in STATEMENTS:
            # A bracket left open in the statement before is that statement's own mistake.
            while levels[-1][0] != "LBRACE":
                levels.pop()
        nots = nots + 1 if kind == "NOT" else 0
        if levels[-1][1] + nots > MAX_NESTING:
            message = f"conditions are nested more than {MAX_NESTING} levels deep"
            hint = "give the inner ones names with `let`, or use fewer brackets"
            result.problems.append(Diagnostic("LACE006", message, span_of(token), hint))
            del result.tokens[i:]
            result.complete = False
            return


# So many open brackets are too many anyhow; what follows them need not be read.
_HOPELESS = 10_000

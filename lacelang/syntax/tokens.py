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

from lacelang.errors import Diagnostic, Span
from lacelang.syntax.build import between, span_of
from lacelang.syntax.grammar import CLOSER, CLOSERS, STATEMENTS, keywords, loaded, retype, shapes
from lacelang.syntax.lines import with_line_feeds
from lacelang.text.names import is_joining, is_part, mended, nfc, what_is_wrong

MAX_PROBLEMS = 200
"""A text with more mistakes than this is not a program; reading stops."""

MAX_NESTING = 64
"""How many brackets and `not`s may stand inside one another."""


@define
class Tokens:
    """A text taken apart."""

    tokens: list[Token] = field(factory=list)  # in order, names in NFC
    comments: list[Token] = field(factory=list)
    problems: list[Diagnostic] = field(factory=list)  # what had to be mended or left out
    gaps: list[int] = field(factory=list)  # offsets at which something was left out
    complete: bool = True  # reading did not stop early


# What people know from other languages: pattern, terminal to read it as (None: leave out), hint.
_FOREIGN: tuple[tuple[str, str | None, str], ...] = (
    (r"&&?|∧", "AND", "write `and`"),
    (r"\|\|?|∨", "OR", "write `or`"),
    (r"\^|⊕", "XOR", "write `xor`"),
    (r"[!¬](?=\s*[\w(!¬\"])", "NOT", "write `not`"),
    (r"≠", "UNEQUAL", "write `!=`"),
    (r"≤", "AT_MOST", "write `<=`"),
    (r"≥", "AT_LEAST", "write `>=`"),
    (r"≈|∼", "TILDE", "write `~`"),
    (r"…", "RANGE", "write two dots: `..`"),
    (r"[−–—](?=[0-9.])", "MINUS", "write a plain minus sign: `-`"),
    (r"°", "UNIT", "write `deg`"),
    (r";", None, "nothing stands between statements; leave it out"),
    (r"/\*(?s:.*?)\*/|//[^\n]*|/\*[^\n]*|--(?![\d.])[^\n]*", None, "a comment begins with `#`"),
    (r"“[^”\n\"]*[”\"]", "STRING", 'use straight quotes: `"`'),
    (r"'[^'\n\"]*'|‘[^’\n\"]*’", "STRING", 'text stands in double quotes: `"…"`'),
)
_WORDS = {"AND": "and", "OR": "or", "XOR": "xor", "NOT": "not", "UNIT": "deg"}
_STRAY = r"[^\w\s\"#=!<>~{}()\[\],:%+\-.&|;'“‘≠≤≥…−–—°^/\ufeff]+"

# Two operators that touch: terminal to read them as, hint.
_TOUCHING = {
    ("EQUAL", "EQUAL"): ("EQUAL", "write `=`"),
    ("EQUAL", "MORETHAN"): ("AT_LEAST", "write `>=`"),
    ("EQUAL", "LESSTHAN"): ("AT_MOST", "write `<=`"),
    ("LESSTHAN", "MORETHAN"): ("UNEQUAL", "write `!=`"),
    ("UNEQUAL", "EQUAL"): ("UNEQUAL", "write `!=`"),
    ("TILDE", "EQUAL"): ("TILDE", "write `~`"),
    ("COLON", "EQUAL"): ("EQUAL", "write `=`"),
}


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
        if token is None or (token.type == "NAME" and not token.isascii()):
            if len(result.problems) >= MAX_PROBLEMS:
                result.complete = False
                break
            if token is None:
                _mend(text, state, result)
            else:
                _add_name(token, result)
            continue
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
def _foreign() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<f{i}>{p})" for i, (p, _, _) in enumerate(_FOREIGN)))


def _mend(text: str, state: LexerState, result: Tokens) -> None:
    """Report the characters at the lexer's position and step over them, or mend them."""
    at = state.line_ctr.char_pos
    line, column = state.line_ctr.line, state.line_ctr.column
    kind: str | None = None
    found = _foreign().match(text, at)
    if found:
        assert found.lastgroup is not None
        _, kind, hint = _FOREIGN[int(found.lastgroup[1:])]
        wrong = found.group()
        code, message = "LACE008", f"`{wrong}` is not how it is written here"
        if kind == "STRING":
            message = "these quotes are not straight double quotes"
        elif kind == "MINUS":
            message = f"`{wrong}` is a dash, not a minus sign"
        elif kind is None and wrong.startswith(("/", "--")):
            message = f"`{wrong[:2]}` does not begin a comment"
        elif wrong == ";" and _in_settings(result.tokens):
            kind, hint = "COMMA", "settings are separated by commas"
    elif text[at] == '"':
        unclosed = re.compile(r"\"[^\n]*").match(text, at)
        assert unclosed is not None
        wrong, kind = unclosed.group().rstrip(), "STRING"
        code, message = "LACE002", "this text is never closed"
        hint = 'put a `"` at its end, on the same line'
    else:
        stray = re.compile(_STRAY).match(text, at)
        wrong = stray.group() if stray else text[at]
        code, message = "LACE001", f"{_shown(wrong)} has no meaning here"
        hint = "leave it out" if len(wrong) > 1 else _stray_hint(text, at)
    state.line_ctr.feed(wrong)
    span = Span(line, column, state.line_ctr.line, state.line_ctr.column)
    result.problems.append(Diagnostic(code, message, span, hint))
    if kind is None or kind == "MINUS":
        result.gaps.append(at)
    else:
        value = shapes().get(kind) or _WORDS.get(kind) or f'"{wrong.strip(_QUOTES)}"'
        end = column + len(wrong)
        result.tokens.append(Token(kind, value, at, line, column, line, end, at + len(wrong)))


def _add_name(token: Token, result: Tokens) -> None:
    """Add a name in NFC; of one that is none, report it and add what is left of it."""
    name = nfc(token)
    hint = what_is_wrong(name)
    kind: str | None = "NAME"
    if hint is not None:
        shown, name = _shown(name), mended(name)
        message = f"{shown} is not a name" if name else f"{shown} has no meaning here"
        result.problems.append(Diagnostic("LACE001", message, span_of(token), hint))
        if name in keywords():
            kind = name.upper()
    if name:
        result.tokens.append(token.update(kind, name))
    else:
        result.gaps.append(token.start_pos or 0)


_QUOTES = "\"'“”‘’"


def _shown(wrong: str) -> str:
    """Return the characters for a message, the unprintable ones by their numbers."""
    short = wrong if len(wrong) <= 20 else wrong[:20] + "…"
    shown = (
        c if c.isprintable() or is_joining(short, at) else f"U+{ord(c):04X}"
        for at, c in enumerate(short)
    )
    return f"`{''.join(shown)}`"


def _in_settings(tokens: list[Token]) -> bool:
    """Whether a square bracket is open."""
    for token in reversed(tokens[-16:]):
        if token.type in ("LSQB", "RSQB"):
            return token.type == "LSQB"
    return False


def _stray_hint(text: str, at: int) -> str:
    character, around = text[at], text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    in_a_word = len(around) == 2 and all(map(is_part, around))
    if character == "-" and in_a_word:
        return "a name is made of letters, digits and `_`; any other stands in quotes"
    if character == "." and in_a_word and not around.isdigit():
        return "a name has no dots; the name of a file stands in quotes"
    if character == "." and text[max(at - 1, 0) : at].isdigit():
        return "a number has a digit after its point, `2.0`; a range has two dots, `20..30`"
    if character.isdigit():
        return "write numbers with the digits 0 to 9"
    return _STRAY_HINTS.get(character, "leave it out")


_STRAY_HINTS = {
    **dict.fromkeys("+-", "a sign belongs right before a number; the language does no arithmetic"),
    **dict.fromkeys("*/", "leave it out; the language does no arithmetic"),
    ".": "a range has two dots, `20..30`",
}


def _join_touching(result: Tokens) -> None:
    """Read `==`, `=>`, `=<` and `<>` as the one operator that was meant."""
    tokens = result.tokens
    joined: list[Token] = []
    for token in tokens:
        before = joined[-1] if joined else None
        if before is not None and before.end_pos == token.start_pos:
            meant = _TOUCHING.get((before.type, token.type))
            if meant is not None and len(before) < 3:
                kind, hint = meant
                if len(result.problems) < MAX_PROBLEMS:
                    message = f"`{before}{token}` is not how it is written here"
                    span = between(before, token)
                    result.problems.append(Diagnostic("LACE008", message, span, hint))
                start = before.start_pos, before.line, before.column
                end = token.end_line, token.end_column, token.end_pos
                joined[-1] = Token(kind, shapes()[kind], *start, *end)
                continue
        joined.append(token)
    result.tokens[:] = joined


def _limit_nesting(result: Tokens) -> None:
    """Refuse a text whose tree would be deeper than any person's; it ends before that point."""
    nots, total = 0, 0
    levels: list[tuple[str, int]] = []
    for i, token in enumerate(result.tokens):
        kind = token.type
        if kind == "NOT":
            nots += 1
        elif kind in CLOSER:
            levels.append((kind, nots + 1))
            total, nots = total + nots + 1, 0
        else:
            nots = 0
            if kind in CLOSERS:
                if levels:
                    total -= levels.pop()[1]
            elif kind in STATEMENTS:
                # A bracket left open in the statement before is that statement's own mistake.
                while levels and levels[-1][0] != "LBRACE":
                    total -= levels.pop()[1]
        if total + nots > MAX_NESTING:
            message = f"conditions are nested more than {MAX_NESTING} levels deep"
            hint = "give the inner ones names with `let`, or use fewer brackets"
            result.problems.append(Diagnostic("LACE006", message, span_of(token), hint))
            del result.tokens[i:]
            result.complete = False
            return


# So many open brackets are too many anyhow; what follows them need not be read.
_HOPELESS = 10_000

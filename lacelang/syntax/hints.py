"""Why the parser refused a token, in the words of somebody reading the program.

`hints.toml` lists the rules: most are shapes of tokens, others are functions here. The first that
fits is taken. It may say what to read instead, so that reading goes on behind the mistake.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence, Set
from itertools import chain
from pathlib import Path
from typing import Any

from attrs import field, frozen
from lark import Token

from lacelang.errors import Change, Span
from lacelang.syntax.build import between, span_of
from lacelang.syntax.grammar import (
    CLAUSES,
    CLOSER,
    CLOSERS,
    ITEMS,
    JOINTS,
    OPERATORS,
    STATEMENTS,
    asking,
    keywords,
    spellings,
)
from lacelang.syntax.notations.shapes import Shape
from lacelang.syntax.parse_error import BRACKETED, ParseError, Repair, text_of, written_out
from lacelang.text.names import is_name, nfc

TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

SYNONYMS: dict[str, str] = {
    word: meant for meant, words in TABLE["synonyms"].items() for word in words.split()
}
"""What people write instead, and the word or sign of the language that they mean."""

NEED_NAME: dict[str, str] = {word.upper(): what for word, what in TABLE["names"].items()}
"""Keywords that a name follows, and what it names."""

ALWAYS_NAME = frozenset({"LET", "DEF", "MODEL", "FOR", "ATTRIBUTE"})
NEED_CONDITION = JOINTS | asking()
"""Terminals that a condition follows."""

ENDS = STATEMENTS | CLAUSES | ITEMS | CLOSERS | {"$END", "IN_SHARE"}

TERMINALS = TABLE["terminals"]
"""What terminals are called that have no one spelling."""

_WRITTEN = re.compile(r"write `([^`…]+)`")
"""A hint that says what to write, and nothing else."""

_SHORT = 40  # characters of a token that are shown
_SMALL = "the words of the language are in lower case"


def explain(error: ParseError) -> Repair:
    """Return what to tell the reader about `error`."""
    said = (rule(error) for rule in _RULES)
    return next(filter(None, said), None) or _unexpected(error)


_WHEN: dict[str, Callable[[ParseError], bool]] = {
    "repeated": lambda e: e.kind == e.previous,
    "has settings": lambda e: e.kind_at(1) in ("WEIGHT", "TEMP"),
    "option": lambda e: e.expected <= {"NAME", "RPAR"} and not e.in_statement("DEF"),
    "defines": lambda e: (
        e.kind_at(2) in ("NOT", "LPAR")
        or e.kind_at(3) in OPERATORS | {"IN"}
        or not e.accepts(["AND", "NAME"])
    ),
    "ends": lambda e: e.kind in ENDS,
    "compared": lambda e: e.previous != "NAME",
    "condition begins": lambda e: (
        e.previous in NEED_CONDITION or (e.previous == "LPAR" and "NOT" in e.expected)
    ),
}


class _Text(str):
    """The text of a part, in the forms that a table names."""

    def __format__(self, form: str) -> str:
        if form == "share":
            return f"{float(self) / 100:g}"
        if form == "joined":
            return self.replace(" ", "_")
        if form == "short":
            return self if len(self) <= _SHORT else self[: _SHORT - 3] + "…"
        if form == "name":
            return NEED_NAME[self.upper()]
        return self.lstrip("-") if form == "positive" else self


@frozen
class Rule:
    """A row of the table, called with an error for its repair."""

    said: Mapping[str, Any]
    shapes: tuple[Shape, Shape, Shape] = field(init=False)
    """What stands before the refused token, what is replaced, and what is kept behind that."""

    @shapes.default
    def _shapes(self) -> tuple[Shape, Shape, Shape]:
        before, _, after = f" {self.said['shape']} ".rpartition(" | ")
        replaced, _, kept = after.partition(" / ")
        return Shape(before), Shape(replaced), Shape(kept)

    def __call__(self, error: ParseError) -> Repair | None:
        """Return what is said of an error, and its repair, if the rule fits."""
        if not self._may_be(error):
            return None
        reader = error.reader
        parts: dict[str, tuple[int, int]] = {}
        places = [reader.refused - len(self.shapes[0].elements)]
        for shape in self.shapes:
            end = shape.match(reader, places[-1], parts)
            if end is None:
                return None
            places.append(end)
        _, start, kept, end = places
        tokens = {}
        for element in chain(*self.shapes):
            first, last = parts.get(element.name, (0, 0))
            inside = element.kind in BRACKETED
            tokens[element.name] = reader.tokens[first + inside : last - inside]
        repair = self._repair(error, tokens, kept - start, reader.tokens[end - 1])
        read = [*(repair.tokens or ()), *reader.tokens[kept:end]]
        fits = "fits" not in self.said or error.accepts([token.type for token in read])
        return repair if fits else None

    def _may_be(self, error: ParseError) -> bool:
        """Whether what stands around the error is as the rule asks."""
        said, bracket = self.said, error.opened[-1] if error.opened else ""
        return (
            said.get("expects", "") in {"", *error.expected}
            and said.get("lacks") not in error.expected
            and ("in" not in said or error.in_statement(said["in"]))
            and said.get("inside", bracket) == bracket
            and ("if" not in said or _WHEN[said["if"]](error))
        )

    def _repair(
        self, error: ParseError, parts: Mapping[str, Sequence[Token]], count: int, last: Token
    ) -> Repair:
        said = self.said
        texts = {name: _Text(text_of(tokens)) for name, tokens in parts.items()}
        at: Token | Span = error.token
        if "at" in said:
            first, _, to = said["at"].partition(" ")
            at = between(parts[first][0], last if to == "-" else parts[to or first][-1])
        hint = said["hint"].format_map(texts) if "hint" in said else None
        instead: list[str | Token] | None = None
        if "read" in said:
            instead = []
            for word in said["read"].split():
                if word[0] == "{" and word[1:-1] in parts:
                    instead += parts[word[1:-1]]
                else:
                    instead.append(word.format_map(texts) if word[1:] else word)
        code, message = said.get("code", "LACE003"), said["says"].format_map(texts)
        fix = self._fix(error, texts, hint, at, instead, count)
        return Repair(code, message, at, hint, instead=instead, count=count, fix=fix)

    def _fix(
        self,
        error: ParseError,
        texts: Mapping[str, _Text],
        hint: str | None,
        at: Token | Span,
        instead: Sequence[str | Token] | None,
        count: int,
    ) -> tuple[Change, ...]:
        """Return the change that does what the hint says; none if the row or the hint says so."""
        span = at if isinstance(at, Span) else span_of(at)
        fix = self.said.get("fix", True)
        if isinstance(fix, str):
            return (Change(span, fix.format_map(texts)),)
        written = _WRITTEN.fullmatch(hint or "")
        if not fix or hint is None or (written is None and not hint.startswith("leave ")):
            return ()
        if "at" in self.said:
            return (Change(span, written[1]),) if written is not None else ()
        replaced = error.run(0, count)
        if instead is None or not replaced or replaced[-1].type == "$END":
            return ()
        new = written_out(instead)
        return (Change(between(replaced[0], replaced[-1]), new or _gap(error, replaced)),)


def _gap(error: ParseError, left_out: Sequence[Token]) -> str:
    """Return the space that keeps two words apart when what touches both is left out."""
    after = error.at(len(left_out))
    touch = error.before is not None and error.before.end_pos == left_out[0].start_pos
    touch = touch and after is not None and after.start_pos == left_out[-1].end_pos
    return " " if touch else ""


# Brackets


def _behind(token: Token) -> Span:
    """Return the place right behind a token."""
    line, column = token.end_line or 1, token.end_column or 1
    return Span(line, column, line, column)


def _closes_nothing(e: ParseError) -> Repair | None:
    if e.kind not in CLOSERS or any(CLOSER[bracket.type] == e.kind for bracket in e.opened):
        return None
    last = e.opened[-1] if e.opened else None
    if last is not None and last.line == e.token.line and e.accepts([CLOSER[last.type]]):
        due = spellings()[CLOSER[last.type]]
        message = f"`{e.token}` stands where `{due}` is due"
        hint, fix = f"close `{last}` with `{due}`", (Change(span_of(e.token), due),)
        return Repair("LACE005", message, e.token, hint, instead=[due], fix=fix)
    message = f"this `{e.token}` closes nothing"
    fix = (Change(span_of(e.token), ""),)
    return Repair("LACE005", message, e.token, "leave it out", instead=[], fix=fix)


def _never_closed(e: ParseError) -> Repair | None:
    # A joint ends settings and sets; in round brackets it has its place.
    ends = e.kind in JOINTS and e.opened and e.opened[-1].type in ("LSQB", "LBRACE")
    if e.kind not in ENDS and not ends:
        return None
    closers: list[str] = []
    for bracket in reversed(e.opened):
        closers.append(CLOSER[bracket.type])
        if e.accepts([*closers, e.kind]):
            signs = [spellings()[c] for c in closers]
            many = "these brackets are" if len(closers) > 1 else f"this `{bracket}` is"
            refused = [] if e.kind == "$END" else [e.token]
            message, hint = f"{many} never closed", f"add `{''.join(signs)}`"
            instead = [*signs, *refused]
            fix = (Change(_behind(e.before or bracket), "".join(signs)),)
            return Repair(
                "LACE004", message, bracket, hint, instead=instead, count=len(refused), fix=fix
            )
    return None


# Comparisons


def _no_attribute(e: ParseError) -> Repair | None:
    """`age > 10 and < 20`."""
    compares = OPERATORS | {"IN"}
    if e.kind not in compares or e.previous not in JOINTS - {"NOT"}:
        return None
    for back in range(2, 10):
        name = e.at(-back - 1)
        if e.kind_at(-back) in compares and name is not None and name.type == "NAME":
            message = f"`{e.token}` needs the name of an attribute before it"
            beyond = e.reader.refused + 1
            end = (e.reader.value(beyond) or beyond) - e.reader.refused
            hint = f"write `{name} {e.text(0, end)}`"
            fix = (Change(span_of(e.token), f"{name} {e.token}"),)
            return Repair("LACE003", message, e.token, hint, instead=[name, e.token], fix=fix)
    return None


# Words


def _misspelt(e: ParseError) -> Repair | None:
    if e.kind not in ("NAME", "UNIT"):
        return None
    written = str(e.token)
    wanted = {spellings()[kind]: kind for kind in e.expected & spellings().keys()}
    meant = _meant(written.lower(), wanted.keys())
    if meant is None:
        return None
    message, hint = f"`{written}` is not a word that can stand here", f"did you mean `{meant}`?"
    if written.lower() == meant:
        message, hint = _SMALL, f"write `{meant}`"
    fix = (Change(span_of(e.token), meant),)
    instead = [Token(wanted[meant], meant)]
    return Repair("LACE010", message, e.token, hint, instead=instead, fix=fix)


def _meant(written: str, wanted: Set[str]) -> str | None:
    """Return the word of the language, among those wanted, that `written` comes nearest to."""
    if SYNONYMS.get(written) in wanted:
        return SYNONYMS[written]
    if written in wanted:
        return written
    from difflib import get_close_matches

    words = sorted(word for word in wanted if word.isalnum())
    swapped = [word for word in words if sorted(word) == sorted(written)]
    begun = [word for word in words if len(written) >= 3 and word.startswith(written)]
    close = swapped or get_close_matches(written, words, 1, 0.7) or begun
    return close[0] if close else None


def _shouted(e: ParseError) -> Repair | None:
    """`sample FROM ffhq`, where `FROM` has been taken for a name."""
    word = str(e.before).lower()
    if e.before is None or e.previous != "NAME" or word not in keywords():
        return None
    # A `NOT` has been read as a condition already; any joint behind it lets reading go on.
    meant = "and" if word == "not" else word
    if not e.accepts([meant.upper(), e.kind]):
        return None
    hint, fix = f"write `{word}`", (Change(span_of(e.before), word),)
    return Repair("LACE010", _SMALL, e.before, hint, instead=[meant, e.token], fix=fix)


# Names


def _reserved(e: ParseError) -> Repair | None:
    if str(e.token) not in keywords() or "NAME" not in e.expected or e.before is None:
        return None
    same_line = e.before.end_line == e.token.line
    after = e.at(1)
    last = after is None or after.line != e.token.line
    names = e.previous in ALWAYS_NAME or (last and e.previous in (*NEED_NAME, "EQUAL"))
    if not same_line or not names:
        return None
    message = f"`{e.token}` is a word of the language and cannot be a name"
    hint = f"choose another name, such as `{e.token}_1`"
    return Repair("LACE007", message, e.token, hint, instead=[Token("NAME", str(e.token))])


def _needless_quotes(e: ParseError) -> Repair | None:
    bare = nfc(str(e.token)[1:-1])
    if e.kind != "STRING" or "NAME" not in e.expected or not is_name(bare) or bare in keywords():
        return None
    what = NEED_NAME.get(e.previous)
    if what is None and e.kind_at(1) in (*OPERATORS, "IN"):
        what = "the name of an attribute"
    if what is None:
        return None
    message = f"{what} stands without quotes"
    hint, fix = f"write `{bare}`", (Change(span_of(e.token), bare),)
    return Repair("LACE003", message, e.token, hint, instead=[Token("NAME", bare)], fix=fix)


def _unexpected(e: ParseError) -> Repair:
    """Return what is said where no rule knows more."""
    message, at = f"`{_Text(e.token):short}` does not fit here", e.token
    if e.kind == "$END":
        message, at = "the program ends in the middle of a statement", e.before or e.token
    wanted = _in_words(e.expected)
    if wanted:
        message += f"; expected {wanted}"
    hint = None
    in_value = any(bracket.type != "LBRACE" for bracket in e.opened)
    if e.statement is not None and not e.expected >= STATEMENTS and not in_value:
        hint = f"like `{TABLE['examples'][e.statement.type.lower()]}`"
    return Repair("LACE003", message, at, hint)


def _in_words(expected: frozenset[str]) -> str:
    """Return `a name, a number or `(``; groups of keywords by what they have in common."""
    rest = set(expected) - {"UNIT", "$END"}
    groups = []
    for group, phrase in ((STATEMENTS, "a statement"), (CLAUSES, "a clause")):
        if rest >= group:
            rest -= group
            groups.append(phrase)
    if rest >= {"AND", "OR"}:
        rest -= {"XOR", "IMPLIES"}
    if len(groups) + len(rest) > 6:
        return ""
    if groups == ["a statement"] and not rest:
        return "a statement, such as `sample`"
    rank = {"AND": 1, "OR": 2}
    kinds = sorted(rest, key=lambda k: (k not in TERMINALS, rank.get(k, 0), k))
    parts = [TERMINALS.get(k) or f"`{spellings()[k]}`" for k in kinds] + groups
    return " or ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _rule(row: dict[str, Any]) -> Callable[[ParseError], Repair | None]:
    by: Callable[[ParseError], Repair | None] = globals()[f"_{row.get('by', 'rule')}"]
    return by if "by" in row else Rule(row)


_RULES = tuple(map(_rule, TABLE["rule"]))

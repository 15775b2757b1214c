"""Words and signs of other tools, and a text in lexemes, whatever signs it has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from lacelang.syntax.grammar import asking


def table(name: str) -> dict[str, Any]:
    """Return a table beside this module."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


_TABLE = table("words")
SLIPS: list[dict[str, str]] = _TABLE.pop("slip")
"""What the lexer of programs refuses: patterns, and what is said of them."""

SETS = {name: frozenset(words.split()) for name, words in _TABLE.pop("sets").items()}
WORDS: dict[str, dict[str, str]] = {
    element: {phrase: meaning for meaning, phrases in said.items() for phrase in phrases}
    for element, said in _TABLE.items()
}
"""By element of shapes, its phrases and what each means here."""

WORDS["asking"] = {kind.lower(): kind.lower() for kind in asking()}

CLOSER = {"(": ")", "[": "]", "{": "}"}
COMPARING, DENIALS, JOINTS = WORDS["comparing"], WORDS["denial"], WORDS["joint"]
HERE = {**JOINTS, **DENIALS, **COMPARING}
"""Signs in conditions, by how other languages write them."""

PATTERNS = {
    "count": re.compile(rf"\d+|{'|'.join(WORDS['numeral'])}"),
    "decade": re.compile(r"\d*0"),
    "negative": re.compile(r"-[\d.].*"),
    "pluses": re.compile(r"\++|-+"),
    "times": re.compile(r"x\d+"),
    "truth": re.compile(rf"[\"']*({'|'.join(WORDS['truth'])})[\"']*"),
    "wildcard": re.compile(r"__.+__"),
    "word": re.compile(r"[^\W\d]\w*"),
}
"""Elements of shapes that are one lexeme, by its text in small letters."""


class Lexeme(NamedTuple):
    """A word, a number, a text in quotes or a sign, with its offsets in the text."""

    kind: str  # `word`, `number`, `text` or `sign`
    text: str
    start: int
    end: int
    begins: bool  # it is the first of its line
    low: str  # in small letters


# The longer sign before the shorter one that it begins with.
_SIGNS = (
    r"<=>|<->|<-->|==>|-->|===|!==|=>|->|<=|>=|!=|==|&&|\|\||::|:=|=:|\.\.|\+/-|\+-|\+=|-="
    r"|\*\*|\$\$|<>|~=|=~|>>|<<|\++(?![-/])|-{2,}(?![>\d])|\S"
)
_SKIPPED = r"\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/|(?<=\s)--\s[^\n]*"
_QUOTED = r"\"[^\"\n]*\"|'[^'\n]*'"
_LEXEME = re.compile(
    rf"(?P<skip>\s+|{_SKIPPED})"
    rf"|(?P<text>{_QUOTED})"
    r"|(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<word>[^\W\d]\w*)"
    rf"|(?P<sign>{_SIGNS})"
)


_FROM = re.compile(rf"{_SKIPPED}|{_QUOTED}|\bfrom\s+([^\W\d]\w*)")


def models_named(text: str) -> set[str]:
    """Return the names that stand behind `from`."""
    return {name for name in _FROM.findall(text) if name}


def lexemes_of(text: str) -> list[Lexeme]:
    """Take `text` apart; comments and white space are left out."""
    lexemes: list[Lexeme] = []
    line_end = -1
    for found in _LEXEME.finditer(text):
        kind = found.lastgroup or "sign"
        if kind == "skip":
            if "\n" in found.group():
                line_end = found.end()
            continue
        begins = not lexemes or line_end > lexemes[-1].start
        word = found.group()
        lexemes.append(Lexeme(kind, word, found.start(), found.end(), begins, word.lower()))
    return lexemes

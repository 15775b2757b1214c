"""What each token of a text is, for colours: at the prompt, in editors, on pages and in reports."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from lacelang.syntax.grammar import (
    CLAUSES,
    COMPARISONS,
    ITEMS,
    JOINTS,
    OPERATORS,
    STATEMENTS,
    keywords,
)
from lacelang.syntax.tokens import tokenize

KINDS = (
    "statement",
    "clause",
    "keyword",
    "logic",
    "comparison",
    "number",
    "unit",
    "string",
    "comment",
    "defined",
    "call",
    "compared",
    "name",
    "sign",
)
"""What a token can be: `defined` is the name that a statement gives, `compared` that of an
attribute before its comparison, `call` that of a definition before its arguments."""

_BY_TYPE = {
    **dict.fromkeys(STATEMENTS | ITEMS, "statement"),
    **dict.fromkeys(CLAUSES, "clause"),
    **dict.fromkeys(JOINTS | {"IN", "IN_SHARE", "IN_LAYERS", "EACH"}, "logic"),
    **dict.fromkeys(OPERATORS | {"RANGE"}, "comparison"),
    **{"NUMBER": "number", "UNIT": "unit", "PERCENT": "unit"},
    **{"STRING": "string", "COMMENT": "comment"},
}
_DEFINING = frozenset({"LET", "DEF", "MODEL", "FOR", "ATTRIBUTE"})


@frozen
class Colored:
    """A stretch of a text that is one token, by its offsets, and one of `KINDS`."""

    start: int
    end: int
    kind: str


def colored(text: str) -> Iterator[Colored]:
    """Yield the tokens of a text and its comments in order; none overlap.

    What the language does not know, and white space, is in none of them.
    """
    taken = tokenize(text)
    tokens = taken.tokens
    kinds = {id(comment): "comment" for comment in taken.comments}
    for i, token in enumerate(tokens):
        kind = _BY_TYPE.get(token.type)
        if kind is None:
            kind = "keyword" if str(token) in keywords() else "sign"
        if token.type == "NAME":
            after = tokens[i + 1].type if i + 1 < len(tokens) else ""
            kind = "call" if after == "LPAR" else "compared" if after in COMPARISONS else "name"
            if i and tokens[i - 1].type in _DEFINING:
                kind = "defined"
        kinds[id(token)] = kind
    end = 0
    for token in sorted([*tokens, *taken.comments], key=lambda token: token.start_pos or 0):
        start, stop = token.start_pos or 0, token.end_pos or 0
        # The CR of a CRLF is no part of the comment before it.
        stop -= text[start:stop].endswith("\r")
        if start >= end and stop > start:
            yield Colored(start, stop, kinds[id(token)])
            end = stop

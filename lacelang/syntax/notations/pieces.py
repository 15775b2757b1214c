"""A text in pieces, whatever signs it has: more than the grammar's own lexer would read."""

from __future__ import annotations

import re

from attrs import frozen


@frozen
class Piece:
    """A word, a number, a text in quotes or a sign.

    Attributes:
        kind: `word`, `number`, `text` or `sign`.
        text: as written.
        start: its offset in the text.
        end: the offset behind it.
        begins: it is the first of its line.
    """

    kind: str
    text: str
    start: int
    end: int
    begins: bool

    @property
    def low(self) -> str:
        """The text in small letters."""
        return self.text.lower()


# The longer sign before the shorter one that it begins with.
_SIGNS = (
    r"<=>|<->|<-->|==>|-->|===|!==|=>|->|<=|>=|!=|==|&&|\|\||::|:=|=:|\.\.|\+/-|\+-|\+=|-="
    r"|\*\*|\$\$|<>|~=|=~|>>|<<|\++(?![-/])|-{2,}(?![>\d])|\S"
)
_PIECE = re.compile(
    r"(?P<skip>\s+|\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/|(?<=\s)--\s[^\n]*)"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<word>[^\W\d]\w*)"
    rf"|(?P<sign>{_SIGNS})"
)


def pieces_of(text: str) -> list[Piece]:
    """Take `text` apart; comments and white space are left out."""
    pieces: list[Piece] = []
    line_end = -1
    for found in _PIECE.finditer(text):
        kind = found.lastgroup or "sign"
        if kind == "skip":
            if "\n" in found.group():
                line_end = found.end()
            continue
        begins = not pieces or line_end > pieces[-1].start
        pieces.append(Piece(kind, found.group(), found.start(), found.end(), begins))
    return pieces


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, for the tables."""
    return frozenset(text.split())

"""Tokens with the comments that belong to them, and the writer that sets them in lines."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from lark import Token

WIDTH = 100
"""Columns of a line; only a single token or a comment may be longer."""

INDENT = 2


@define
class Comment:
    """A comment on a line of its own, and whether a blank line comes before it."""

    text: str
    blank: bool


@define
class Piece:
    """A token, the comments above it and the one behind it.

    Attributes:
        blank: a blank line stands right before it, below its comments.
        breaks: it begins a line in the source.
    """

    kind: str
    text: str
    above: list[Comment] = field(factory=list)
    behind: str | None = None
    blank: bool = False
    breaks: bool = False

    @property
    def parted(self) -> bool:
        """Whether a blank line stands before it or its comments."""
        return self.above[0].blank if self.above else self.blank


def pieces_of(
    tokens: Sequence[Token], comments: Sequence[Token]
) -> tuple[list[Piece], list[Comment]]:
    """Give every comment to a token: the one before it on its line, else the one after it.

    Returns:
        The pieces, and the comments below the last of them.
    """
    pieces: list[Piece] = []
    waiting: list[Comment] = []
    end = 0
    todo = sorted([*tokens, *comments], key=lambda t: t.start_pos or 0)
    for token in todo:
        line = token.line or 1
        blank = line > end + 1 and end > 0
        if token.type != "COMMENT":
            piece = Piece(token.type, str(token), waiting, None, blank, line > end)
            pieces.append(piece)
            waiting = []
        elif pieces and line == end and not waiting:
            pieces[-1].behind = str(token).rstrip()
        else:
            waiting.append(Comment(str(token).rstrip(), blank))
        end = token.end_line or line
    return pieces, waiting


_TIGHT_BEFORE = frozenset({"RPAR", "RSQB", "COMMA", "PERCENT", "RANGE"})
_TIGHT_AFTER = frozenset({"LPAR", "LSQB", "RANGE"})


def gap(before: Piece, piece: Piece, spaced_equals: bool = False) -> str:
    """Return what stands between two tokens on one line."""
    if before.kind in _TIGHT_AFTER or piece.kind in _TIGHT_BEFORE:
        return ""
    if piece.kind == "LPAR" and before.kind == "NAME":
        return ""
    if not spaced_equals and "EQUAL" in (before.kind, piece.kind):
        return ""
    return " "


def flat(pieces: Sequence[Piece], spaced_equals: bool = False) -> str:
    """Return the tokens on one line, without comments."""
    parts: list[str] = []
    braces = 0
    for i, piece in enumerate(pieces):
        before = pieces[i - 1] if i else None
        if before is not None:
            # A set hugs its values; only the caller knows of other braces.
            hugged = before.kind == "LBRACE" or (piece.kind == "RBRACE" and braces)
            parts.append("" if hugged else gap(before, piece, spaced_equals))
        braces += {"LBRACE": 1, "RBRACE": -1}.get(piece.kind, 0)
        parts.append(piece.text)
    return "".join(parts)


def commented(pieces: Sequence[Piece]) -> bool:
    """Whether comments inside the run forbid setting it on one line."""
    inside = any(piece.above for piece in pieces[1:])
    return inside or any(piece.behind for piece in pieces[:-1])


class Writer:
    """Sets pieces in lines, comments where they belong.

    Attributes:
        lines: those that are done.
        line: the one being set.
        behind: the comment that will end it.
        indent: where a new line would begin.
        opened: nothing has been set since the text or a block began.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line = ""
        self.behind: str | None = None
        self.indent = 0
        self.opened = True

    @property
    def column(self) -> int:
        """Where the next piece would begin, counted from 0."""
        return len(self.line) if self.line else self.indent

    @property
    def fresh(self) -> bool:
        """Whether nothing stands on the line yet."""
        return not self.line

    def newline(self, indent: int) -> None:
        """End the line, if anything stands on it; the next one begins at `indent`."""
        if self.line:
            text = self.line
            if self.behind is not None:
                together = f"{text}  {self.behind}"
                if len(together) > WIDTH:
                    # A comment too long for the rest of its line goes above the line.
                    margin = len(text) - len(text.lstrip())
                    self.lines.append(" " * margin + self.behind)
                else:
                    text = together
            self.lines.append(text)
        self.line, self.behind = "", None
        self.indent = indent

    def blank(self) -> None:
        """Leave a blank line, unless there is one or a block has just begun."""
        assert self.fresh
        if self.lines and self.lines[-1] and not self.opened:
            self.lines.append("")

    def put(self, piece: Piece, space: str = " ", keep_blank: bool = False) -> None:
        """Set a piece, its comments above it on lines of their own."""
        if piece.above or self.behind is not None:
            self.newline(self.indent)
        for comment in piece.above:
            if comment.blank and keep_blank:
                self.blank()
            self.lines.append(" " * self.indent + comment.text)
            self.opened = False
        self.opened = False
        if piece.above and piece.blank and keep_blank:
            self.lines.append("")
        self.line = self.line + space + piece.text if self.line else " " * self.indent + piece.text
        self.behind = piece.behind

    def finish(self, comments: Sequence[Comment]) -> str:
        """Return the text, the last comments below it."""
        self.newline(0)
        for comment in comments:
            if comment.blank:
                self.blank()
            self.lines.append(comment.text)
            self.opened = False
        return "\n".join([*self.lines, ""]) if self.lines else ""

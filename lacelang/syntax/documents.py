"""Documents, from which a layout is chosen: text, places for line breaks, groups, indentation.

A group is set on one line if it fits, else all its `Line`s are line breaks (Wadler, "A prettier
printer"). Tokens carry their comments: one above a token stands on a line of its own, one behind
it ends its line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from attrs import define, field, frozen
from lark import Token

WIDTH = 100
"""Columns of a line; only a single token or a comment may be longer."""


@define
class Comment:
    """A comment on a line of its own, and whether a blank line comes before it."""

    text: str
    blank: bool


@define(eq=False)
class FormattedToken:
    """A token, the comments above it and the one behind it."""

    text: str
    above: list[Comment] = field(factory=list)
    behind: str | None = None
    blank: bool = False  # a blank line stands right before it, below its comments
    breaks: bool = False  # it begins a line in the source
    opens: bool = False  # it begins a block


@frozen
class Line:
    """A place for a line break, and what stands there otherwise; None if it is always one."""

    flat: str | None = " "
    before: FormattedToken | None = None  # a blank line before it in the source is kept


@frozen
class Nest:
    """Where the lines of a document are indented by more columns."""

    by: int
    doc: Doc


@frozen
class Group:
    """What is set on one line if it fits, unless it is to be broken anyhow."""

    doc: Doc
    broken: bool = False


@frozen
class Above:
    """Comments on lines of their own, below all else in a block."""

    comments: Sequence[Comment]


_ALONE = (FormattedToken, Line, str, Above)
"""What is made of no documents."""

Doc: TypeAlias = FormattedToken | str | Line | Nest | Group | Above | Sequence["Doc"]

GAP = Group(Line())
"""A space, or a line break if the next token does not fit on the line."""

SOFT = Group(Line(""))
"""Nothing, or a line break if the next token does not fit on the line."""


def formatted_tokens(
    tokens: Iterable[Token], comments: Iterable[Token]
) -> tuple[list[FormattedToken], list[Comment]]:
    """Give every comment to a token: the one before it on its line, else the one after it.

    Comments below the last token come as well.
    """
    formatted: list[FormattedToken] = []
    waiting: list[Comment] = []
    end = 0
    for token in sorted([*tokens, *comments], key=lambda t: t.start_pos or 0):
        line = token.line or 1
        blank = line > end + 1 and end > 0
        if token.type != "COMMENT":
            formatted.append(FormattedToken(str(token), waiting, None, blank, line > end))
            waiting = []
        elif formatted and line == end and not waiting:
            formatted[-1].behind = str(token).rstrip()
        else:
            waiting.append(Comment(str(token).rstrip(), blank))
        end = token.end_line or line
    return formatted, waiting


def flat(doc: Doc) -> str:
    """Return a document on one line, without comments."""
    return "".join(map(_text, _parts(doc)))


def _parts(doc: Doc) -> Iterator[FormattedToken | str | Line | Above]:
    """Yield what a document is made of, in order."""
    stack = [doc]
    while stack:
        part = stack.pop()
        if isinstance(part, _ALONE):
            yield part
        elif isinstance(part, (Nest, Group)):
            stack.append(part.doc)
        else:
            stack.extend(reversed(part))


def _text(part: FormattedToken | str | Line | Above) -> str:
    """Return a part on one line."""
    if isinstance(part, FormattedToken):
        return part.text
    if isinstance(part, Line):
        return part.flat or ""
    return part if isinstance(part, str) else ""


class Writer:
    """Sets documents in lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._line = ""
        self._margin = 0  # where the line begins
        self._behind: str | None = None  # the comment that will end the line
        self._opened = True  # nothing has been set since the text or a block began
        self._widths: dict[int, float] = {}  # of nested documents on one line

    def write(self, doc: Doc) -> None:
        """Set a document."""
        # Each with its indentation and whether it is set on one line.
        stack: list[tuple[int, bool, Doc]] = [(0, False, doc)]
        while stack:
            indent, one_line, part = stack.pop()
            if isinstance(part, str):
                self._line += part if self._line else ""
            elif isinstance(part, FormattedToken):
                self._put(part, indent)
            elif isinstance(part, Line):
                if one_line:
                    self._line += part.flat or ""
                else:
                    self._break(indent, part.before)
            elif isinstance(part, Above):
                self._above(part.comments, indent)
            elif isinstance(part, Nest):
                stack.append((indent + part.by, one_line, part.doc))
            elif isinstance(part, Group):
                fits = one_line or (not part.broken and self._fits(part.doc, indent, stack))
                stack.append((indent, fits, part.doc))
            else:
                stack.extend((indent, one_line, inner) for inner in reversed(part))

    def _fits(self, doc: Doc, indent: int, rest: Sequence[tuple[int, bool, Doc]]) -> bool:
        """Whether a group fits on the line, with what follows up to the next place for a break."""
        following = ((part, one_line) for _, one_line, d in reversed(rest) for part in _parts(d))
        room = WIDTH - (len(self._line) or self._margin)
        first, ended = True, self._behind is not None
        parts: Iterable[tuple[FormattedToken | str | Line | Above, bool | None]]
        parts = chain(((part, None) for part in _parts(doc)), following)
        width = self._width(doc)
        if not ended and width < math.inf:
            # What groups inside of one another have in common is measured once.
            room, first, parts = room - int(width), False, following
            if room < 0:
                return False
        for part, one_line in parts:
            if isinstance(part, FormattedToken):
                breaks = ended or bool(part.above)
                if breaks and first:
                    room = WIDTH - (indent if self._line else self._margin)
                    breaks = False
                first, ended = False, part.behind is not None
            elif isinstance(part, Line):
                breaks = part.flat is None if one_line is None else not one_line
            else:
                breaks = isinstance(part, Above)
            if breaks:
                return one_line is not None  # a line break inside a group is too many
            room -= len(_text(part))
            if room < 0:
                return False
        return True

    def _width(self, doc: Doc) -> float:
        """Return how long a document is on one line; infinite if it has line breaks or comments."""
        if isinstance(doc, FormattedToken):
            return math.inf if doc.above or doc.behind is not None else len(doc.text)
        if isinstance(doc, Line):
            return math.inf if doc.flat is None else len(doc.flat)
        if isinstance(doc, str):
            return len(doc)
        if isinstance(doc, Above):
            return math.inf
        width = self._widths.get(id(doc))
        if width is None:
            inside = (doc.doc,) if isinstance(doc, (Nest, Group)) else doc
            width = self._widths[id(doc)] = sum(map(self._width, inside))
        return width

    def _put(self, token: FormattedToken, indent: int) -> None:
        """Set a token, its comments above it on lines of their own."""
        begins = not self._line
        if begins:  # it may be the first of something nested, which begins no deeper for that
            indent = self._margin
        if self._behind is not None:
            self._break(indent)
        self._above(token.above, indent, begins)
        if token.above and token.blank and begins:
            self.lines.append("")
        self._line = (self._line or " " * self._margin) + token.text
        self._behind, self._opened = token.behind, token.opens

    def _above(self, comments: Sequence[Comment], indent: int, blanks: bool = True) -> None:
        if comments:
            self._break(indent)
        for comment in comments:
            if comment.blank and blanks:
                self._blank()
            self.lines.append(" " * indent + comment.text)
            self._opened = False

    def _break(self, indent: int, before: FormattedToken | None = None) -> None:
        """End the line, if anything stands on it, and leave the blank line before a token."""
        line = self._line.rstrip()
        if line and self._behind is not None:
            together = f"{line}  {self._behind}"
            if len(together) > WIDTH:
                # A comment too long for the rest of its line goes above the line.
                margin = len(line) - len(line.lstrip())
                self.lines.append(" " * margin + self._behind)
            else:
                line = together
        if line:
            self.lines.append(line)
        self._line, self._behind, self._margin = "", None, indent
        if before is not None and not before.above and before.blank:
            self._blank()

    def _blank(self) -> None:
        """Leave a blank line, unless there is one or a block has just begun."""
        if self.lines and self.lines[-1] and not self._opened:
            self.lines.append("")

    def finish(self, comments: Sequence[Comment]) -> str:
        """Return the text, the last comments below it."""
        self._break(0)
        self._above(comments, 0)
        return "\n".join([*self.lines, ""]) if self.lines else ""

"""The language's lexer for Pygments: `lace` in pages of Sphinx and MkDocs, in notebooks, in LaTeX.

It colours by the language's own tokens, so that it knows every word of the grammar and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pygments.lexer import Lexer
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

from lacelang.language.highlighting import colored

TOKENS: dict[str, Any] = {
    "statement": Keyword.Declaration,
    "clause": Keyword,
    "keyword": Keyword,
    "logic": Operator.Word,
    "comparison": Operator,
    "number": Number,
    "unit": Keyword.Type,
    "string": String.Double,
    "comment": Comment.Single,
    "defined": Name.Function,
    "call": Name.Function,
    "compared": Name.Attribute,
    "name": Name,
    "sign": Punctuation,
}
"""By kind of `colored`, the token of Pygments."""


class LaceLexer(Lexer):  # type: ignore[misc, unused-ignore]
    """Colours programs of lacelang."""

    name = "Lace"
    aliases: ClassVar[list[str]] = ["lace", "lacelang"]
    filenames: ClassVar[list[str]] = ["*.lace"]
    mimetypes: ClassVar[list[str]] = ["text/x-lace"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """Yield (offset, token, text) for all of a text."""
        end = 0
        for one in colored(text):
            yield from self._between(text, end, one.start)
            yield one.start, TOKENS[one.kind], text[one.start : one.end]
            end = one.end
        yield from self._between(text, end, len(text))

    def _between(self, text: str, start: int, end: int) -> Iterator[tuple[int, Any, str]]:
        """Yield what stands between tokens: white space, and what the language does not know."""
        while start < end:
            blank = text[start].isspace() or text[start] == "\ufeff"
            stop = start
            while stop < end and (text[stop].isspace() or text[stop] == "\ufeff") == blank:
                stop += 1
            yield start, Whitespace if blank else Error, text[start:stop]
            start = stop

"""Colours of what is typed, by the grammar's terminals."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples, split_lines
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from lacelang.repl.session import Session
from lacelang.syntax.grammar import CLAUSES, ITEMS, STATEMENTS, keywords
from lacelang.syntax.tokens import tokenize

STYLE = Style.from_dict(
    {
        "statement": "bold ansibrightblue",
        "clause": "ansibrightblue",
        "logic": "ansimagenta",
        "attribute": "ansicyan",
        "definition": "ansigreen",
        "number": "ansiyellow",
        "string": "ansiyellow",
        "comment": "ansibrightblack italic",
        "command": "bold",
        "prompt": "bold ansibrightblue",
    }
)
"""In the terminal's own palette, which suits a light background as well as a dark one."""

_STYLES = {
    **dict.fromkeys(STATEMENTS | ITEMS, "statement"),
    **dict.fromkeys(CLAUSES, "clause"),
    **dict.fromkeys(("NUMBER", "UNIT"), "number"),
    **{"STRING": "string", "COMMENT": "comment"},
}
"""By kind of token."""

COMMAND = ":"


class ProgramLexer(Lexer):
    """Colours programs by the tokenizer's kinds and the meaning of names in the session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return the function from a line's number to its text in styles."""
        lines = self.lines(document.text)
        return lambda number: lines[number] if number < len(lines) else []

    def lines(self, text: str) -> list[StyleAndTextTuples]:
        """Return every line of `text` in styles."""
        if text.startswith(COMMAND):
            return [[("class:command", line)] for line in text.split("\n")]
        taken = tokenize(text)
        styled: StyleAndTextTuples = []
        end = 0
        found = sorted([*taken.tokens, *taken.comments], key=lambda token: token.start_pos or 0)
        for token in found:
            begin, stop = token.start_pos or 0, token.end_pos or 0
            if begin >= end:
                styled.append(("", text[end:begin]))
                styled.append((self._style(token.type, str(token)), text[begin:stop]))
                end = stop
        styled.append(("", text[end:]))
        return list(split_lines(styled))

    def _style(self, kind: str, word: str) -> str:
        if kind in _STYLES:
            return f"class:{_STYLES[kind]}"
        if kind != "NAME":
            return "class:logic" if kind == word.upper() and word in keywords() else ""
        if word in self._session.known.definitions:
            return "class:definition"
        return "class:attribute" if word in self._session.attributes else ""

"""Colours for what is typed, from the grammar's own terminals."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples, split_lines
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from lacelang.repl.session import Session
from lacelang.syntax.grammar import CLAUSES, ITEMS, SHAPES, STATEMENTS, keywords
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
        "bottom-toolbar": "noreverse ansibrightblack",
    }
)
"""The terminal's own palette, so that it suits a light ground as well as a dark one."""

COMMAND = ":"


class ProgramLexer(Lexer):
    """Colours programs: the tokenizer's kinds, and what names stand for in the session."""

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
            if begin < end:
                continue
            styled.append(("", text[end:begin]))
            styled.append((self._style(token.type, str(token)), text[begin:stop]))
            end = stop
        styled.append(("", text[end:]))
        return list(split_lines(styled))

    def _style(self, kind: str, word: str) -> str:
        if kind == "COMMENT":
            return "class:comment"
        if kind in STATEMENTS or kind in ITEMS:
            return "class:statement"
        if kind in CLAUSES:
            return "class:clause"
        if kind in ("NUMBER", "UNIT", "STRING"):
            return "class:string" if kind == "STRING" else "class:number"
        if kind == "NAME":
            return self._name_style(word)
        if kind not in SHAPES and word in keywords():
            return "class:logic"
        return ""

    def _name_style(self, word: str) -> str:
        if word in self._session.known.definitions:
            return "class:definition"
        model = self._session.model
        if model is not None and any(word == attribute.name for attribute in model.attributes):
            return "class:attribute"
        return ""

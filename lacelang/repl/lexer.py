"""Colours of what is typed, by the grammar's terminals."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples, split_lines
from prompt_toolkit.lexers import Lexer

from lacelang.language.highlighting import colored
from lacelang.language.scope import Scope
from lacelang.repl.session import Session
from lacelang.repl.typed import COLON
from lacelang.text.names import nfc

_STYLES = {
    "statement": "statement",
    "clause": "clause",
    "logic": "logic",
    "keyword": "logic",
    **dict.fromkeys(("number", "unit"), "number"),
    **{"string": "string", "comment": "comment"},
}
"""By kind of `colored`."""

_NAMES = ("name", "call", "compared", "defined")


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
        if text.startswith(COLON):
            return [[("class:command", line)] for line in text.split("\n")]
        styled: StyleAndTextTuples = []
        end, scope = 0, self._session.scope
        for one in colored(text):
            styled.append(("", text[end : one.start]))
            word = text[one.start : one.end]
            styled.append((_style(one.kind, word, scope), word))
            end = one.end
        styled.append(("", text[end:]))
        return list(split_lines(styled))


def _style(kind: str, word: str, scope: Scope) -> str:
    if kind not in _NAMES:
        return f"class:{_STYLES[kind]}" if kind in _STYLES else ""
    name = nfc(word)
    if name in scope.definitions:
        return "class:definition"
    return "class:attribute" if name in scope.attributes else ""

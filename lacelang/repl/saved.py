"""The session as one program that reproduces it.

At the prompt a definition may be replaced, and what was made before keeps what it meant then. In
a file a name has one meaning. So a replaced definition is left out if nothing used it, and else
takes another name, with everything that used it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import evolve

from lacelang.errors import LaceError, ProgramError, Span, UsageError
from lacelang.repl.patches import Patch, offsets, patched
from lacelang.repl.session import Entry
from lacelang.repl.uses import words_used
from lacelang.semantics.check import check
from lacelang.syntax import nodes
from lacelang.syntax.format import format_source
from lacelang.syntax.tokens import tokenize
from lacelang.text.names import nfc

_HOLE = re.compile(r"\{\s*([^{}\s]*)\s*\}")


def program_text(entries: Sequence[Entry], path: Path, folder: Path | None = None) -> str:
    """Return the entries as the text of a program in `path`, laid out.

    Args:
        entries: of a session.
        path: imports of files count from its folder, and are written anew to suit it.
        folder: from which they counted in the session; the current one if not given.

    Raises:
        UsageError: there are no entries.
        LaceError: no one program means the same.
    """
    if not entries:
        raise UsageError("there is nothing to save yet")
    text = format_source(_Renaming(entries, path, folder or Path()).text())
    _verify(text, entries, path)
    return text


def _verify(text: str, entries: Sequence[Entry], path: Path) -> None:
    """Make sure that the program's statements are those of the session, to the last setting."""
    try:
        saved = check(text, path).statements
    except ProgramError as error:
        raise LaceError(f"this session cannot be written as one program: {error}") from error
    if saved != tuple(s for entry in entries for s in entry.piece.statements):
        raise LaceError("this session cannot be written as one program: its names would clash")


class _Renaming:
    """Gives every definition that was replaced, and is still used, a name of its own."""

    def __init__(self, entries: Sequence[Entry], path: Path, folder: Path) -> None:
        self.entries = entries
        self.path = path
        self.folder = folder
        self.taken = {
            str(t) for entry in entries for t in tokenize(entry.text).tokens if t.type == "NAME"
        }
        last = {name: i for i, entry in enumerate(entries) for name in entry.defined}
        self.names: dict[tuple[int, str], str] = {}
        self.needed: set[tuple[int, str]] = {(i, name) for name, i in last.items()}

    def text(self) -> str:
        for i in reversed(range(len(self.entries))):
            self._note_needs(i)
        return "\n".join(self._entry(i) for i in range(len(self.entries)))

    def _note_needs(self, i: int) -> None:
        """Add what the kept statements of entry i use; only what was said before can be."""
        noted: set[int] = set()
        grown = True
        while grown:
            grown = False
            for n, node in enumerate(self.entries[i].piece.tree.statements):
                if n not in noted and self._kept(i, node):
                    noted.add(n)
                    grown = True
                    self.needed |= {key for _, key in self._uses(i, node)}

    def _kept(self, i: int, node: nodes.Statement) -> bool:
        if isinstance(node, nodes.Let | nodes.Def):
            return (i, node.name.name) in self.needed
        return True

    def _uses(self, i: int, node: nodes.Node) -> Iterator[tuple[Span, tuple[int, str]]]:
        """Yield the places in entry i that name a definition, and which one it is."""
        for word in words_used(node):
            key = self._meant(i, word.name)
            if key is not None:
                yield word.span, key
        for text in _texts(node):
            for hole in _HOLE.finditer(text.value):
                key = self._meant(i, nfc(hole.group(1)))
                if key is not None:
                    start = text.span.column + 1
                    yield (
                        evolve(
                            text.span,
                            column=start + hole.start(1),
                            end_column=start + hole.end(1),
                        ),
                        key,
                    )

    def _meant(self, i: int, name: str) -> tuple[int, str] | None:
        for j in range(i, -1, -1):
            if name in self.entries[j].defined:
                return j, name
        return None

    def _name(self, key: tuple[int, str]) -> str:
        """Return what a definition is called: its own name, unless it was replaced."""
        i, name = key
        if all(name not in later.defined for later in self.entries[i + 1 :]):
            return name
        if key not in self.names:
            number = 1
            while f"{name}_{number}" in self.taken:
                number += 1
            self.names[key] = f"{name}_{number}"
            self.taken.add(self.names[key])
        return self.names[key]

    def _entry(self, i: int) -> str:
        text = self.entries[i].text
        patches: list[Patch] = []
        for node in self.entries[i].piece.tree.statements:
            if not self._kept(i, node):
                patches.append((*offsets(text, node.span), ""))
                continue
            if isinstance(node, nodes.Let | nodes.Def):
                key = (i, node.name.name)
                patches.append((*offsets(text, node.name.span), self._name(key)))
            elif isinstance(node, nodes.Import) and isinstance(node.target, nodes.Text):
                target = f'"{self._relative(node.target.value)}"'
                patches.append((*offsets(text, node.target.span), target))
            for span, key in self._uses(i, node):
                patches.append((*offsets(text, span), self._name(key)))
        return patched(text, patches)

    def _relative(self, target: str) -> str:
        if Path(target).is_absolute():
            return target
        return Path(os.path.relpath(self.folder / target, self.path.parent)).as_posix()


def _texts(node: nodes.Node) -> Iterator[nodes.Text]:
    """Yield the names in quotes that a statement gives to groups or finds them by."""
    match node:
        case nodes.For(body=body):
            for inner in body:
                yield from _texts(inner)
        case nodes.Sample() | nodes.Edit() | nodes.Measure():
            for clause in node.clauses:
                if isinstance(clause, nodes.AsClause) and isinstance(clause.name, nodes.Text):
                    yield clause.name
    if isinstance(node, nodes.Edit | nodes.Expect) and isinstance(node.group, nodes.Text):
        yield node.group

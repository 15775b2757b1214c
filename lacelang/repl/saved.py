"""The session as one program that reproduces it.

At the prompt a definition may be replaced, and older statements keep the older meaning. In a file a
name has one meaning. So a replaced definition is left out if nothing used it, and renamed with all
its uses if something did.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from lacelang.errors import LaceError, ProgramError, Span, UsageError
from lacelang.repl.session import Entry
from lacelang.semantics.check import check
from lacelang.syntax import nodes
from lacelang.syntax.format import format_source
from lacelang.syntax.rewriting import Patch, offsets, patched, words_in_quotes, words_used
from lacelang.syntax.tokens import tokenize

Key: TypeAlias = tuple[int, str]
"""A definition: the number of its entry, and its name there."""


def program_text(
    entries: Sequence[Entry], path: Path, folder: Path | None = None, root: Path | None = None
) -> str:
    """Return the entries as the formatted text of a program in `path`.

    Imports relative to `folder` (the current one) become relative to `path`; they lie below `root`,
    which is the folder if none is given. A LaceError says that no one program means the same.
    """
    if not entries:
        raise UsageError("there is nothing to save yet")
    text = format_source(_Renaming(entries, path, folder or Path()).text())
    try:
        saved = check(text, path, root=root or folder or Path()).statements
    except ProgramError as error:
        raise LaceError(f"this session cannot be written as one program: {error}") from error
    if saved != tuple(s for entry in entries for s in entry.piece.statements):
        raise LaceError("this session cannot be written as one program: its names would clash")
    return text


class _Renaming:
    """Renames the definitions that were replaced and are still used."""

    def __init__(self, entries: Sequence[Entry], path: Path, folder: Path) -> None:
        self.entries = entries
        self.path = path
        self.folder = folder
        self.taken = {
            str(t) for entry in entries for t in tokenize(entry.text).tokens if t.type == "NAME"
        }
        self.names: dict[Key, str] = {}
        last = {name: i for i, entry in enumerate(entries) for name in entry.defined}
        self.needed: set[Key] = {(i, name) for name, i in last.items()}

    def text(self) -> str:
        for i in reversed(range(len(self.entries))):
            self._note_needs(i)
        return "\n".join(map(self._entry, range(len(self.entries))))

    def _note_needs(self, i: int) -> None:
        """Add the definitions that the kept statements of entry i use, which are older."""
        before = -1
        while len(self.needed) > before:
            before = len(self.needed)
            for node in self.entries[i].piece.tree.statements:
                if self._is_kept(i, node):
                    self.needed |= {key for _, key in self._uses(i, node)}

    def _is_kept(self, i: int, node: nodes.Statement) -> bool:
        return not isinstance(node, nodes.Let | nodes.Def) or (i, node.name.name) in self.needed

    def _uses(self, i: int, node: nodes.Node) -> Iterator[tuple[Span, Key]]:
        """Yield the spans in entry i that name a definition, and the definition."""
        for word in chain(words_used(node), words_in_quotes(node)):
            for j in range(i, -1, -1):
                if word.name in self.entries[j].defined:
                    yield word.span, (j, word.name)
                    break

    def _name(self, key: Key) -> str:
        """Return the name of a definition in the program: its own, unless it was replaced."""
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
            if not self._is_kept(i, node):
                patches.append((*offsets(text, node.span), ""))
                continue
            changed = [(span, self._name(key)) for span, key in self._uses(i, node)]
            if isinstance(node, nodes.Let | nodes.Def):
                changed.append((node.name.span, self._name((i, node.name.name))))
            elif isinstance(node, nodes.Import) and isinstance(node.target, nodes.Text):
                changed.append((node.target.span, f'"{self._relative(node.target.value)}"'))
            patches += [(*offsets(text, span), new) for span, new in changed]
        return patched(text, patches)

    def _relative(self, target: str) -> str:
        if Path(target).is_absolute():
            return target
        return Path(os.path.relpath(self.folder / target, self.path.parent)).as_posix()

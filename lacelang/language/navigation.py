"""Where names are declared and used, across files, and how they are renamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from lacelang import ir
from lacelang.errors import Change, Span, UsageError
from lacelang.language.changes import applied
from lacelang.language.document import Document
from lacelang.language.names import Name, Target, name_at, names
from lacelang.language.positions import Position
from lacelang.resources import shipped
from lacelang.semantics.modules import library_files
from lacelang.syntax.grammar import quoted
from lacelang.system.filenames import resolved
from lacelang.text.names import nfc

RENAMED = ("definition", "parameter", "variable", "group")
"""What has a name that a program alone gives it, and no file of weights or labels."""


@frozen
class Place:
    """A stretch of a file; the document itself where `path` is None."""

    path: Path | None
    span: Span


@frozen
class FileChanges:
    """Changes to one file; to the document itself where `path` is None."""

    path: Path | None
    changes: tuple[Change, ...]


def definition(document: Document, position: Position) -> Place | None:
    """Return where the name at a position is declared; None if no text declares it."""
    name = name_at(document, position)
    if name is None or name.target.span is None:
        return None
    path = name.target.path
    return Place(document.path if path is None else Path(path), name.target.span)


def references(
    document: Document, position: Position, others: Iterable[Document] = ()
) -> tuple[Place, ...]:
    """Return where what the name at a position refers to is named, its declaration included.

    `others` are the documents in which names are looked for besides this one.
    """
    name = name_at(document, position)
    if name is None:
        return ()
    return tuple(
        Place(each.path, found.span)
        for each in _distinct((document, *others))
        for found in _named(each, name.target)
    )


def renamable(document: Document, position: Position) -> Name:
    """Return the name at a position.

    Raises:
        UsageError: there is none, or it has a name that something else gives it.
    """
    name = name_at(document, position)
    if name is None:
        raise UsageError("there is no name here")
    target = name.target
    if target.kind not in RENAMED:
        raise UsageError(f"`{target.name}` is no name that this program gives: it stays as it is")
    if target.path is not None and _is_shared(Path(target.path)):
        raise UsageError(f"`{target.name}` is defined by the standard library")
    if target.span is None:
        raise UsageError(f"no statement gives `{target.name}` its name")
    return name


def rename(
    document: Document, position: Position, new: str, others: Iterable[Document] = ()
) -> tuple[FileChanges, ...]:
    """Return the changes that give what stands at a position another name, everywhere.

    `others` are the documents that may name it besides this one.

    Raises:
        UsageError: it cannot be renamed, or not so: the program would mean something else.
    """
    name = renamable(document, position)
    new = nfc(new.strip())
    if name.target.kind != "group" and quoted(new) != new:
        raise UsageError(f"`{new}` cannot be a name: it needs letters, digits and `_`")
    written = quoted(new)
    documents = _distinct((document, *others))
    made: list[FileChanges] = []
    texts: dict[Path, str] = {}
    for each in documents:
        changes = tuple(Change(one.span, written) for one in _named(each, name.target))
        if changes:
            made.append(FileChanges(each.path, changes))
            if each.path is not None:
                texts[resolved(each.path)] = applied(each.text, changes)
    for each in documents:
        _require_the_same(each, made, texts, name.target, new)
    return tuple(made)


def _require_the_same(
    document: Document,
    made: Sequence[FileChanges],
    texts: dict[Path, str],
    target: Target,
    new: str,
) -> None:
    """Raise a UsageError if a document says something else after changes."""
    own = next((one.changes for one in made if one.path == document.path), ())
    if not own and not _imports(document, texts):
        return
    text = applied(document.text, own)
    opened = {**document.opened, **texts}
    after = Document(text, document.path, document.root, opened).examined
    before = document.examined
    kept = [code.code for code in before.errors] == [code.code for code in after.errors]
    expected = before.statements
    if target.kind == "group":
        expected = tuple(_renamed(one, target.name, new) for one in expected)
    if not kept or expected != after.statements:
        raise UsageError(f"`{new}` means something else already where `{target.name}` is used")


def _renamed(statement: ir.Statement, old: str, new: str) -> ir.Statement:
    own: dict[str, Any] = {
        field: new for field in ("name", "group") if getattr(statement, field, None) == old
    }
    return evolve(statement, **own) if own else statement


def _imports(document: Document, texts: dict[Path, str]) -> bool:
    return any(place in texts for place in document.examined.modules)


def _named(document: Document, target: Target) -> Iterator[Name]:
    return (found for found in names(document) if found.target == target)


def _distinct(documents: Iterable[Document]) -> list[Document]:
    """Return documents, those of one file once."""
    found: dict[object, Document] = {}
    for each in documents:
        found.setdefault(id(each) if each.path is None else resolved(each.path), each)
    return list(found.values())


def _is_shared(path: Path) -> bool:
    place = resolved(path)
    return place.is_relative_to(resolved(shipped("stdlib"))) or place in map(
        resolved, library_files().values()
    )

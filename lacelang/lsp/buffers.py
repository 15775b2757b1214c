"""The programs that an editor holds, and those of its folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from attrs import frozen
from pygls.uris import from_fs_path, to_fs_path

from lacelang.language.document import Document
from lacelang.system.filenames import resolved
from lacelang.system.sources import read_file

MOST_FILES = 500
"""Programs of a workspace in which names are looked for."""

_MOST_ENTRIES = 20_000
"""Files and folders of a workspace that are looked at, in search of programs."""

_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})


@frozen
class Buffer:
    """A text as it stands in an editor, with its version there."""

    uri: str
    text: str
    version: int | None


@frozen
class _Known:
    """A document of a buffer, and how many changes there were before it was made."""

    buffer: Buffer
    changes: int
    document: Document

    def holds(self, changes: int) -> bool:
        """Whether no other buffer has changed that it may import."""
        return self.changes == changes or not _imports_files(self.buffer.text)


class Buffers:
    """The buffers that are open, and the folders that the editor works in.

    Buffers come in one thread, and documents are made of them in another.
    """

    def __init__(self) -> None:
        self.folders: Sequence[Path] = ()
        self._open: dict[str, Buffer] = {}
        self._documents: dict[str, _Known] = {}
        self._from_disk: dict[Path, tuple[int, int, Document]] = {}
        self._changes = 0

    def put(self, buffer: Buffer) -> list[str]:
        """Keep a buffer; return the addresses of all whose diagnostics it may change."""
        self._open[buffer.uri] = buffer
        return list(dict.fromkeys([buffer.uri, *self.noted()]))

    def close(self, uri: str) -> list[str]:
        """Forget a buffer; return the addresses of those whose diagnostics that may change."""
        self._open.pop(uri, None)
        self._documents.pop(uri, None)
        return self.noted()

    def noted(self) -> list[str]:
        """Note that a file has changed; return the addresses of buffers that import files."""
        self._changes += 1
        return [uri for uri, buffer in self._open.items() if _imports_files(buffer.text)]

    def version(self, uri: str) -> int | None:
        """Return the version of a buffer; None if it is not open."""
        return self._open[uri].version if uri in self._open else None

    def document(self, uri: str) -> Document | None:
        """Return the document of a buffer; None if it is not open."""
        buffer, known, changes = self._open.get(uri), self._documents.get(uri), self._changes
        if buffer is None:
            return None
        if known is None or known.buffer is not buffer or not known.holds(changes):
            path = path_of(uri)
            document = Document(buffer.text, path, self._root(path), self._texts(uri))
            known = self._documents[uri] = _Known(buffer, changes, document)
        return known.document

    def others(self, document: Document) -> Iterator[Document]:
        """Yield the documents of the folders besides one, and those that it has imported."""
        own = None if document.path is None else resolved(document.path)
        for other in self.all(document.examined.modules):
            if other.path is None or resolved(other.path) != own:
                yield other

    def text(self, path: Path) -> str:
        """Return the text of a file, as it stands in the editor or else on disk."""
        place = resolved(path)
        texts = self._texts("")
        if place in texts:
            return texts[place]
        try:
            return read_file(place).decode("utf-8-sig")
        except (OSError, ValueError):
            return ""

    def all(self, besides: Iterable[Path] = ()) -> Iterator[Document]:
        """Yield the documents that are open, those of some files besides, and of the folders."""
        seen: set[Path] = set()
        for uri in list(self._open):
            document = self.document(uri)
            if document is not None and document.path is not None:
                seen.add(resolved(document.path))
                yield document
        for place in map(resolved, chain(besides, self._programs())):
            if place not in seen:
                seen.add(place)
                if (read := self._read(place)) is not None:
                    yield read

    def _texts(self, besides: str) -> Mapping[Path, str]:
        texts: dict[Path, str] = {}
        for uri, buffer in list(self._open.items()):
            path = path_of(uri)
            if uri != besides and path is not None:
                texts[resolved(path)] = buffer.text
        return texts

    def _root(self, path: Path | None) -> Path | None:
        """Return the folder below which imports lie: that of the workspace that holds the file."""
        if path is None:
            return self.folders[0] if self.folders else None
        place = resolved(path)
        holding = [f for f in map(resolved, self.folders) if place.is_relative_to(f)]
        return max(holding, key=lambda folder: len(folder.parts), default=None)

    def _programs(self) -> Iterator[Path]:
        """Yield the programs of the folders, within bounds; links are not followed."""
        left, entries = MOST_FILES, _MOST_ENTRIES
        for folder in self.folders:
            for parent, folders, files in os.walk(folder):
                folders[:] = [f for f in folders if f not in _SKIPPED and not f.startswith(".")]
                entries -= len(folders) + len(files)
                for name in sorted(files):
                    if name.endswith(".lace") and left > 0:
                        left -= 1
                        yield Path(parent, name)
                if left <= 0 or entries <= 0:
                    return

    def _read(self, place: Path) -> Document | None:
        try:
            if not place.is_file():
                return None
            changed, changes = place.stat().st_mtime_ns, self._changes
            known = self._from_disk.get(place)
            stale = known is not None and known[1] != changes and _imports_files(known[2].text)
            if known is None or known[0] != changed or stale:
                text = read_file(place).decode("utf-8-sig")
                document = Document(text, place, self._root(place), self._texts(""))
                known = self._from_disk[place] = (changed, changes, document)
            return known[2]
        except (OSError, ValueError):
            return None


_IMPORT = re.compile(r'\bimport\s*"')


def _imports_files(text: str) -> bool:
    """Whether a text may import files by their names, which buffers may stand for."""
    return _IMPORT.search(text) is not None


def path_of(uri: str) -> Path | None:
    """Return the file of an address; None if it is no file's."""
    if not uri.startswith("file:"):
        return None
    path = to_fs_path(uri)
    return Path(path) if path else None


def uri_of(path: Path) -> str:
    """Return the address of a file."""
    return from_fs_path(str(resolved(path))) or ""

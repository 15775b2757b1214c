"""The images that a run has written into a group's folder, by name and SHA-256.

The digest of an image is on the disk before the image is. So what has none of these digests is
damage, or was made or changed by somebody else. Neither is ever overwritten: an image that is whole
is in the way of a run, anything else is set aside as `NAME.damaged`.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
from attrs import frozen

from lacelang.errors import ResourceError
from lacelang.storage.files import disk_errors, read_regular, write_atomic
from lacelang.storage.lines import Lines
from lacelang.storage.png import is_whole
from lacelang.storage.provenance import carries

WRITTEN = "images.jsonl"
SHEET = "sheet.png"
FILMS = "edits"
PASTED = "pasted"
INNER = (FILMS, PASTED)
"""Folders of images within a group's."""
IMAGE = re.compile(r"\d{4,}\.png")

MOST_BYTES = 256 << 20
"""Of one image; no run writes a larger one."""

Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


@frozen
class Written:
    """One image that was written, or was about to be."""

    name: str  # from the group's folder on
    sha256: Digest
    provenance: bool = False  # it carries what it was made from


class Images:
    """The images of a group's folder. They are written from several threads, one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines = Lines(folder / WRITTEN, Written)
        self._last: dict[str, Written] = {}
        self._ever: set[str] = set()
        self._found: dict[str, str | None] = {}  # digests of files, as far as they were read
        self._lock = threading.Lock()

    def read(self) -> Images:
        """Take what earlier runs have written."""
        for written in self._lines.read():
            self._note(written)
        return self

    def move(self, folder: Path) -> None:
        """Note that the group's folder is now `folder`."""
        self.folder, self._lines.path = folder, folder / WRITTEN

    def write(self, name: str, data: bytes, provenance: bool = False) -> None:
        """Write an image, to the disk itself."""
        written = Written(name, hashlib.sha256(data).hexdigest(), provenance)
        with self._lock:
            if self._last.get(name) != written:
                self._lines.append([written])
                self._note(written)
            self._set_aside(self.folder / name)
            write_atomic(self.folder / name, data, flush=True)
            self._found[name] = written.sha256

    def digest(self, name: str) -> str:
        """SHA-256 of an image as it was last written; empty of one that never was."""
        written = self._last.get(name)
        return "" if written is None else written.sha256

    def holds(self, name: str, provenance: bool | None = None) -> bool:
        """Whether an image is there as it was last written, with or without its provenance."""
        written = self._last.get(name)
        fits = written is not None and provenance in (None, written.provenance)
        return fits and self._digest_of(name) == self.digest(name)

    def data(self, name: str) -> bytes:
        """Read an image that `holds`; another one by now is a ResourceError."""
        path = self.folder / name
        data = _read(path)
        if data is None or hashlib.sha256(data).hexdigest() != self.digest(name):
            raise ResourceError(
                f"{path} has changed or gone while it was in use", "run the command again"
            )
        return data

    def foreign(self) -> Iterator[Path]:
        """Whole images under names of a run's that somebody else has made or changed."""
        for path in named_images(self.folder):
            if not self.is_known(path) and is_whole(path):
                yield path

    def is_known(self, path: Path) -> bool:
        """Whether one of the `named_images` is none that could be somebody else's.

        Where the list of what was written is lost, its metadata tells.
        """
        name = path.relative_to(self.folder).as_posix()
        digest = self._digest_of(name)
        if digest in self._ever or not path.is_file():
            return True
        listed = self._lines.path.exists()
        if listed and self._lines.intact:
            return False
        return carries(path) if IMAGE.fullmatch(name) else listed

    def _set_aside(self, path: Path) -> None:
        """Keep what is there, unless a run has written it, as `NAME.damaged`."""
        self._found.pop(path.relative_to(self.folder).as_posix(), None)
        if self.is_known(path) or not path.stat().st_size:
            return
        aside = path.with_name(f"{path.name}.damaged")
        number = 2
        while os.path.lexists(aside):
            aside = path.with_name(f"{path.name}.damaged{number}")
            number += 1
        with disk_errors(path):
            path.rename(aside)

    def _note(self, written: Written) -> None:
        self._last[written.name] = written
        self._ever.add(written.sha256)

    def _digest_of(self, name: str) -> str | None:
        if name not in self._found:
            data = _read(self.folder / name)
            self._found[name] = None if data is None else hashlib.sha256(data).hexdigest()
        return self._found[name]


def named_images(folder: Path) -> Iterator[Path]:
    """Files that have the names of the images that a run writes for a group; none behind a link."""
    yield from files_of(folder, re.compile(f"{IMAGE.pattern}|{re.escape(SHEET)}"))
    if not folder.is_symlink():
        for inner in INNER:
            yield from files_of(folder / inner, IMAGE)


def files_of(folder: Path, names: re.Pattern[str]) -> Iterator[Path]:
    """Files in a folder that is no link, by their names."""
    if folder.is_dir() and not folder.is_symlink():
        yield from (path for path in sorted(folder.iterdir()) if names.fullmatch(path.name))


def _read(path: Path) -> bytes | None:
    return read_regular(path, MOST_BYTES)

"""A run's folder: groups of samples and an index of them. It only grows.

A program that runs into a folder keeps each group whose fingerprint is the same, and adds what is
missing. A group whose fingerprint differs is replaced if the same program made it, and only once
samples of the new one are on disk. Everything else stays as it is; a group of another program that
is in the way is a reason to refuse the run.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn, Self

from attrs import evolve

from lacelang.errors import WayOut, another_folder
from lacelang.storage.cache import holding
from lacelang.storage.files import disk_errors, folder_name, make_folder, sweep_parts
from lacelang.storage.group_folder import (
    GroupFolder,
    clear,
    hidden,
    own_files,
    recover,
    refuse_link,
    retire,
)
from lacelang.storage.images import WRITTEN, Images
from lacelang.storage.latents import Latents
from lacelang.storage.records import (
    NAME,
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    ProgramRecord,
    RunRecord,
    SampleRecord,
    read_index,
    write_index,
)
from lacelang.system.filenames import as_text, on_disk
from lacelang.text.names import ByName, nfc

TEXT = "-"
"""The origin of a program that is no file."""

#: The longest file that is taken for a lock.
_LOCK_BYTES = 128


class RunFolder:
    """The folder of one run, kept in step with its run.json. Safe to use from several threads.

    It is a context: within, no other process runs into the same folder.
    """

    def __init__(
        self,
        root: Path,
        run: RunRecord,
        chosen: Collection[str] | None = None,
        *,
        origin: str | None = TEXT,
        replace: bool = False,
        metadata: bool = True,
        begun_from: Collection[Path] = (),
    ) -> None:
        """Take `root`, which is made if it is not there, for `run`, whose groups hold no samples.

        Args:
            chosen: the groups to make, the others being left as they are; None means all.
            origin: the program; groups of the same origin may be replaced. None is no program's.
            replace: groups of other programs may be replaced, too.
            metadata: whether images carry their provenance; those that differ are made again.
            begun_from: files and folders that edits begin from; none of them is replaced.
        """
        self.root = root
        self._run = run
        # The program's groups, in their order.
        self._own = ByName((nfc(g.name), evolve(g, name=nfc(g.name))) for g in run.groups)
        self._chosen = [g for g in self._own.values() if chosen is None or g.name in chosen]
        self._origin = origin
        self._replace = replace
        self._metadata = metadata
        self._begun_from = {path.resolve() for path in begun_from}
        self._groups: ByName[GroupFolder] = ByName()
        self._images: dict[str, Images] = {}  # of the groups that are there, by name
        # Paths of groups that are going to be replaced, by name.
        self._old: dict[str, Path] = {}
        self.before = RunRecord(ProgramRecord("", ""), {})  # what earlier runs left
        self._known: ByName[GroupRecord] = ByName()
        self._lock = ExitStack()

    def __enter__(self) -> Self:
        make_folder(self.root)
        lock = self.root / ".lock"
        # Taking a lock empties its file, which must not be somebody's.
        if lock.is_symlink() or (lock.is_file() and lock.stat().st_size > _LOCK_BYTES):
            raise another_folder(f"{lock} is not the lock of a run")

        def refuse() -> NoReturn:
            raise another_folder(
                f"another lacelang is running into {self.root}",
                "wait for it, or choose another folder",
            )

        with disk_errors(self.root):
            self._lock.enter_context(holding(lock, refuse))
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def begin(self) -> tuple[str, ...]:
        """Read what is there, write run.json and return the groups that are going to be replaced.

        Raises:
            ResourceError: something is in the way; nothing has changed.
        """
        self.before = read_index(self.root) or self.before
        self._known = ByName((group.name, group) for group in self.before.groups)
        for new in self._chosen:
            if new.name in self._known:
                self._refuse(new, self._known[new.name])
        for group in self.before.groups:
            if recover(self._path(group.folder), group.fingerprint):
                self._images.pop(group.name, None)
        sweep_parts(self.root)
        taken = [NAME, WRITTEN, *(group.folder for group in self.before.groups)]
        for new in self._chosen:
            folder = self._take(new, self._known.get(new.name), taken)
            taken.append(folder.record.folder)
            self._groups[new.name] = folder
        self.save()
        return tuple(self._old)

    def _take(
        self, new: GroupRecord, old: GroupRecord | None, taken: Collection[str]
    ) -> GroupFolder:
        """Return the folder of a group with what is there of it."""
        folder = folder_name(new.name, taken) if old is None else old.folder
        path, origin, images = self._path(folder), self._origin, None
        if old is not None and old.fingerprint == new.fingerprint:
            origin, images = old.origin, self._images.get(new.name)
        else:
            if old is not None:
                self._old[new.name] = path
                path = hidden(path, "new")
                clear(path)
            for stranger in own_files(path):
                raise another_folder(
                    f"{stranger} is there already, and not from a run that {self.root} records"
                )
        made = GroupFolder(path, evolve(new, folder=folder, origin=origin), images)
        made.make()
        return made.load(new.count if old is None else old.count, self._metadata)

    def group(self, name: str) -> GroupFolder:
        """The folder of a group that is made."""
        return self._groups[name]

    def find(self, name: str) -> GroupFolder | None:
        """The folder of a group of the program that is made now, or was made by an earlier run.

        None if there is none, or if something has changed since.
        """
        if name in self._groups:
            return self._groups[name]
        new, old = self._own.get(name), self._known.get(name)
        if new is None or old is None or old.fingerprint != new.fingerprint:
            return None
        record = evolve(new, folder=old.folder)
        return GroupFolder(self._path(old.folder), record).load(old.count, self._metadata)

    def finished(self) -> int:
        """How many images there are, of all groups that are made."""
        return sum(len(group.finished) for group in self._groups.values())

    def is_complete(self, images: bool = True) -> bool:
        """Whether every group of the program has all its samples and, if asked, its images."""
        folders = map(self.find, self._own)
        return all(
            folder is not None
            and len(folder.samples) == folder.record.count
            and (not images or (len(folder.finished) == folder.record.count and folder.has_sheet))
            for folder in folders
        )

    def add(self, name: str, samples: Sequence[SampleRecord], latents: Latents) -> None:
        """Keep further samples of a group; the first ones replace an older group of its name."""
        group = self._groups[name]
        group.add(samples, latents)
        place = self._old.pop(group.record.name, None)
        if place is not None:
            group.take_place(place)
            self.save()
            retire(place)

    def keep(
        self, measures: Sequence[MeasureRecord], expectations: Sequence[ExpectationRecord]
    ) -> None:
        """Have the next `save` write these too, with those of other programs."""
        self._run = evolve(self._run, measures=tuple(measures), expectations=tuple(expectations))

    def save(self, complete: bool = False, timing: Mapping[str, Any] | None = None) -> RunRecord:
        """Write run.json as things stand, and return what it says."""
        measured = {measure.name for measure in self._run.measures}
        before = self.before
        run = evolve(
            self._run,
            groups=tuple(self._records()),
            measures=(*(m for m in before.measures if m.name not in measured), *self._run.measures),
            expectations=(
                *(e for e in before.expectations if e.group not in self._own),
                *self._run.expectations,
            ),
            complete=complete,
            timing=dict(timing or {}),
        )
        write_index(self.root, run)
        return run

    def _records(self) -> Iterator[GroupRecord]:
        """Every group of the index: the program's own in their order, then those of others."""
        for name in self._own:
            # A group that is replaced is listed until the first samples of the new one are on disk.
            if name in self._groups and name not in self._old:
                yield self._groups[name].record
            elif name in self._known:
                yield self._known[name]
        yield from (group for name, group in self._known.items() if name not in self._own)

    def _path(self, folder: str) -> Path:
        return self.root / on_disk(folder)

    def _refuse(self, new: GroupRecord, old: GroupRecord) -> None:
        """Refuse to replace a link, what others made or changed, and what an edit begins from."""
        folder, differs = self._path(old.folder), new.fingerprint != old.fingerprint
        refuse_link(folder)
        own = self._origin is not None and old.origin == self._origin
        if differs and not own and not self._replace:
            whose = "another program" if old.origin in (TEXT, None) else f"`{old.origin}`"
            message = f"{folder} holds a group `{old.name}` of {whose}"
            raise another_folder(message, "choose another folder", WayOut.REPLACE)
        images = self._images[new.name] = Images(folder).read()
        for foreign in images.foreign():
            raise another_folder(
                f"{foreign} is not as a run has written it",
                "rename it or move it away, or choose another folder",
            )
        if differs and any(folder.resolve() in (p, *p.parents) for p in self._begun_from):
            raise another_folder(
                f"an edit begins from {folder.resolve()}, which this run would replace",
                "choose another name for the group that is made, or another folder",
            )


def origin_of(program: Path | None, root: Path) -> str:
    """How run.json names a program: by the way to its file from the run's folder `root`."""
    if program is None:
        return TEXT
    try:
        path = Path(os.path.relpath(program.resolve(), root.resolve()))
    except ValueError:  # on another drive
        path = program.resolve()
    return as_text(path.as_posix())

"""A run's folder: groups of samples and an index of them. It only grows.

A program that runs into a folder keeps each group whose fingerprint is the same, and adds what is
missing. A group whose fingerprint differs is replaced if the same program made it, and only once
samples of the new one are on disk. Everything else stays as it is; a group of another program that
is in the way is a reason to refuse the run.

A group is replaced by renaming folders. A process that is killed in between leaves the old group
as `.NAME.old`; the next run takes it back, or removes it if the new one had been recorded.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from attrs import evolve
from filelock import FileLock, Timeout

from lacelang.errors import ANOTHER_FOLDER, ResourceError, WayOut
from lacelang.storage.files import disk_error, folder_name, make_folder, sweep_parts
from lacelang.storage.group_folder import (
    GroupFolder,
    own_files,
    own_images,
    refuse_link,
)
from lacelang.storage.index import read_index, write_index
from lacelang.storage.latents import Latents
from lacelang.storage.provenance import is_foreign
from lacelang.storage.records import (
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    RunRecord,
    SampleRecord,
)
from lacelang.storage.replacing import clear, hidden, retire
from lacelang.storage.shards import Shards
from lacelang.system.filenames import as_text, on_disk
from lacelang.text.names import nfc

TEXT = "-"
"""The origin of a program that is no file."""


#: The most that the file of a lock holds: the number of a process.
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
        """Take `root` for `run`.

        Args:
            root: made if it does not exist.
            run: the program and all its groups, which hold no samples yet.
            chosen: the groups to make, the others being left as they are; None means all.
            origin: the program; groups of the same origin may be replaced. None is no program's.
            replace: groups of other programs may be replaced, too.
            metadata: whether images carry their provenance; those that differ are made again.
            begun_from: files and folders that edits begin from; none of them is replaced.
        """
        self._begun_from = {path.resolve() for path in begun_from}
        self.root = root
        self._run = run
        self._origin = origin
        self._replace = replace
        self._metadata = metadata
        names = [group.name for group in run.groups]
        self._chosen = names if chosen is None else [name for name in names if name in chosen]
        self._groups: dict[str, GroupFolder] = {}
        self._before: RunRecord | None = None
        # Of a group that is to be replaced, where it is until then.
        self._old: dict[str, Path] = {}
        self._held: FileLock | None = None

    def __enter__(self) -> Self:
        make_folder(self.root)
        lock = self.root / ".lock"
        # Whoever takes a lock empties its file; what others left in theirs is a few bytes at most.
        if lock.is_symlink() or (lock.is_file() and lock.stat().st_size > _LOCK_BYTES):
            raise ResourceError(
                f"{lock} is not the lock of a run",
                "move it away, or choose another folder",
                ANOTHER_FOLDER,
            )
        held = FileLock(lock)
        try:
            held.acquire(timeout=0)
        except Timeout:
            raise ResourceError(
                f"another lacelang is running into {self.root}",
                "wait for it, or choose another folder",
                ANOTHER_FOLDER,
            ) from None
        except OSError as error:
            raise disk_error(error, self.root) from error
        self._held = held
        return self

    def __exit__(self, *_: object) -> None:
        # The file stays: removed, it could be locked by one process and made anew by another.
        if self._held is not None:
            self._held.release()

    def begin(self) -> tuple[str, ...]:
        """See what is there already, and write run.json.

        Returns:
            Names of the groups that are going to be replaced.

        Raises:
            ResourceError: the folder cannot be written, or something else is in the way. Then
                nothing has changed.
        """
        self._before = read_index(self.root)
        known = {nfc(group.name): group for group in self._groups_before()}
        wanted = {group.name: group for group in self._run.groups if group.name in self._chosen}
        pairs = [(group, known.get(nfc(name))) for name, group in wanted.items()]
        for new, old in pairs:
            if old is not None:
                refuse_link(self.root / on_disk(old.folder))
                self._refuse_clash(new, old)
                self._refuse_changed(old)
                self._refuse_to_replace_sources(new, old)
        self._recover()
        sweep_parts(self.root)
        taken = [group.folder for group in known.values()]
        for new, old in pairs:
            if old is not None and old.fingerprint == new.fingerprint:
                record = evolve(
                    new,
                    folder=old.folder,
                    origin=old.origin,
                    without_provenance=old.without_provenance or not self._metadata,
                )
                path = self.root / on_disk(old.folder)
                GroupFolder(path, record).make()
                self._groups[new.name] = GroupFolder.open(path, record, old.count, self._metadata)
                continue
            if old is not None:
                folder = old.folder
                path = self.root / on_disk(f".{folder}.new")
                self._old[new.name] = self.root / on_disk(folder)
                clear(path)
            else:
                folder = folder_name(new.name, taken)
                path = self.root / on_disk(folder)
                self._refuse_strangers(path)
            taken.append(folder)
            record = evolve(
                new,
                folder=folder,
                origin=self._origin,
                without_provenance=not self._metadata,
            )
            self._groups[new.name] = GroupFolder(path, record)
            self._groups[new.name].make()
        self.save()
        return tuple(self._old)

    def group(self, name: str) -> GroupFolder:
        """The folder of a group that is made."""
        return self._groups[name]

    def find(self, name: str) -> GroupRecord | None:
        """A group of the program with its samples; None if there are none yet.

        One that is not made now is what an earlier run left, if nothing of it has changed since.
        """
        if name in self._groups:
            return self._groups[name].group
        found = next((group for group in self._run.groups if group.name == name), None)
        earlier = self._earlier(found) if found is not None else None
        return None if earlier is None else earlier.group

    def latents(self, name: str) -> Shards:
        """Latents of the group's samples so far."""
        return self._groups[name].latents

    def finished(self) -> int:
        """How many images there are, of all groups that are made."""
        return sum(len(group.finished) for group in self._groups.values())

    def is_complete(self, images: bool = True) -> bool:
        """Whether every group of the program has all its samples and, if asked, its images."""
        for group in self._run.groups:
            made = self._groups.get(group.name) or self._earlier(group)
            if made is None or not made.is_sampled:
                return False
            if images and not (len(made.finished) == group.count and made.has_sheet):
                return False
        return True

    def _earlier(self, group: GroupRecord) -> GroupFolder | None:
        """What an earlier run left of a group that is not made now."""
        for old in self._groups_before():
            if nfc(old.name) == nfc(group.name) and old.fingerprint == group.fingerprint:
                record = evolve(group, folder=old.folder)
                path = self.root / on_disk(old.folder)
                return GroupFolder.open(path, record, old.count, self._metadata)
        return None

    def add(self, name: str, samples: Sequence[SampleRecord], latents: Latents) -> None:
        """Keep further samples of a group; the first ones replace an older group of its name.

        Raises:
            ResourceError: the disk is full, or the folder cannot be written.
        """
        group = self._groups[name]
        group.add(samples, latents)
        place = self._old.pop(name, None)
        if place is None:
            return
        old = hidden(place, "old")
        try:
            clear(old)
            if place.exists():
                place.rename(old)
        except OSError as error:
            raise disk_error(error, place) from error
        group.move(place)
        self.save()
        retire(old, place)

    def measured(self, fingerprint: str) -> MeasureRecord | None:
        """What an earlier run measured under this fingerprint."""
        before = self._before.measures if self._before is not None else ()
        return next((m for m in before if m.fingerprint == fingerprint), None)

    def keep(
        self, measures: Sequence[MeasureRecord], expectations: Sequence[ExpectationRecord]
    ) -> None:
        """Let run.json have these at the next `save`, beside those of other programs."""
        self._run = evolve(self._run, measures=tuple(measures), expectations=tuple(expectations))

    def save(self, complete: bool = False, timing: Mapping[str, Any] | None = None) -> RunRecord:
        """Write run.json as things stand, and return what it says."""
        before = self._before
        own = {group.name for group in self._run.groups}
        measures, expectations = self._run.measures, self._run.expectations
        if before is not None:
            names = {measure.name for measure in measures}
            measures = (*(m for m in before.measures if m.name not in names), *measures)
            others = (e for e in before.expectations if e.group not in own)
            expectations = (*others, *expectations)
        run = evolve(
            self._run,
            groups=tuple(self._records()),
            measures=measures,
            expectations=expectations,
            complete=complete,
            timing=dict(timing or {}),
        )
        write_index(self.root, run)
        return run

    def _records(self) -> Iterable[GroupRecord]:
        """Every group of the index: the program's own in their order, then those of others."""
        before = {nfc(group.name): group for group in self._groups_before()}
        for group in self._run.groups:
            made = self._groups.get(group.name)
            earlier = before.pop(nfc(group.name), None)
            # Until its first samples are on disk, the group that is to be replaced is the group.
            if made is not None and group.name not in self._old:
                yield made.record
            elif earlier is not None:
                yield earlier
        yield from before.values()

    def _groups_before(self) -> tuple[GroupRecord, ...]:
        return self._before.groups if self._before is not None else ()

    def _refuse_clash(self, new: GroupRecord, old: GroupRecord) -> None:
        own = self._origin is not None and old.origin == self._origin
        if own or self._replace or new.fingerprint == old.fingerprint:
            return
        whose = "another program" if old.origin in (TEXT, None) else f"`{old.origin}`"
        raise ResourceError(
            f"{self.root / on_disk(old.folder)} holds a group `{old.name}` of {whose}",
            "choose another folder",
            {**ANOTHER_FOLDER, WayOut.REPLACE: ""},
        )

    def _refuse_changed(self, old: GroupRecord) -> None:
        """Raise a ResourceError if a person put or changed an image where the run's own belong."""
        images = own_images(self.root / on_disk(old.folder)) if not old.without_provenance else ()
        foreign = next(filter(is_foreign, images), None)
        if foreign is not None:
            raise ResourceError(
                f"{foreign} is not as a run has written it",
                "rename it or move it away, or choose another folder",
                ANOTHER_FOLDER,
            )

    def _refuse_to_replace_sources(self, new: GroupRecord, old: GroupRecord) -> None:
        folder = (self.root / on_disk(old.folder)).resolve()
        begun = any(folder in (path, *path.parents) for path in self._begun_from)
        if begun and new.fingerprint != old.fingerprint:
            raise ResourceError(
                f"an edit begins from {folder}, which this run would replace",
                "choose another name for the group that is made, or another folder",
                ANOTHER_FOLDER,
            )

    def _refuse_strangers(self, folder: Path) -> None:
        stranger = next(own_files(folder), None)
        if stranger is not None:
            raise ResourceError(
                f"{stranger} is there already, and not from a run that {self.root} records",
                "move it away, or choose another folder",
                ANOTHER_FOLDER,
            )

    def _recover(self) -> None:
        """Bring to an end what a killed run began to replace."""
        for group in self._groups_before():
            place = self.root / on_disk(group.folder)
            old = hidden(place, "old")
            if not old.is_dir() or old.is_symlink():
                continue
            if len(Shards.open(place, group.fingerprint)):
                retire(old, place)
            elif len(Shards.open(old, group.fingerprint)):
                with contextlib.suppress(OSError):
                    new = hidden(place, "new")
                    clear(new)
                    if place.exists():
                        place.rename(new)
                    old.rename(place)


def read_run(root: Path) -> RunRecord | None:
    """Return what the folder of a run holds, with the samples of each group; None if it is none.

    Raises:
        ResourceError: it cannot be read, is damaged, or is of another version.
    """
    run = read_index(root)
    if run is None:
        return None
    folders = [
        GroupFolder.open(root / on_disk(group.folder), group, group.count, metadata=True)
        for group in run.groups
    ]
    return evolve(run, groups=tuple(folder.group for folder in folders))


def origin_of(program: Path | None, root: Path) -> str:
    """How run.json names a program: by the way to its file from the run's folder `root`."""
    if program is None:
        return TEXT
    try:
        path = Path(os.path.relpath(program.resolve(), root.resolve()))
    except ValueError:  # on another drive
        path = program.resolve()
    return as_text(path.as_posix())

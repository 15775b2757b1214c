"""A run's folder: what is kept of an earlier run, what is replaced, what is still to do.

A folder holds one program's run. When a program runs into it again, each group whose fingerprint
is the same keeps its samples and its whole images; any other group that run.json names is removed
first, so that images of two programs never lie side by side. Only files of the names that this
module writes are ever removed, and only in folders that run.json names; where such files lie in a
folder that it does not name, the run is refused.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from attrs import evolve
from filelock import FileLock, Timeout

from lacelang.errors import ResourceError
from lacelang.output.files import disk_error, folder_name, make_folder, sweep_parts
from lacelang.output.latents import Latents, read_latents, write_latents
from lacelang.output.png import is_whole
from lacelang.output.provenance import is_finished
from lacelang.output.records import (
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    RunRecord,
    SampleRecord,
    Seen,
)
from lacelang.output.runfile import FILMS, LATENTS, SHEET, read_run, write_run

_FACE = re.compile(r"\d{4,}\.png")


class RunFolder:
    """The folder of one run, kept in step with its run.json. Safe to use from several threads.

    It is a context: within, no other process runs into the same folder.
    """

    def __init__(
        self,
        root: Path,
        run: RunRecord,
        chosen: Collection[str] | None = None,
        metadata: bool = True,
    ) -> None:
        """Take `root` for `run`.

        Args:
            root: made if it does not exist.
            run: the program and all its groups, which hold no samples yet.
            chosen: the groups to make, the others being left as they are; None means all.
            metadata: whether images carry their provenance; those that differ are made again.
        """
        self.root = root
        self._run = run
        self._metadata = metadata
        names = [group.name for group in run.groups]
        self._chosen = names if chosen is None else [name for name in names if name in chosen]
        self._groups: dict[str, GroupRecord] = {}
        self._latents: dict[str, Latents] = {}
        self._earlier: dict[str, MeasureRecord] = {}
        self._lock = threading.Lock()
        self._held: FileLock | None = None

    def __enter__(self) -> Self:
        make_folder(self.root)
        held = FileLock(self.root / ".lock")
        try:
            held.acquire(timeout=0)
        except Timeout:
            raise ResourceError(
                f"another lacelang is running into {self.root}",
                "wait for it, or choose another folder with --out",
            ) from None
        except OSError as error:
            raise disk_error(error, self.root) from error
        self._held = held
        return self

    def __exit__(self, *_: object) -> None:
        if self._held is not None:
            self._held.release()
            with contextlib.suppress(OSError):
                (self.root / ".lock").unlink(missing_ok=True)

    def begin(self) -> tuple[str, ...]:
        """Keep what an earlier run left, remove what is another's, and write run.json.

        Returns:
            Names of the groups that were removed.

        Raises:
            ResourceError: the folder cannot be written, or holds files of somebody else.
        """
        sweep_parts(self.root)
        earlier = read_run(self.root)
        known = {group.name: group for group in earlier.groups} if earlier else {}
        if earlier is not None:
            self._earlier = {measure.fingerprint: measure for measure in earlier.measures}
        wanted = {group.name: group for group in self._run.groups}
        same = {
            name: old
            for name, old in known.items()
            if name in wanted and wanted[name].fingerprint == old.fingerprint
        }
        fresh = self._fresh(wanted, same, {old.folder for old in known.values()})
        removed = tuple(name for name in known if name not in same)
        for name in removed:
            self._remove(known[name].folder)
        for name, group in wanted.items():
            if name in fresh:
                self._groups[name] = fresh[name]
                make_folder(self.root / fresh[name].folder)
                if group.steps:
                    make_folder(self.root / fresh[name].folder / FILMS)
            elif name in self._chosen:
                self._adopt(evolve(group, folder=same[name].folder), same[name])
            elif name in same:
                self._groups[name] = same[name]
        self.save()
        return removed

    def group(self, name: str) -> GroupRecord:
        """The group as it stands now."""
        return self._groups[name]

    def find(self, name: str) -> GroupRecord | None:
        """The same; None if the folder holds nothing of it."""
        return self._groups.get(name)

    def latents(self, name: str) -> Latents | None:
        """Latents of the group's samples so far; None if there are none."""
        return self._latents.get(name)

    def path(self, name: str, index: int) -> Path:
        """Where the image of sample `index` goes."""
        return self.root / self._groups[name].folder / f"{index:04d}.png"

    def film(self, name: str, index: int) -> Path:
        """Where the film strip of sample `index` goes, if the group is edited."""
        return self.root / self._groups[name].folder / FILMS / f"{index:04d}.png"

    def sheet(self, name: str) -> Path:
        """Where the group's contact sheet goes."""
        return self.root / self._groups[name].folder / SHEET

    def unwritten(self, name: str) -> list[SampleRecord]:
        """Samples whose image is still to be decoded."""
        with self._lock:
            return [sample for sample in self._groups[name].samples if sample.file is None]

    def finished(self) -> int:
        """How many images there are, of all groups."""
        with self._lock:
            groups = self._groups.values()
            return sum(s.file is not None for group in groups for s in group.samples)

    def is_complete(self) -> bool:
        """Whether every group of the program has all its images and its sheet."""
        with self._lock:
            return len(self._groups) == len(self._run.groups) and all(
                len(group.samples) == group.count
                and all(sample.file is not None for sample in group.samples)
                and (self.root / group.folder / SHEET).exists()
                for group in self._groups.values()
            )

    def add(self, name: str, samples: Sequence[SampleRecord], latents: Latents) -> None:
        """Keep further samples of a group: their latents on disk first, then run.json."""
        before = self._latents.get(name)
        merged = latents if before is None else Latents.joined([before, latents])
        write_latents(self.root / self._groups[name].folder / LATENTS, merged)
        with self._lock:
            group = self._groups[name]
            self._latents[name] = merged
            self._groups[name] = evolve(group, samples=(*group.samples, *samples))
        self.save()

    def written(self, name: str, index: int) -> None:
        """Note that the image of sample `index` is on disk; run.json learns it at `save`."""
        with self._lock:
            group = self._groups[name]
            samples = list(group.samples)
            samples[index] = evolve(samples[index], file=f"{group.folder}/{index:04d}.png")
            self._groups[name] = evolve(group, samples=tuple(samples))

    def saw(self, name: str, index: int, seen: Seen) -> None:
        """Note what annotators saw in the image of sample `index`; run.json learns it at `save`."""
        with self._lock:
            group = self._groups[name]
            samples = list(group.samples)
            samples[index] = evolve(samples[index], seen=seen)
            self._groups[name] = evolve(group, samples=tuple(samples))

    def measured(self, fingerprint: str) -> MeasureRecord | None:
        """What an earlier run measured under this fingerprint."""
        return self._earlier.get(fingerprint)

    def keep(
        self, measures: Sequence[MeasureRecord], expectations: Sequence[ExpectationRecord]
    ) -> None:
        """Let run.json have these at the next `save`."""
        with self._lock:
            self._run = evolve(
                self._run, measures=tuple(measures), expectations=tuple(expectations)
            )

    def save(self, complete: bool = False, timing: Mapping[str, Any] | None = None) -> RunRecord:
        """Write run.json as things stand, and return what it says."""
        with self._lock:
            run = evolve(
                self._run,
                groups=tuple(self._groups.values()),
                complete=complete,
                timing=dict(timing or {}),
            )
            write_run(self.root, run)
        return run

    def _fresh(
        self,
        wanted: Mapping[str, GroupRecord],
        same: Mapping[str, GroupRecord],
        vouched: Collection[str],
    ) -> dict[str, GroupRecord]:
        """Give a folder to each chosen group that nothing is kept of, refusing a stranger's."""
        taken = [old.folder for old in same.values()]
        fresh: dict[str, GroupRecord] = {}
        for name in self._chosen:
            if name in same:
                continue
            folder = folder_name(name, taken)
            if folder not in vouched:
                self._refuse_strangers(self.root / folder)
            taken.append(folder)
            fresh[name] = evolve(wanted[name], folder=folder)
        return fresh

    def _adopt(self, group: GroupRecord, old: GroupRecord) -> None:
        """Take over the samples of the same group of an earlier run, and its whole images."""
        folder = self.root / group.folder
        make_folder(folder / FILMS if group.steps else folder)
        sweep_parts(folder)
        sweep_parts(folder / FILMS)
        latents = read_latents(folder / LATENTS)
        # Latents are written first: run.json may know of fewer, never of more that are good.
        count = min(group.count, len(old.samples), 0 if latents is None else len(latents))
        samples = []
        for sample in old.samples[:count]:
            name = f"{sample.index:04d}.png"
            whole = is_finished(folder / name, group, sample.index, self._metadata) and (
                not group.steps or is_whole(folder / FILMS / name)
            )
            samples.append(evolve(sample, file=f"{group.folder}/{name}" if whole else None))
        finished = {Path(sample.file).name for sample in samples if sample.file is not None}
        for path in (*_faces(folder), *_faces(folder / FILMS)):
            if path.name not in finished:
                path.unlink(missing_ok=True)
        if len(finished) < group.count or len(old.samples) != group.count:
            (folder / SHEET).unlink(missing_ok=True)
        if latents is not None and count > 0:
            self._latents[group.name] = latents.first(count)
        self._groups[group.name] = evolve(group, samples=tuple(samples))

    def _remove(self, name: str) -> None:
        folder = self.root / name
        try:
            for path in (*_faces(folder), *_faces(folder / FILMS)):
                path.unlink()
            for other in (SHEET, LATENTS):
                (folder / other).unlink(missing_ok=True)
            for each in (folder / FILMS, folder):
                sweep_parts(each)
        except OSError as error:
            raise disk_error(error, folder) from error
        for emptied in (folder / FILMS, folder):
            with contextlib.suppress(OSError):
                emptied.rmdir()

    def _refuse_strangers(self, folder: Path) -> None:
        stranger = next((path for f in (folder, folder / FILMS) for path in _faces(f)), None)
        for name in (SHEET, LATENTS):
            if stranger is None and (folder / name).exists():
                stranger = folder / name
        if stranger is not None:
            raise ResourceError(
                f"{stranger} is there already, and not from a run that {self.root} records",
                "move it away, or choose another folder with --out",
            )


def _faces(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if _FACE.fullmatch(path.name))

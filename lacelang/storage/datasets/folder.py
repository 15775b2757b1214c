"""A data set that is being made: shards of its groups, one sample after another.

Groups that are there as they are asked for go on where they end. A last shard that is not full is
read back and written anew, longer.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import groupby
from pathlib import Path

from attrs import evolve

from lacelang.errors import LaceError, WayOut, another_folder
from lacelang.storage.datasets.index import (
    GroupIndex,
    Index,
    Layout,
    Shard,
    Tally,
    read_index,
    read_shard,
    shard_name,
    write_index,
    write_shard,
)
from lacelang.storage.datasets.place import Place
from lacelang.storage.datasets.samples import WRITERS, Item, Writer, file_of, items_of
from lacelang.storage.files import disk_errors, folder_name
from lacelang.storage.latents import Latents
from lacelang.storage.records import GroupRecord, SampleRecord
from lacelang.text.names import ByName


class DatasetGroup:
    """The shards of one group, and the one that is being written."""

    def __init__(
        self,
        place: Place,
        record: GroupRecord,
        layout: Layout,
        noted: Callable[[GroupRecord, Shard], object] = lambda record, shard: None,
    ) -> None:
        """Take the group at a place; `noted` is told of each shard that is written."""
        self.place = place
        self._noted = noted
        self.record = record
        self.layout = layout
        self.shards: list[Shard] = []
        self._open = ExitStack()
        self._writer: Writer | None = None
        self._samples: list[SampleRecord] = []  # of the shard that is being written
        self._kept: tuple[int, list[Item]] | None = None  # the shard that was read last

    def load(self) -> None:
        """Take the shards that are there, up to the first one that is not whole."""
        folder = self.record.folder
        sizes = self.place.sizes(folder)
        first = 0
        while f"{shard_name(first)}.json" in sizes:
            shard = read_shard(self.place, folder, first)
            if (
                shard is None
                or shard.fingerprint != self.record.fingerprint
                or shard.layout != self.layout
                or not shard.tally.count
                or any(sizes.get(each.name) != each.size for each in shard.files)
            ):
                break
            self.shards.append(shard)
            first += shard.tally.count
            if shard.tally.count < self.layout.shard_size:
                break

    def __len__(self) -> int:
        """How many samples there are, those of the open shard included."""
        return self._written + len(self._samples)

    @property
    def _written(self) -> int:
        last = self.shards[-1] if self.shards else None
        return 0 if last is None else last.first + last.tally.count

    def check_last(self) -> None:
        """Drop a last shard that is not full if its bytes have changed: it is going to be read."""
        last = self._partial
        if last is not None and any(True for _ in damaged_files(self, last)):
            self.shards.pop()

    @property
    def _partial(self) -> Shard | None:
        last = self.shards[-1] if self.shards else None
        return None if last is None or last.tally.count == self.layout.shard_size else last

    def _go_on(self, last: Shard) -> None:
        """Take the samples of a last shard that is not full into the one that is written now."""
        self.shards.pop()
        for item in items_of(self.place, self.record, last):
            self.add(item)

    def add(self, item: Item) -> None:
        """Take the next sample."""
        if self._writer is None and self._partial is not None:
            self._go_on(self._partial)
        if self._writer is None:
            folder = self._open.enter_context(self.place.adding(self.record.folder))
            name = shard_name(self._written)
            self._writer = WRITERS[self.layout.format](folder, name, self.record, self.layout)
        with disk_errors(Path(self.place.name)):
            self._writer.add(item)
        self._samples.append(item.sample)
        if len(self._samples) == self.layout.shard_size:
            self.flush()

    def flush(self) -> None:
        """Let what was added so far count."""
        if self._writer is None:
            return
        folder, name = self.record.folder, self._writer.name
        with disk_errors(Path(self.place.name)):
            paths = self._writer.close()
            files = tuple(map(file_of, paths))
        shard = Shard(
            self.record.fingerprint,
            self.layout,
            self._written,
            files,
            Tally.of(self._samples, self.record.atoms),
        )
        # What is said of an earlier shard of the name is not true of these files.
        self.place.remove(f"{folder}/{name}.json")
        for path in paths:
            self.place.take(path, f"{folder}/{path.name}")
        write_shard(self.place, folder, shard)
        self.shards.append(shard)
        self.drop()
        self._noted(self.record, shard)

    def drop(self) -> None:
        """Forget what was added since the last shard."""
        self._open.close()
        self._writer, self._samples = None, []

    def clear(self) -> None:
        """Remove every file of the group that a run has written."""
        folder = self.record.folder
        for name in self.place.sizes(folder):
            first, _, kind = name.partition(".")
            if len(first) == 9 and first.isdecimal() and kind in ("json", "tar", "parquet"):
                self.place.remove(f"{folder}/{name}")

    def items(self, chosen: Sequence[int]) -> list[Item]:
        """Some samples that are in whole shards, in their order, without their images."""
        firsts = [shard.first for shard in self.shards]
        found: list[Item] = []
        for at, some in groupby(chosen, lambda index: bisect_right(firsts, index) - 1):
            if self._kept is None or self._kept[0] != at:
                shard = self.shards[at]
                read = items_of(self.place, self.record, shard, images=False)
                self._kept = at, [evolve(item, image=None) for item in read]
            found += [self._kept[1][index - firsts[at]] for index in some]
        return found

    def rows(self, chosen: slice | Sequence[int]) -> Latents:
        """The latents of some of those samples."""
        indices = range(self._written)[chosen] if isinstance(chosen, slice) else chosen
        return Latents.joined([item.latents for item in self.items(indices)])

    @property
    def index(self) -> GroupIndex:
        """What is there."""
        return GroupIndex.of(self.record, self.shards)


class Dataset:
    """A data set at a place, kept in step with its index."""

    def __init__(
        self,
        place: Place,
        index: Index,
        replace: bool = False,
        noted: Callable[[GroupRecord, Shard], object] = lambda record, shard: None,
    ) -> None:
        """Take a place for `index`, whose groups are those of the program, without shards."""
        self._noted = noted
        self.place = place
        self.before: Index | None = None
        self.groups: ByName[DatasetGroup] = ByName()
        self._index = index
        self._replace = replace

    def begin(self, chosen: Sequence[str]) -> None:
        """Read what is there of the `chosen` groups; a ResourceError if others' are in the way."""
        self.before = read_index(self.place)
        known = {} if self.before is None else {g.group.name: g.group for g in self.before.groups}
        layout, taken = self._index.layout, [each.folder for each in known.values()]
        for entry in self._index.groups:
            record = entry.group
            if record.name not in chosen:
                continue
            old = known.get(record.name)
            folder = folder_name(record.name, taken) if old is None else old.folder
            taken.append(folder)
            own = evolve(record, folder=folder)
            group = DatasetGroup(self.place, own, layout, self._noted)
            same = old is not None and old.fingerprint == record.fingerprint
            same = same and self.before is not None and self.before.layout == layout
            if not same and self.place.sizes(folder):
                if not self._replace:
                    raise another_folder(
                        f"{self.place.name}/{folder} holds samples that were made in another way",
                        "choose another folder",
                        WayOut.REPLACE,
                    )
                group.clear()
            group.load()
            group.check_last()
            self.groups[record.name] = group
        self.save()

    def save(self, complete: bool = False, seconds: float = 0.0) -> Index:
        """Write the index as things stand, and return it."""
        own = {name: group.index for name, group in self.groups.items()}
        before = () if self.before is None else self.before.groups
        others = [each for each in before if each.group.name not in own]
        order = {entry.group.name: place for place, entry in enumerate(self._index.groups)}
        groups = sorted((*own.values(), *others), key=lambda g: order.get(g.group.name, len(order)))
        index = evolve(self._index, groups=tuple(groups), complete=complete, seconds=seconds)
        write_index(self.place, index)
        return index

    def keep(self, index: Index) -> None:
        """Have the next `save` write what else an index says."""
        self._index = index


def damaged(group: DatasetGroup) -> Iterator[str]:
    """Yield the files of a group's shards whose SHA-256 is not what it was."""
    for shard in group.shards:
        yield from damaged_files(group, shard)


def damaged_files(group: DatasetGroup, shard: Shard) -> Iterator[str]:
    """Yield those of one shard."""
    for each in shard.files:
        digest = hashlib.sha256()
        with (
            suppress(OSError, LaceError),
            group.place.opened(f"{group.record.folder}/{each.name}") as file,
        ):
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != each.sha256:
            yield each.name

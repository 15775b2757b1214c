"""A sample of a data set made again, alone, and compared with what is there."""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from lacelang.engine.provenance import Provenances
from lacelang.engine.replay import Remaking
from lacelang.errors import UsageError
from lacelang.generators.declaration import Device
from lacelang.ir import CheckedProgram
from lacelang.progress import Progress
from lacelang.semantics.check import check
from lacelang.storage.datasets.encode import encode
from lacelang.storage.datasets.folder import DatasetGroup
from lacelang.storage.datasets.index import GroupIndex, Index, read_index
from lacelang.storage.datasets.place import Place
from lacelang.storage.datasets.samples import SUFFIX, Item, items_of
from lacelang.storage.latents import arrays_of
from lacelang.storage.provenance import Origin, Provenance, of_image, synthetic, texts


@frozen(eq=False)
class RemadeSample:
    """A sample that was made again.

    Attributes:
        image: the bytes of its image, as the data set encodes it; None of one without images.
        latents: whether its latents are those that are there, to the bit.
        same: whether the bytes of its image are those that are there; None without images.
        reasons: what is not as it was: versions, weights, options, the processor.
    """

    image: bytes | None
    latents: bool
    same: bool | None
    reasons: tuple[str, ...] = ()


@frozen(eq=False)
class SampleOfSet:
    """A sample of a data set, and what it was made from.

    Attributes:
        name: a name for a file with its image, such as `kids-000000007.jpg`.
        remaking: the statements that made it.
    """

    index: Index
    entry: GroupIndex
    item: Item
    remaking: Remaking

    @classmethod
    def of(cls, place: Place, which: str, root: Path | None = None) -> SampleOfSet:
        """Find a sample by its group and index, such as `kids/7`.

        Raises:
            UsageError: there is no such sample, or it cannot be made again from what is known.
            ProgramError: the program of the data set is wrong, here and now.
            ResourceError: its shard is damaged.
        """
        index = read_index(place)
        if index is None:
            raise UsageError(f"{place.name} holds no data set of lacelang")
        name, _, number = which.rpartition("/")
        entry = next((each for each in index.groups if each.group.name == name), None)
        if entry is None or not number.isdecimal():
            known = ", ".join(f"{each.group.name}/0" for each in index.groups[:5])
            raise UsageError(
                f"`sample` is the name of a group, a slash and an index, such as {known}; "
                f"not {which!r}",
                "sample",
            )
        item = _item(place, index, entry, int(number))
        if item.sample.status == "failed":
            raise UsageError(f"sample {which} was never made: {item.sample.error}", "sample")
        path = Path(which)
        said = _carried(item)
        if said is None:
            said = _said(index, entry, item, check(index.program.source, root=root))
        return cls(index, entry, item, Remaking.of_said(path, said, root=root))

    @property
    def name(self) -> str:
        """A name for a file with its image."""
        suffix = SUFFIX[self.index.layout.images or "png"]
        return f"{self.entry.group.folder}-{self.item.sample.index:09d}.{suffix}"

    def made(self, device: Device, progress: Progress) -> RemadeSample:
        """Make it again; for errors see `Remaking.run`."""
        layout, record = self.index.layout, self.entry.group
        wanted = layout.images is not None
        image, batch, tasks = self.remaking.remade(device, progress, images=wanted)
        task, sample = tasks[record.name], batch.records[0]
        said = Provenances(self.remaking.whole, tasks).image(task.record, sample, image)
        there, here = arrays_of(self.item.latents), arrays_of(batch.latents)
        latents = there.keys() == here.keys() and all(
            np.array_equal(there[name], here[name], equal_nan=True) for name in there
        )
        same, data = None, None
        if wanted:
            own = {}
            if layout.metadata:
                png = layout.images == "png"
                own = texts(self._as_it_was(said)) if png else synthetic(record.of_photo)
            data = encode(image, layout, own)
            if self.item.image is not None:
                same = data == self.item.image
        reasons = () if latents and same in (True, None) else self.remaking.reasons(said, tasks)
        return RemadeSample(data, latents, same, tuple(reasons))

    def _as_it_was(self, made: Provenance) -> Provenance:
        """What the image says where it says the same of how it was made; only pixels may differ."""
        said = self.remaking.said
        if said.pixels is None:
            return made
        return evolve(said, pixels=made.pixels, sample=made.sample)


def _item(place: Place, index: Index, entry: GroupIndex, number: int) -> Item:
    group = DatasetGroup(place, entry.group, index.layout)
    group.load()
    for shard in group.shards:
        if shard.first <= number < shard.first + shard.tally.count:
            at = number - shard.first
            return next(islice(items_of(place, entry.group, shard), at, None))
    there = len(group)
    raise UsageError(
        f"{entry.group.name} has {there} samples, 0 to {there - 1}" if there else "it is empty",
        "sample",
    )


def _carried(item: Item) -> Provenance | None:
    """What its PNG image carries, which may be more than a data set says."""
    if item.image is None or not item.image.startswith(b"\x89PNG"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.png"
        path.write_bytes(item.image)
        try:
            return of_image(path)
        except UsageError:
            return None


def _said(index: Index, entry: GroupIndex, item: Item, program: CheckedProgram) -> Provenance:
    """What a PNG image of the sample would carry, but for what it began from on a disk."""
    made = {s.name: s for s in program.statements if s.makes == "group"}
    prints = {each.group.name: each.group.fingerprint for each in index.groups}
    record, chain = entry.group, list[Origin]()
    if record.name not in made:
        raise UsageError(f"the program that ran last here makes no group {record.name!r}", "sample")
    needs = made[record.name].needs
    while needs is not None:
        chain.insert(0, Origin(needs, prints.get(needs, "")))
        needs = made[needs].needs
    return Provenance(
        "image",
        index.program.name,
        index.versions,
        record.name,
        made[record.name].kind,
        record.fingerprint,
        record.seed,
        index.program.source,
        record.condition,
        record.settings,
        came_from=tuple(chain),
        sample=evolve(item.sample, error=None),
    )

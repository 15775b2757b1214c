"""What a data set says of itself: `index.json`, and a small file beside every shard.

    index.json           what was asked for, and what there is of it: `Index`
    README.md            a card for people
    kids/000000000.json     the shard of samples 0 to 999: `Shard`, written once its files are there
    kids/000000000.tar      with the format webdataset: image, latents and record of every sample
    kids/000000000.parquet  with the format parquet: records and latents; the tar has images alone

A shard counts if its `Shard` is there, belongs to the group as it is asked for, and its files have
the sizes that it says. So a process may end at any moment.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec
from attrs import evolve, field, frozen

from lacelang.errors import another_folder
from lacelang.storage import indices
from lacelang.storage.checks import check_of_json
from lacelang.storage.datasets.place import Place
from lacelang.storage.files import is_folder_name
from lacelang.storage.records import (
    Atom,
    Count,
    GroupRecord,
    MeasureRecord,
    ProgramRecord,
    SampleRecord,
    plain,
)

SCHEMA = 1
NAME = "index.json"
CARD = "README.md"
APART = "seconds"  # of the index: it differs between two runs of one command

Format: TypeAlias = Literal["webdataset", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
ImageFormat: TypeAlias = Literal["png", "jpeg", "webp"]
IMAGE_FORMATS: tuple[ImageFormat, ...] = get_args(ImageFormat)

SHARD_SIZE = 1000
QUALITY = 90


@frozen
class Layout:
    """How a data set is laid out; shards of two layouts do not mix."""

    format: Format
    shard_size: Count = SHARD_SIZE
    images: ImageFormat | None = None  # the default: records leave out what is None
    quality: Count | None = None  # of JPEG and WebP, 1 to 100
    metadata: bool = True  # images say that they are synthetic, PNG also what they were made from


@frozen
class DatasetOptions:
    """A data set to write."""

    out: str | Path  # a folder, or a URL
    layout: Layout


@frozen
class File:
    """A file of a shard."""

    name: str  # in the group's folder
    size: Count  # bytes
    sha256: str


@frozen
class Drawn:
    """Numbers that `each` drew for samples."""

    count: Count
    total: float
    least: float
    most: float

    @property
    def mean(self) -> float:
        """Their mean."""
        return self.total / self.count


@frozen
class Failure:
    """A sample that could not be made, and why."""

    index: Count
    error: str


@frozen
class Tally:
    """What there is in some samples, counted.

    Attributes:
        count: the samples.
        status: how they ended.
        classes: how often `each` drew each class, by attribute.
        numbers: what `each` drew of numbers, by attribute.
        holds: how many samples the classifiers predict each comparison to hold for.
        failures: samples that an error ended, or whose image it kept away.
    """

    count: Count = 0
    status: Mapping[str, Count] = field(factory=dict)
    classes: Mapping[str, Mapping[str, Count]] = field(factory=dict)
    numbers: Mapping[str, Drawn] = field(factory=dict)
    holds: Mapping[str, Count] = field(factory=dict)
    failures: tuple[Failure, ...] = ()

    @staticmethod
    def of(samples: Sequence[SampleRecord], atoms: Sequence[Atom]) -> Tally:
        """Count some samples of a group, whose comparisons are `atoms`."""
        classes: dict[str, Counter[str]] = {}
        numbers: dict[str, list[float]] = {}
        holds = Counter[str]({atom.wanted: 0 for atom in atoms})
        for sample in samples:
            for name, value in sample.drawn.items():
                if isinstance(value, str):
                    classes.setdefault(name, Counter())[value] += 1
                else:
                    numbers.setdefault(name, []).append(value)
            for atom in atoms:
                read = sample.readings.get(atom.text)
                holds[atom.wanted] += read is not None and atom.of(sample.drawn).holds(read)
        return Tally(
            len(samples),
            dict(sorted(Counter(sample.status for sample in samples).items())),
            {name: dict(sorted(each.items())) for name, each in classes.items()},
            {n: Drawn(len(v), sum(v), min(v), max(v)) for n, v in numbers.items()},
            dict(holds),
            tuple(Failure(s.index, s.error) for s in samples if s.error is not None),
        )

    @staticmethod
    def joined(parts: Iterable[Tally]) -> Tally:
        """Count the samples of all `parts` together; of failures, the first hundred are named."""
        count, status, holds = 0, Counter[str](), Counter[str]()
        classes: dict[str, Counter[str]] = {}
        numbers: dict[str, Drawn] = {}
        failures: list[Failure] = []
        for part in parts:
            count += part.count
            status.update(part.status)
            holds.update(part.holds)  # adds entries of zero, too
            for name, each in part.classes.items():
                classes.setdefault(name, Counter()).update(each)
            for name, new in part.numbers.items():
                old = numbers.get(name, new)
                numbers[name] = (
                    new
                    if name not in numbers
                    else Drawn(
                        old.count + new.count,
                        old.total + new.total,
                        min(old.least, new.least),
                        max(old.most, new.most),
                    )
                )
            failures += part.failures
        return Tally(
            count,
            dict(sorted(status.items())),
            {name: dict(sorted(each.items())) for name, each in classes.items()},
            numbers,
            dict(holds),
            tuple(failures[:100]),
        )


@frozen
class Shard:
    """Samples `first` to `first + tally.count - 1` of a group."""

    fingerprint: str  # of the group
    layout: Layout
    first: Count
    files: tuple[File, ...]
    tally: Tally


@frozen
class GroupIndex:
    """A group: what was asked for, and what there is of it."""

    group: GroupRecord  # without samples
    tally: Tally = Tally()
    shards: Count = 0
    bytes: Count = 0
    digest: str = ""  # SHA-256 of the digests of all files, in their order

    @staticmethod
    def of(group: GroupRecord, shards: Sequence[Shard]) -> GroupIndex:
        """Sum up the shards of a group."""
        digest = hashlib.sha256()
        for shard in shards:
            for each in shard.files:
                digest.update(each.sha256.encode())
        size = sum(each.size for shard in shards for each in shard.files)
        tally = Tally.joined(shard.tally for shard in shards)
        return GroupIndex(group, tally, len(shards), size, digest.hexdigest() if shards else "")


@frozen
class Index:
    """A data set."""

    program: ProgramRecord
    versions: Mapping[str, str]
    layout: Layout
    groups: tuple[GroupIndex, ...] = ()
    measures: tuple[MeasureRecord, ...] = ()
    complete: bool = False
    seconds: float = field(default=0.0, eq=False)


def write_index(place: Place, index: Index) -> None:
    """Write `index.json`."""
    lacelang = index.versions.get("lacelang", "")
    content = {"schema": SCHEMA, "lacelang": lacelang, **plain(index)}
    place.write(NAME, indices.encoded(content, APART))


def read_index(place: Place) -> Index | None:
    """Return what the data set at a place says of itself; None if there is none.

    Raises:
        ResourceError: it is damaged, or of another version.
    """
    data = place.read(NAME)
    if data is None:
        return None
    where = f"{place.name}/{NAME}"
    try:
        index = indices.decoded(data, Index, SCHEMA, where, APART)
        folders = [each.group.folder for each in index.groups]
        if not all(map(is_folder_name, folders)) or len(set(folders)) < len(folders):
            # Files below are replaced: a forged name must not lead out of the place.
            raise ValueError("no folder of a group")
    except (ValueError, RecursionError) as error:
        raise another_folder(f"{where} is damaged, or no data set of lacelang: {error}") from error
    return index


def write_shard(place: Place, folder: str, shard: Shard) -> None:
    """Write the file that makes a shard count."""
    said = msgspec.json.decode(msgspec.json.encode(plain(shard)))
    said["check"] = check_of_json(said)
    place.write(f"{folder}/{shard_name(shard.first)}.json", msgspec.json.encode(said) + b"\n")


def read_shard(place: Place, folder: str, first: int) -> Shard | None:
    """Return what is said of the shard of a group that begins at `first`; None if nothing is."""
    data = place.read(f"{folder}/{shard_name(first)}.json")
    try:
        said = msgspec.json.decode(data or b"")
        check = said.pop("check")
        if check != check_of_json(said):
            return None
        found = msgspec.json.decode(msgspec.json.encode(said), type=Shard)
    except (ValueError, RecursionError, KeyError, AttributeError, TypeError):
        return None
    names = [each.name for each in found.files]
    good = found.first == first and all(n.startswith(f"{shard_name(first)}.") for n in names)
    return found if good and not any("/" in n or "\\" in n for n in names) else None


def shard_name(first: int) -> str:
    """What the files of a shard are called, before the dot: the index of its first sample."""
    return f"{first:09d}"


def without_samples(group: GroupRecord) -> GroupRecord:
    """The record of a group alone."""
    return evolve(group, samples=())

"""The files of a shard: samples in, tar and Parquet files out, and back again.

The bytes depend on the samples alone, and on the versions of Pillow and pyarrow: no time, user or
order of writing is in them.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from lacelang.errors import ResourceError, another_folder
from lacelang.storage.datasets.index import File, Layout, Shard
from lacelang.storage.datasets.place import EXTRA, Place
from lacelang.storage.latents import Latents, arrays_of, latents_of
from lacelang.storage.records import GroupRecord, SampleRecord, plain

SUFFIX = {"png": "png", "jpeg": "jpg", "webp": "webp"}
#: The one array that is not one row a sample.
_SHARED = "trail.taken"
#: Rows of Parquet that are in memory at a time.
_ROWS = 100


@frozen(eq=False)
class Item:
    """A sample of a data set."""

    sample: SampleRecord
    latents: Latents  # of one row
    image: bytes | None = None  # encoded; None where none was asked for, or an error kept it away


class Writer(ABC):
    """Writes the files of one shard into a local folder."""

    def __init__(self, folder: Path, name: str, group: GroupRecord, layout: Layout) -> None:
        self.folder = folder
        self.name = name
        self.group = group
        self.layout = layout

    @abstractmethod
    def add(self, item: Item) -> None:
        """Take the next sample."""

    @abstractmethod
    def close(self) -> list[Path]:
        """Finish the files, and return them."""


class _Tar:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)  # time, user and group are 0
        member.size, member.mode = len(data), 0o644
        self._tar.addfile(member, io.BytesIO(data))

    def close(self) -> None:
        self._tar.close()


class TarWriter(Writer):
    """Samples as WebDataset reads them: files of one name before the first dot belong together."""

    def __init__(self, folder: Path, name: str, group: GroupRecord, layout: Layout) -> None:
        super().__init__(folder, name, group, layout)
        self._tar = _Tar(folder / f"{name}.tar")

    def add(self, item: Item) -> None:
        """See `Writer`."""
        key = _key(item)
        if item.image is not None and self.layout.images is not None:
            self._tar.add(f"{key}.{SUFFIX[self.layout.images]}", item.image)
        for name, array in sorted(_rows_of(item.latents).items()):
            self._tar.add(f"{key}.{name}.npy", _npy(array))
        self._tar.add(f"{key}.json", record_json(self.group, item))

    def close(self) -> list[Path]:
        """See `Writer`."""
        self._tar.close()
        return [self._tar.path]


class ParquetWriter(Writer):
    """Records and latents as columns of a Parquet file, images in a tar file beside it."""

    def __init__(self, folder: Path, name: str, group: GroupRecord, layout: Layout) -> None:
        super().__init__(folder, name, group, layout)
        self._images = None if layout.images is None else _Tar(folder / f"{name}.tar")
        self._path = folder / f"{name}.parquet"
        self._waiting: list[Item] = []
        self._file: Any = None

    def add(self, item: Item) -> None:
        """See `Writer`."""
        if item.image is not None and self._images is not None and self.layout.images is not None:
            self._images.add(f"{_key(item)}.{SUFFIX[self.layout.images]}", item.image)
        self._waiting.append(evolve(item, image=None))
        if len(self._waiting) >= _ROWS:
            self._write()

    def _write(self) -> None:
        pyarrow, parquet = arrow()
        if not self._waiting:
            return
        fields, columns = _columns(self.group, self._waiting, pyarrow)
        schema = pyarrow.schema(fields)
        arrays = [pyarrow.array(columns[each.name], each.type) for each in schema]
        if self._file is None:
            self._file = parquet.ParquetWriter(self._path, schema, compression="zstd")
        self._file.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
        self._waiting = []

    def close(self) -> list[Path]:
        """See `Writer`."""
        self._write()
        if self._file is not None:
            self._file.close()
        if self._images is not None:
            self._images.close()
            return [self._path, self._images.path]
        return [self._path]


WRITERS: Mapping[str, Callable[[Path, str, GroupRecord, Layout], Writer]] = {
    "webdataset": TarWriter,
    "parquet": ParquetWriter,
}


def arrow() -> tuple[Any, Any]:
    """Import pyarrow; without it there is a ResourceError."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ResourceError("Parquet needs pyarrow, which is not installed", EXTRA) from None
    return pyarrow, parquet


def items_of(place: Place, group: GroupRecord, shard: Shard, images: bool = True) -> Iterator[Item]:
    """Read the samples of a shard.

    Raises:
        ResourceError: a file of it is damaged or gone.
    """
    folder = group.folder
    names = {each.name.rpartition(".")[2]: f"{folder}/{each.name}" for each in shard.files}
    try:
        if shard.layout.format == "webdataset":
            yield from map(_item_of, _grouped(place, names["tar"]))
            return
        found = _grouped(place, names["tar"]) if images and "tar" in names else iter(())
        pictures = next(found, None)
        for item in _rows(place, names["parquet"]):
            image = None
            if pictures is not None and pictures["__key__"] == _key(item):
                image, pictures = _image_in(pictures), next(found, None)
            yield evolve(item, image=image)
    except (OSError, tarfile.TarError, ValueError, KeyError, EOFError) as error:
        where = f"{place.name}/{folder}/{shard.first}"
        raise another_folder(
            f"the shard {where} cannot be read: {error}", "run the program again"
        ) from error


def file_of(path: Path) -> File:
    """What is said of a file of a shard."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(path.name, path.stat().st_size, digest)


def record_json(group: GroupRecord, item: Item) -> bytes:
    """What the JSON of a sample says: its group, its record, and what went wrong, if anything."""
    wanted = {
        atom.wanted: {
            "wanted": atom.of(item.sample.drawn).wanted,
            "predicted": item.sample.readings.get(atom.text),
        }
        for atom in group.atoms
    }
    said = {
        "group": group.name,
        "condition": group.condition,
        "seed": group.seed,
        **plain(item.sample),
        "comparisons": wanted,
    }
    # Text from Python may hold halves of characters, which no file can.
    return json.dumps(said, ensure_ascii=False, allow_nan=False).encode(errors="replace")


def _key(item: Item) -> str:
    return f"{item.sample.index:09d}"


def _rows_of(latents: Latents) -> dict[str, NDArray[Any]]:
    """The arrays of one sample by name, without the axis of samples."""
    return {n: a if n == _SHARED else a[0] for n, a in arrays_of(latents).items()}


def _latents_of(arrays: Mapping[str, NDArray[Any]]) -> Latents:
    found = latents_of({n: a if n == _SHARED else a[None] for n, a in arrays.items()})
    if found is None:
        raise ValueError("it holds no latents")
    return found


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _grouped(place: Place, name: str) -> Iterator[dict[str, Any]]:
    """The samples of a tar file: what each has, by what comes after the first dot."""
    with place.opened(name) as file, tarfile.open(fileobj=file, mode="r:") as tar:
        found: dict[str, Any] = {}
        for member in tar:
            key, _, kind = member.name.partition(".")
            if found and found["__key__"] != key:
                yield found
                found = {}
            found["__key__"] = key
            data = tar.extractfile(member)
            found[kind] = b"" if data is None else data.read()
            # Or the file's list of members would grow.
            tar.members = []  # type: ignore[attr-defined]
        if found:
            yield found


def _item_of(found: Mapping[str, Any]) -> Item:
    arrays = {
        kind.removesuffix(".npy"): np.load(io.BytesIO(data), allow_pickle=False)
        for kind, data in found.items()
        if kind.endswith(".npy")
    }
    return _said_of(found["json"], arrays, _image_in(found))


def _said_of(text: bytes, arrays: Mapping[str, NDArray[Any]], image: bytes | None) -> Item:
    sample = msgspec.json.decode(text, type=SampleRecord)
    return Item(sample, _latents_of(arrays), image)


def _image_in(found: Mapping[str, Any]) -> bytes | None:
    return next((found[each] for each in SUFFIX.values() if each in found), None)


def _columns(
    group: GroupRecord, items: list[Item], pyarrow: Any
) -> tuple[list[Any], dict[str, list[Any]]]:
    """The fields of a group's table, which are the same in every shard, and its columns."""
    samples = [item.sample for item in items]
    text, number, whole, truth = (
        pyarrow.string(),
        pyarrow.float64(),
        pyarrow.int64(),
        pyarrow.bool_(),
    )
    table: dict[str, tuple[Any, list[Any]]] = {
        "sample": (whole, [s.index for s in samples]),
        "group": (text, [group.name] * len(samples)),
        "status": (text, [s.status for s in samples]),
        "energy": (number, [s.energy for s in samples]),
        "nfe": (whole, [s.nfe for s in samples]),
    }
    for atom in group.atoms:
        wanted, predicted, holds = atom.columns(samples)
        table[f"{atom.text} wanted"] = text, wanted
        table[f"{atom.text} predicted"] = number, predicted
        table[f"{atom.text} holds"] = truth, holds
        if atom.drawn:
            kind = text if atom.reading == "probability" else number
            table[f"drawn {atom.attribute}"] = kind, [s.drawn.get(atom.attribute) for s in samples]
    rows = [_rows_of(item.latents) for item in items]
    for name, first in rows[0].items():
        kind = pyarrow.list_(pyarrow.from_numpy_dtype(first.dtype), first.size)
        table[name] = kind, [row[name].reshape(-1) for row in rows]
    table["record"] = text, [record_json(group, item).decode() for item in items]
    shapes = {name: {"shape": json.dumps(first.shape)} for name, first in rows[0].items()}
    fields = [
        pyarrow.field(name, kind, metadata=shapes.get(name)) for name, (kind, _) in table.items()
    ]
    return fields, {name: values for name, (_, values) in table.items()}


def _rows(place: Place, name: str) -> Iterator[Item]:
    pyarrow, parquet = arrow()
    try:
        with place.opened(name) as file:
            table = parquet.ParquetFile(file)
            shapes = {
                each.name: json.loads(each.metadata[b"shape"])
                for each in table.schema_arrow
                if each.metadata and b"shape" in each.metadata
            }
            for batch in table.iter_batches(_ROWS, columns=["record", *shapes]):
                arrays = {
                    column: batch.column(column).values.to_numpy().reshape(len(batch), *shape)
                    for column, shape in shapes.items()
                }
                for row, text in enumerate(batch.column("record").to_pylist()):
                    own = {column: array[row] for column, array in arrays.items()}
                    yield _said_of(text.encode(), own, None)
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error

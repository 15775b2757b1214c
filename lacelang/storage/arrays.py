"""Arrays of .safetensors, .npy and .npz files, read as data and never trusted.

Headers are read first and held against the size of the file, so that a file that claims more than
it holds costs nothing. Nothing is unpickled.
"""

from __future__ import annotations

import json
import math
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from attrs import frozen
from numpy.lib import format as npy
from numpy.typing import NDArray

from lacelang.errors import ResourceError
from lacelang.storage.records import Count

_LONGEST_HEADER = 1 << 20
_LONGEST_NPY_HEADER = 10_000
_MOST_ARRAYS = 32
# Latents hardly compress: what expands beyond both is no file of latents.
_EXPANDED = 64 << 20
_EXPANSION = 100

_BFLOAT16 = np.dtype([("bfloat16", "<u2")])
"""Upper halves of float32."""
_SAFETENSORS: dict[str, Any] = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8", "BOOL": "|b1", "U8": "|u1",
    "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "C64": "<c8",
    "BF16": _BFLOAT16,
}  # fmt: skip
_KINDS = {
    "f": "floats",
    "O": "Python objects, which are never unpickled",
    "c": "complex numbers",
    "i": "whole numbers",
    "u": "whole numbers",
    "b": "booleans",
}


class _DamagedError(Exception):
    """The file is not what it says; the message goes on after its name."""


class _Tensor(msgspec.Struct):
    """An entry of the header of a .safetensors file."""

    dtype: str
    shape: list[Count]
    data_offsets: tuple[Count, Count]


@frozen
class Stored:
    """An array as its header describes it."""

    name: str  # its key; empty for the one array of a .npy
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool = False  # the first axis is the innermost
    start: int = 0  # bytes before its data, in the file or in `member`
    member: str | None = None  # of a .npz, the file inside

    @property
    def kind(self) -> str:
        """`floats`, `int64`, or in words what else it holds."""
        if self.dtype == _BFLOAT16:
            return "floats"
        if self.dtype == np.dtype("<i8"):
            return "int64"
        if self.dtype.names:
            return "records of several fields"
        return _KINDS.get(self.dtype.kind, "values of another kind")

    @property
    def nbytes(self) -> int:
        """Bytes of its data."""
        return math.prod(self.shape) * self.dtype.itemsize


def stored_arrays(path: Path, shown: str) -> tuple[Stored, ...]:
    """Return what `path` holds, by its headers alone; messages call it `shown`."""
    with _reading(path, shown) as file:
        size = file.seek(0, 2)
        file.seek(0)
        found = tuple(_READERS[path.suffix.lower()](file, size))
    names = [array.name for array in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ResourceError(f"`{shown}` holds `{short(twice)}` twice", "keep one of them")
    return found


def load_array(path: Path, stored: Stored, shown: str) -> NDArray[Any]:
    """Return one of the `stored_arrays`: float32 of floats, int64 of int64."""
    # Torch wants arrays that can be written to.
    data = bytearray(stored.nbytes)
    with _reading(path, shown) as file:
        if stored.member is None:
            file.seek(stored.start)
            whole = file.readinto(data) == len(data)
        else:
            with zipfile.ZipFile(file) as archive, archive.open(stored.member) as member:
                member.read(stored.start)
                # The checksum is compared where the end is reached.
                whole = member.readinto(data) == len(data) and not member.read(1)  # type: ignore[attr-defined]
        if not whole:
            raise _DamagedError("is cut short")
        numbers: NDArray[Any] = np.frombuffer(data, stored.dtype)
        if stored.dtype == _BFLOAT16:
            numbers = (numbers["bfloat16"].astype(np.uint32) << 16).view(np.float32)
        array = numbers.reshape(stored.shape, order="F" if stored.fortran else "C")
        # What float32 cannot hold becomes infinite, and is refused as such.
        with np.errstate(over="ignore", invalid="ignore"):
            wanted = np.int64 if stored.kind == "int64" else np.float32
            return np.ascontiguousarray(array, dtype=wanted)


@contextmanager
def _reading(path: Path, shown: str) -> Iterator[Any]:
    """Open a file; what goes wrong with it becomes a `ResourceError`."""
    try:
        # A pipe or a device may never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise _DamagedError("is not a regular file")
        with path.open("rb") as file:
            yield file
    except Exception as error:
        # Libraries raise many things for a damaged file.
        what = f"is damaged, or not a {path.suffix.lower()} file"
        if isinstance(error, _DamagedError):
            what = str(error)
        elif isinstance(error, OSError):
            what = f"cannot be read: {(error.strerror or 'the file is damaged').lower()}"
        remedy = "give a file of latents: .safetensors, .npy or .npz"
        raise ResourceError(f"`{shown}` {what}", remedy) from error


def _safetensors(file: IO[bytes], size: int) -> Iterator[Stored]:
    length = int.from_bytes(file.read(8), "little")
    begin = 8 + length
    if size < 10 or begin > size:
        raise _DamagedError("is cut short, or not a .safetensors file")
    if length > _LONGEST_HEADER:
        raise _DamagedError("has a header that is too long for latents")
    # Pairs, not a dictionary, for a name may stand there twice.
    for name, fields in json.loads(file.read(length), object_pairs_hook=list):
        if name == "__metadata__":
            continue
        tensor = msgspec.convert(dict(fields), _Tensor)
        low, high = tensor.data_offsets
        dtype = np.dtype(_SAFETENSORS.get(tensor.dtype, "V1"))
        array = Stored(name, tuple(tensor.shape), dtype, start=begin + low)
        if begin + high > size:
            raise _DamagedError("is cut short: it holds less than its header says")
        if tensor.dtype in _SAFETENSORS and array.nbytes != high - low:
            raise _DamagedError("is damaged: its header makes no sense")
        yield array


def _npz(file: IO[bytes], size: int) -> Iterator[Stored]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > _MOST_ARRAYS:
            raise _DamagedError(f"holds {len(members)} files; latents are one or two")
        for info in members:
            if not info.filename.endswith(".npy"):
                yield Stored(info.filename, (), np.dtype("V"))
                continue
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _DamagedError("is compressed in a way that NumPy does not use")
            if info.file_size > max(_EXPANDED, _EXPANSION * min(info.compress_size, size)):
                raise _DamagedError(f"expands to {info.file_size >> 20} MiB, far beyond latents")
            with archive.open(info) as member:
                name = info.filename.removesuffix(".npy")
                yield from _npy(member, info.file_size, name, info.filename)


def _npy(file: IO[bytes], size: int, name: str = "", member: str | None = None) -> Iterator[Stored]:
    header = BytesIO(file.read(_LONGEST_NPY_HEADER))
    version = npy.read_magic(header)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran, dtype = readers[version](header, max_header_size=_LONGEST_NPY_HEADER)
    if min(shape, default=0) < 0:
        raise _DamagedError("is damaged: its header makes no sense")
    array = Stored(name, tuple(map(int, shape)), dtype, fortran, header.tell(), member)
    missing = array.start + array.nbytes - size
    if missing and array.kind in ("floats", "int64"):
        wrong = "is cut short: it holds less" if missing > 0 else "is damaged: it holds more"
        raise _DamagedError(f"{wrong} than its header says")
    yield array


_READERS = {".safetensors": _safetensors, ".npy": _npy, ".npz": _npz}
SUFFIXES = tuple(_READERS)


def short(name: str) -> str:
    """A key as a message shows it."""
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in name)
    return shown if len(shown) <= 40 else shown[:39] + "…"

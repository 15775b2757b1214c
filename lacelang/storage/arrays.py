"""Arrays of .safetensors, .npy and .npz files, read as data and never trusted.

Headers are read first and held against the size of the file, so that a file that claims more than
it holds costs nothing. Nothing is unpickled.
"""

from __future__ import annotations

import ast
import json
import math
import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.errors import ResourceError

SUFFIXES = (".safetensors", ".npy", ".npz")

_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = {".safetensors": 1 << 20, ".npy": 10_000}
_MOST_ARRAYS = 32
# Latents hardly compress: what expands beyond both is no file of latents.
_EXPANDED = 64 << 20
_EXPANSION = 100

_FLOAT = re.compile(r"[<>=|]?f(2|4|8|12|16)")
_INT64 = "<i8"
# What a descriptor's letter means, where it is no float.
_KINDS = {
    "O": "Python objects, which are never unpickled",
    "c": "complex numbers",
    "i": "whole numbers",
    "u": "whole numbers",
    "b": "booleans",
    "?": "booleans",
}
_SAFETENSORS = {
    "F16": "<f2", "BF16": "bfloat16", "F32": "<f4", "F64": "<f8", "I64": _INT64,
    "BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4",
    "I32": "<i4", "U64": "<u8", "C64": "<c8",
}  # fmt: skip
_SIZES = {"bfloat16": 2}

_ODD = (
    ValueError, TypeError, KeyError, SyntaxError, RecursionError, MemoryError, OverflowError,
    EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What the libraries under this raise for a damaged file."""


class _DamagedError(Exception):
    """The file is not what it says; the message goes on after its name."""


@frozen
class Stored:
    """An array as its header describes it.

    Attributes:
        name: its key; empty for the one array of a .npy.
        kind: `floats`, `int64`, or in words what else it holds.
        shape: of the array.
        descriptor: how its numbers are stored.
        fortran: whether the first axis is the innermost.
        start: bytes before its data, in the file or in `member`.
        member: of a .npz, the file inside.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    descriptor: str
    fortran: bool = False
    start: int = 0
    member: str | None = None


def stored_arrays(path: Path, shown: str) -> tuple[Stored, ...]:
    """Return what `path` holds, by its headers alone.

    Args:
        path: a file whose suffix is one of `SUFFIXES`.
        shown: the name of the file in messages.

    Raises:
        ResourceError: it is not a regular file, cannot be read, or is damaged.
    """
    readers = {".safetensors": _safetensors, ".npy": _npy, ".npz": _npz}
    with _Reading(path, shown) as file:
        found = readers[path.suffix.lower()](file)
    names = [array.name for array in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ResourceError(f"`{shown}` holds `{short(twice)}` twice", "keep one of them")
    return found


def load_array(path: Path, stored: Stored, shown: str) -> NDArray[Any]:
    """Return one of the `stored_arrays`: float32 of floats, int64 of int64.

    Raises:
        ResourceError: the file cannot be read, or is damaged.
    """
    # Torch wants arrays that can be written to.
    data = bytearray(_nbytes(stored))
    with _Reading(path, shown) as file:
        if stored.member is None:
            file.seek(stored.start)
            whole = file.readinto(data) == len(data)
        else:
            with zipfile.ZipFile(file) as archive, archive.open(stored.member) as member:
                assert isinstance(member, zipfile.ZipExtFile)
                member.read(stored.start)
                # The checksum is compared where the end is reached.
                whole = member.readinto(data) == len(data) and not member.read(1)
        if not whole:
            raise _DamagedError("is cut short")
    if stored.descriptor == "bfloat16":
        halves = np.frombuffer(data, "<u2").astype(np.uint32)
        numbers: NDArray[Any] = (halves << 16).view(np.float32)
    else:
        numbers = np.frombuffer(data, np.dtype(stored.descriptor))
    array = numbers.reshape(stored.shape, order="F" if stored.fortran else "C")
    # What float32 cannot hold becomes infinite, and is refused as such.
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = np.int64 if stored.kind == "int64" else np.float32
        result: NDArray[Any] = np.ascontiguousarray(array, dtype=wanted)
    return result


class _Reading:
    """A file, open; what goes wrong with it becomes a `ResourceError`."""

    def __init__(self, path: Path, shown: str) -> None:
        self.path = path
        self.shown = shown
        self.file: BufferedReader | None = None

    def __enter__(self) -> BufferedReader:
        try:
            # A pipe or a device may never end.
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise ResourceError(f"`{self.shown}` is not a regular file", _REMEDY)
            self.file = self.path.open("rb")
        except OSError as error:
            raise self._told(error) from error
        return self.file

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self.file is not None
        self.file.close()
        if isinstance(error, (OSError, _DamagedError, *_ODD)):
            raise self._told(error) from error

    def _told(self, error: BaseException) -> ResourceError:
        if isinstance(error, _DamagedError):
            return ResourceError(f"`{self.shown}` {error}", _REMEDY)
        if isinstance(error, OSError):
            why = (error.strerror or "the file is damaged").lower()
            return ResourceError(f"`{self.shown}` cannot be read: {why}", _REMEDY)
        suffix = self.path.suffix.lower()
        return ResourceError(f"`{self.shown}` is damaged, or not a {suffix} file", _REMEDY)


_REMEDY = "give a file of latents: .safetensors, .npy or .npz"


def _safetensors(file: IO[bytes]) -> tuple[Stored, ...]:
    size = _size(file)
    length = int.from_bytes(file.read(8), "little")
    begin = 8 + length
    if size < 10 or begin > size:
        raise _DamagedError("is cut short, or not a .safetensors file")
    if length > _LONGEST_HEADER[".safetensors"]:
        raise _DamagedError("has a header that is too long for latents")
    pairs = json.loads(file.read(length), object_pairs_hook=lambda pairs: pairs)
    found = []
    for name, fields in pairs:
        if name == "__metadata__":
            continue
        described = dict(fields)
        low, high = described["data_offsets"]
        kind = described["dtype"]
        descriptor = _SAFETENSORS.get(kind, f"|V1 {kind}")
        if type(low) is not int or type(high) is not int or not 0 <= low <= high:
            raise _DamagedError("is damaged: its header makes no sense")
        if begin + high > size:
            raise _DamagedError("is cut short: it holds less than its header says")
        array = _described(name, descriptor, described["shape"], start=begin + low)
        if array.kind in ("floats", "int64") and _nbytes(array) != high - low:
            raise _DamagedError("is damaged: its header makes no sense")
        found.append(array)
    return tuple(found)


def _npy(file: IO[bytes]) -> tuple[Stored, ...]:
    array = _npy_header(file, "", None)
    _fits(array, _size(file))
    return (array,)


def _npz(file: IO[bytes]) -> tuple[Stored, ...]:
    size = _size(file)
    found = []
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > _MOST_ARRAYS:
            raise _DamagedError(f"holds {len(members)} files; latents are one or two")
        for info in members:
            if not info.filename.endswith(".npy"):
                found.append(Stored(info.filename, "no array", (), ""))
                continue
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _DamagedError("is compressed in a way that NumPy does not use")
            if info.file_size > max(_EXPANDED, _EXPANSION * min(info.compress_size, size)):
                raise _DamagedError(f"expands to {info.file_size >> 20} MiB, far beyond latents")
            with archive.open(info) as member:
                name = info.filename.removesuffix(".npy")
                array = _npy_header(member, name, info.filename)
            _fits(array, info.file_size)
            found.append(array)
    return tuple(found)


def _npy_header(file: IO[bytes], name: str, member: str | None) -> Stored:
    begun = file.read(8)
    if len(begun) < 8 or begun[:6] != _MAGIC or begun[6] not in (1, 2, 3):
        raise _DamagedError("is damaged, or not a .npy file")
    width = 2 if begun[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > _LONGEST_HEADER[".npy"]:
        raise _DamagedError("has a header that is too long for latents")
    header = file.read(length)
    if len(header) < length:
        raise _DamagedError("is cut short")
    fields = ast.literal_eval(header.decode("utf-8" if begun[6] == 3 else "latin-1").strip())
    order, descriptor = fields["fortran_order"], fields["descr"]
    start = 8 + width + length
    return _described(name, descriptor, fields["shape"], bool(order), start, member)


def _described(
    name: str,
    descriptor: object,
    shape: Sequence[object],
    fortran: bool = False,
    start: int = 0,
    member: str | None = None,
) -> Stored:
    sizes = []
    for each in shape:
        if type(each) is not int or each < 0:
            raise _DamagedError("is damaged: its header makes no sense")
        sizes.append(each)
    if len(sizes) > 32:
        raise _DamagedError("is damaged: its header makes no sense")
    written = descriptor if isinstance(descriptor, str) else ""
    if written == _INT64:
        kind = "int64"
    elif written == "bfloat16" or (_FLOAT.fullmatch(written) and _is_known(written)):
        kind = "floats"
    elif isinstance(descriptor, str):
        kind = _KINDS.get(written.lstrip("<>=|")[:1], "values of another kind")
    else:
        kind = "records of several fields"
    return Stored(name, kind, tuple(sizes), written, fortran, start, member)


def _is_known(descriptor: str) -> bool:
    """Whether this machine has such floats; those of 12 and 16 bytes differ."""
    try:
        return np.dtype(descriptor).kind == "f"
    except TypeError:
        return False


def _fits(array: Stored, size: int) -> None:
    """Hold what a header claims against the bytes that there are."""
    if array.kind not in ("floats", "int64"):
        return
    missing = array.start + _nbytes(array) - size
    if missing > 0:
        raise _DamagedError("is cut short: it holds less than its header says")
    if missing < 0:
        raise _DamagedError("is damaged: it holds more than its header says")


def _nbytes(array: Stored) -> int:
    item = _SIZES.get(array.descriptor) or np.dtype(array.descriptor).itemsize
    return math.prod(array.shape) * item


def _size(file: IO[bytes]) -> int:
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return size


def short(name: str) -> str:
    """A key as a message shows it."""
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in name)
    return shown if len(shown) <= 40 else shown[:39] + "…"

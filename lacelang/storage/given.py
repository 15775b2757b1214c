"""Latents from elsewhere: which of z, w and w+ a file holds, and whether a model can take them.

Files are .safetensors, .npy or .npz, read as data and never trusted. Headers are read first and
held against the size of the file, so that a file that claims more than it holds costs nothing.
Nothing is unpickled.
"""

from __future__ import annotations

import json
import math
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import numpy as np
from attrs import frozen
from numpy.lib import format as npy
from numpy.typing import NDArray

from lacelang.errors import ResourceError
from lacelang.storage.latents import EditPath, Float32, edit_path_of
from lacelang.storage.records import Count
from lacelang.text.hidden import in_line

if TYPE_CHECKING:
    from lacelang.generators import Layout

Space: TypeAlias = Literal["z", "w", "w+", "any"]
"""What a name says; `any` of one that leaves it to the shape."""

MOST_SAMPLES = 1_000_000

# What arrays are called, and in part files, such as `faces_w+.npy` or `z-01.npy`.
_WORDS: dict[Space, str] = {
    "w+": r"w\+|w[_-]?plus|wp",
    "w": r"(ws?|projected_w|dlatents?)(?!\d*(\+|[_-]plus))",
    "z": r"zs?\+?",
    "any": r"(latents?|latent_codes?|codes|samples|arr_0)?",
}
_EDIT_PATH = {"trail.w": "f", "trail.taken": "i", "trail.given": "f"}
_REMEDY = "an edit begins from one or more samples of w, w+ or z"

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
    "O": "Python objects, which are never unpickled",
    "V": "records of several fields",
    "c": "complex numbers",
    "i": "whole numbers",
    "u": "whole numbers",
    "b": "booleans",
}


@frozen(eq=False)
class Given:
    """Samples of a file; z or w may be missing, not both."""

    z: Float32 | None  # (N, latent_dim)
    w: Float32 | None  # the input of the decoder: (N, w_dim) or (N, styles, w_dim)
    edit_path: EditPath | None = None  # of samples that lacelang edited

    def __len__(self) -> int:
        rows = self.z if self.w is None else self.w
        return 0 if rows is None else len(rows)


def read_given(path: Path, layout: Layout, shown: str) -> Given:
    """Return the samples of a model of this `layout` that a .safetensors, .npy or .npz file holds.

    Messages call the file `shown`.
    """
    with _reading(path, shown) as file:
        size = file.seek(0, 2)
        file.seek(0)
        stored = list(_READERS[path.suffix.lower()](file, size))
        names = [array.name for array in stored]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ResourceError(f"`{shown}` holds `{_short(twice)}` twice", "keep one of them")
        parts = {array.name: array for array in stored if array.name in _EDIT_PATH}
        spaces = _spaces([array for array in stored if array.name not in parts], path.stem, shown)
        arrays = {}
        for space, array in spaces.items():
            where = f"`{array.name}` of `{shown}`" if array.name else f"`{shown}`"
            arrays[space] = _samples(array, space, layout, where)
        z = arrays.get("z")
        w = next((array for space, array in arrays.items() if space != "z"), None)
        if z is not None and w is not None and len(z) != len(w):
            raise ResourceError(
                f"`{shown}` holds {len(z)} z and {len(w)} w",
                "give as many of the one as of the other",
            )
        if w is not None and w.ndim == 3 and w.shape[1] != len(layout.style_layers):
            # The last of a style's layers: of those at full size, the image's own.
            w = w[:, [layers[-1] for layers in layout.style_layers]]
        return Given(z, w, _edit_path(parts, w, shown))


def _spaces(found: Sequence[_Stored], stem: str, shown: str) -> dict[Space, _Stored]:
    """Return the arrays to begin from by what they are: z, and one of the others."""
    spaces: dict[Space, _Stored] = {}
    for array in found:
        name = array.name.lower()
        space = next((s for s, words in _WORDS.items() if re.fullmatch(words, name)), None)
        if space is None:
            raise ResourceError(
                f"`{shown}` holds `{_short(array.name)}`, which is none of the latents known here",
                "keep one array, under the key `w`, `w_plus` or `z`",
            )
        if space == "any":
            space = _of_file_name(stem, shown)
        before = next((s for s in spaces if s == space or "z" not in (s, space)), None)
        if before is not None:
            one, other = _short(spaces[before].name), _short(array.name)
            raise ResourceError(
                f"`{shown}` holds both `{one}` and `{other}`", "keep the one to begin from"
            )
        spaces[space] = array
    if not spaces:
        raise ResourceError(f"`{shown}` holds no latents", _REMEDY)
    return spaces


def _of_file_name(stem: str, shown: str) -> Space:
    part = r"(?<![a-z0-9])({})\d*(?![a-z0-9])"
    said: list[Space] = [
        space
        for space, words in _WORDS.items()
        if space != "any" and re.search(part.format(words), stem.casefold())
    ]
    if len(said) > 1:
        raise ResourceError(
            f"the name of `{shown}` speaks of both {said[0]} and {said[1]}",
            "rename it to say which it holds, such as `w.npy` or `z.npy`",
        )
    return said[0] if said else "any"


def _samples(stored: _Stored, space: Space, layout: Layout, where: str) -> Float32:
    """Read an array as samples: (N, width) or (N, styles, width)."""
    if stored.kind != "f":
        kind = _KINDS.get(stored.kind, "values of another kind")
        raise ResourceError(
            f"{where} holds {kind}, and latents are floating-point numbers", _REMEDY
        )
    width = layout.latent_dim if space == "z" else layout.w_dim
    many = sorted({layout.layers, len(layout.style_layers)})
    numbers = " or ".join(map(str, many))
    shape = "×".join(map(str, stored.shape)) or "a single number"
    called = "w" if space == "any" else space
    flat, layers = f"(N, {width})", f"(N, {numbers}, {width})"
    form = {"z": flat, "w+": layers}.get(space, f"{flat}, or {layers} for w+")
    if not stored.shape or stored.shape[-1] != width:
        raise ResourceError(
            f"{where} is {shape}; of this model, {called} has {width} numbers",
            f"its shape is to be {form}",
        )
    lead = stored.shape[:-1]
    if space == "any" and len(lead) == 1 and lead[0] in many:
        raise ResourceError(
            f"{where} is {shape}: that is {lead[0]} samples of w, or the styles of one",
            f"name the file or the key `w` or `w_plus`, or give the shape (1, {lead[0]}, {width})",
        )
    layered = bool(lead) and lead[-1] in many and (space == "w+" or len(lead) > 1)
    rows = lead[:-1] if layered else lead
    odd = (layered and space == "z") or (not layered and space == "w+")
    if odd or sum(size != 1 for size in rows) > 1:
        raise ResourceError(
            f"{where} is {shape}, which is not a shape of {called}",
            f"its shape is to be {form}",
        )
    count = math.prod(rows)
    if count == 0:
        raise ResourceError(f"{where} holds no samples: it is {shape}", _REMEDY)
    if count > MOST_SAMPLES:
        raise ResourceError(f"{where} holds {count} samples; {MOST_SAMPLES} are the most")
    samples = stored.load().reshape((count, *lead[-1:], width) if layered else (count, width))
    if not np.isfinite(samples).all():
        raise ResourceError(
            f"{where} holds NaN, or numbers beyond those of float32", "leave such samples out"
        )
    return samples


def _edit_path(parts: Mapping[str, _Stored], w: Float32 | None, shown: str) -> EditPath | None:
    """Return how the samples came to be, if lacelang edited them."""
    if not parts:
        return None
    fine = all(part.kind == _EDIT_PATH[name] for name, part in parts.items())
    arrays = {name: part.load() for name, part in parts.items() if fine}
    edit_path = edit_path_of(arrays)
    finite = all(np.isfinite(array).all() for array in arrays.values())
    if w is None or edit_path is None or not finite or not edit_path.fits(w):
        raise ResourceError(
            f"`{shown}` holds `trail` arrays that do not fit its `w`",
            "leave them out, or make the group anew",
        )
    return edit_path


class _DamagedError(Exception):
    """The file is not what it says; the message continues after its name."""


class _Tensor(msgspec.Struct):
    """An entry of the header of a .safetensors file."""

    dtype: str
    shape: list[Count]
    data_offsets: tuple[Count, Count]


@frozen
class _Stored:
    """An array as its header describes it."""

    name: str  # its key; empty for the one array of a .npy
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    file: str
    start: int = 0  # bytes before its data, in the file or in what is unpacked
    fortran: bool = False  # the first axis is the innermost
    unpacked: Callable[[], bytes] | None = None  # of a .npz, gives the file inside

    @property
    def kind(self) -> str:
        """What it holds, as numpy's `dtype.kind`, with `f` for bfloat16 too."""
        return "f" if self.dtype == _BFLOAT16 else self.dtype.kind

    @property
    def nbytes(self) -> int:
        """Bytes of its data."""
        return math.prod(self.shape) * self.dtype.itemsize

    def load(self) -> NDArray[Any]:
        """Read it: float32 of floats, int64 of whole numbers."""
        count = math.prod(self.shape)
        if self.unpacked is None:
            numbers = np.fromfile(self.file, self.dtype, count, offset=self.start)
        else:
            numbers = np.frombuffer(self.unpacked(), self.dtype, count, self.start)
        if self.dtype == _BFLOAT16:
            numbers = (numbers["bfloat16"].astype(np.uint32) << 16).view(np.float32)
        array = numbers.reshape(self.shape, order="F" if self.fortran else "C")
        wanted = np.int64 if self.kind == "i" else np.float32
        # What float32 cannot hold becomes infinite, and is refused as such.
        with np.errstate(over="ignore", invalid="ignore"):
            # Torch wants arrays that can be written to.
            return np.require(array, wanted, ["C", "W"])


@contextmanager
def _reading(path: Path, shown: str) -> Iterator[Any]:
    """Open a file; what goes wrong with it becomes a `ResourceError`."""
    try:
        # A pipe or a device may never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise _DamagedError("is not a regular file")
        with path.open("rb") as file:
            yield file
    except ResourceError:
        raise
    except Exception as error:
        # Libraries raise many things for a damaged file.
        what = f"is damaged, or not a {path.suffix.lower()} file"
        if isinstance(error, _DamagedError):
            what = str(error)
        elif isinstance(error, OSError):
            what = f"cannot be read: {(error.strerror or 'the file is damaged').lower()}"
        remedy = "give a file of latents: .safetensors, .npy or .npz"
        raise ResourceError(f"`{shown}` {what}", remedy) from error


def _safetensors(file: IO[bytes], size: int) -> Iterator[_Stored]:
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
        array = _Stored(name, tuple(tensor.shape), dtype, file.name, begin + low)
        if begin + high > size:
            raise _DamagedError("is cut short: it holds less than its header says")
        if tensor.dtype in _SAFETENSORS and array.nbytes != high - low:
            raise _DamagedError("is damaged: its header makes no sense")
        yield array


def _npz(file: IO[bytes], size: int) -> Iterator[_Stored]:
    archive = zipfile.ZipFile(file)
    members = archive.infolist()
    if len(members) > _MOST_ARRAYS:
        raise _DamagedError(f"holds {len(members)} files; latents are one or two")
    for info in members:
        if not info.filename.endswith(".npy"):
            yield _Stored(info.filename, (), np.dtype("V"), file.name)
            continue
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _DamagedError("is compressed in a way that NumPy does not use")
        if info.file_size > max(_EXPANDED, _EXPANSION * min(info.compress_size, size)):
            raise _DamagedError(f"expands to {info.file_size >> 20} MiB, far beyond latents")
        with archive.open(info) as member:
            name = info.filename.removesuffix(".npy")
            yield from _npy(member, info.file_size, name, partial(archive.read, info))


def _npy(
    file: IO[bytes], size: int, name: str = "", unpacked: Callable[[], bytes] | None = None
) -> Iterator[_Stored]:
    header = BytesIO(file.read(_LONGEST_NPY_HEADER))
    version = npy.read_magic(header)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran, dtype = readers[version](header, max_header_size=_LONGEST_NPY_HEADER)
    if min(shape, default=0) < 0:
        raise _DamagedError("is damaged: its header makes no sense")
    shape, start = tuple(map(int, shape)), header.tell()
    array = _Stored(name, shape, dtype, file.name, start, fortran, unpacked)
    missing = start + array.nbytes - size
    if missing and array.kind in "fi":
        wrong = "is cut short: it holds less" if missing > 0 else "is damaged: it holds more"
        raise _DamagedError(f"{wrong} than its header says")
    yield array


_READERS = {".safetensors": _safetensors, ".npy": _npy, ".npz": _npz}
SUFFIXES = tuple(_READERS)


def _short(name: str) -> str:
    """A key as a message shows it."""
    shown = in_line(name)
    return shown if len(shown) <= 40 else shown[:39] + "…"

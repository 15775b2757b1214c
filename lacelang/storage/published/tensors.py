"""Tensors and arrays of a file that was read: from records of their calls to numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.storage.published.records import Global, Record, refuse, shown

MOST_AXES = 8
_KINDS = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "<u2",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "|i1",
    "ByteStorage": "|u1", "BoolStorage": "|b1",
}  # fmt: skip
_BFLOAT16 = "BFloat16Storage"
_ARRAYS = {f"{kind}{size}" for kind in "fiu" for size in (1, 2, 4, 8)} - {"f1"} | {"b1"}


@frozen(eq=False)
class Storage:
    """The numbers of a tensor, or of several: of a type of torch's, in bytes."""

    kind: str
    data: memoryview

    def __len__(self) -> int:
        return len(self.data) // itemsize(self.kind)


def itemsize(kind: str) -> int:
    """Return how many bytes a number of a kind of storage takes."""
    if kind not in _KINDS:
        refuse(f"it has a storage of the unknown kind `{shown(kind)}`")
    return np.dtype(_KINDS[kind]).itemsize


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor or a parameter."""
    return isinstance(value, Record) and value.of.module == "torch._utils"


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of a tensor, a parameter or an array, which is not read."""
    _, _, size, _ = _tensor(value)
    return size


def tensor(value: Any) -> NDArray[Any]:
    """Return the numbers of a tensor or a parameter: float32, or int64 of whole numbers.

    Raises:
        RefusedError: it is none, or refers to more numbers than its storage has.
    """
    storage, offset, size, stride = _tensor(value)
    if not isinstance(storage, Storage):
        refuse("a tensor has no storage")
    flat = np.frombuffer(storage.data, _KINDS[storage.kind])
    count = math.prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if count > len(flat) or (count and last >= len(flat)):
        refuse("a tensor has more numbers than its storage holds")
    if storage.kind == _BFLOAT16:
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    steps = [step * flat.itemsize for step in stride]
    view = np.lib.stride_tricks.as_strided(flat[offset:], size, steps, writeable=False)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        return np.array(view, np.float32 if view.dtype.kind == "f" else np.int64)


def _tensor(value: Any) -> tuple[Any, int, tuple[int, ...], tuple[int, ...]]:
    """Return what a tensor consists of: storage, offset, size and stride."""
    for _ in range(2):  # a parameter has a tensor
        if isinstance(value, Record) and value.of.name.startswith("_rebuild_parameter"):
            value = value.args[0] if value.args else None
    if not is_tensor(value) or len(value.args) < 4:
        refuse("a value is no tensor where one is needed")
    storage, offset, size, stride = value.args[:4]
    size, stride = _whole(size), _whole(stride)
    if len(size) != len(stride) or not isinstance(offset, int) or offset < 0:
        refuse("a tensor has a shape that makes no sense")
    if isinstance(storage, Record) and storage.of.module == "torch.storage":
        storage = _of_record(storage)
    return storage, offset, size, stride


def _of_record(record: Record) -> Any:
    """Return the storage of a tensor that a plain pickle holds: a torch file of its own, inside."""
    from lacelang.storage.published.torch_files import read_inner

    if isinstance(record.state, Storage):  # of a file of torch's older form
        return record.state
    if record.of.name != "_load_from_bytes" or len(record.args) != 1:
        refuse(f"it has a storage made by `{record.of}`")
    return read_inner(_raw(record.args[0]))


def _whole(value: Any) -> tuple[int, ...]:
    if isinstance(value, Record) and value.of == Global("torch", "Size") and value.args:
        value = value.args[0]
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST_AXES:
        refuse("a tensor has a shape that makes no sense")
    if not all(isinstance(each, int) and 0 <= each < 2**31 for each in value):
        refuse("a tensor has a shape that makes no sense")
    return tuple(value)


def is_array(value: Any) -> bool:
    """Whether a value is an array of numpy's."""
    return isinstance(value, Record) and value.of.name in ("_reconstruct", "_frombuffer")


def array(value: Any) -> NDArray[Any]:
    """Return the numbers of an array of numpy's: float32, or int64 of whole numbers.

    Raises:
        RefusedError: it is none, or its bytes are not as many as its shape says.
    """
    if is_array(value) and value.of.name == "_frombuffer" and len(value.args) == 4:
        data, kind, shape, order = value.args  # of protocol 5
        fortran = order == "F"
    elif is_array(value) and isinstance(value.state, tuple) and len(value.state) == 5:
        _, shape, kind, fortran, data = value.state
    else:
        refuse("a value is no array where one is needed")
    dtype, raw, shape = _dtype(kind), _raw(data), _whole(shape)
    if len(raw) != math.prod(shape) * dtype.itemsize:
        refuse("an array holds fewer or more numbers than its shape says")
    numbers = np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C")
    with np.errstate(over="ignore"):
        return np.array(numbers, np.float32 if dtype.kind == "f" else np.int64, order="C")


def plain(value: Any) -> Any:
    """Return a number of numpy's, or an array of a few, as Python's numbers; others unchanged."""
    if is_array(value):
        return array(value).tolist()
    if isinstance(value, Record) and value.of.name == "scalar" and len(value.args) == 2:
        dtype, raw = _dtype(value.args[0]), _raw(value.args[1])
        if len(raw) != dtype.itemsize:
            refuse("a number has fewer or more bytes than its type says")
        return np.frombuffer(raw, dtype)[0].item()
    return value


def _dtype(value: Any) -> np.dtype[Any]:
    known = isinstance(value, Record) and value.of == Global("numpy", "dtype") and value.args
    name = value.args[0] if known else None
    if name not in _ARRAYS:
        refuse("an array holds what are no numbers")
    order = value.state[1] if isinstance(value.state, tuple) and len(value.state) > 1 else "<"
    if order not in ("<", ">", "|", "="):
        refuse("an array has an unknown order of bytes")
    return np.dtype(f"{order}{name}")


def _raw(value: Any) -> memoryview:
    """Return bytes, which protocols before 3 write as a text to be encoded."""
    if isinstance(value, Record) and value.of == Global("_codecs", "encode") and value.args:
        value = value.args[0]
    if isinstance(value, str):
        value = memoryview(value.encode("latin-1", "replace"))
    if not isinstance(value, memoryview):
        refuse("a tensor or an array has no bytes")
    return value

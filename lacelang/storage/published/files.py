"""A published file, whatever its form: a pickle, or one of torch's two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lacelang.errors import ResourceError
from lacelang.storage.files import disk_errors
from lacelang.storage.published.machine import unpickled
from lacelang.storage.published.records import RefusedError, refuse
from lacelang.storage.published.torch_files import ZIP, is_legacy, read_legacy, read_zip

LARGEST = 2 << 30
"""Bytes of a file; those of the releases have up to 0.4 GB."""


def read_published(path: Path) -> Any:
    """Return what a file of weights holds: containers, `Record`s, numbers and texts.

    Tensors and arrays are records until `tensors.tensor` and `tensors.array` read their numbers.

    Raises:
        RefusedError: it is none, damaged, too large, or asks for what no file of weights needs.
        ResourceError: it is not there, or cannot be read.
    """
    if not path.is_file():  # a pipe may never end
        raise ResourceError(f"there is no file {path}", "give the path of the downloaded file")
    with disk_errors(path, "read"):
        if path.stat().st_size > LARGEST:
            refuse(f"it is larger than {LARGEST >> 30} GiB")
        data = path.read_bytes()
    return read_data(memoryview(data))


def read_data(data: memoryview) -> Any:
    """Return what a file with these bytes holds; see `read_published`."""
    if not len(data):
        refuse("it is empty")
    try:
        if data[:4] == ZIP:
            return read_zip(data)
        return read_legacy(data) if is_legacy(data) else unpickled(data)
    except (RecursionError, MemoryError) as error:
        raise RefusedError("it is nested or large beyond what weights need") from error

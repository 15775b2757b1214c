"""Arrays in a safetensors file with a digest of them, which is checked whenever they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

MOST_BYTES = 4 << 30
"""Of a file; a longer one is not read."""
_KEY = "lacelang"


class Read(NamedTuple):
    """What a file holds."""

    arrays: dict[str, NDArray[Any]]
    said: dict[str, Any]  # what was said beside the arrays
    digest: str


def packed(arrays: Arrays, said: Mapping[str, Any] | None = None) -> bytes:
    """Return a file of contiguous arrays, and JSON values beside them."""
    # One entry, for safetensors writes several in no fixed order, and a run writes fixed bytes.
    header = json.dumps({**(said or {}), "sha256": digest_of(arrays)})
    return save(dict(arrays), metadata={_KEY: header})


def unpacked(path: Path) -> Read | None:
    """Return what `packed` was given for the file at `path`; None if it is not that, or not there.

    Arrays that a digest agrees with may still be anything: the file may be somebody else's.
    """
    try:
        # A pipe may never end.
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        with safe_open(path, framework="numpy") as file:
            said = json.loads((file.metadata() or {})[_KEY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        digest = digest_of(arrays)
        return Read(arrays, said, digest) if said.pop("sha256") == digest else None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError):
        return None
    except (RecursionError, MemoryError):
        return None


def digest_of(arrays: Arrays) -> str:
    """SHA-256 of names, types, shapes and values, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()

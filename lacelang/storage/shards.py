"""Latents of a group in files of some hundred samples each, written once and read when needed.

A shard is named after its first sample and carries a digest of its arrays. Where two shards hold
the same sample, as after a killed run, the one that begins later holds it.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lacelang.errors import ResourceError
from lacelang.storage.files import write_atomic
from lacelang.storage.latents import Latents, arrays_of, latents_of

_KEY = "lacelang"
_NAME = re.compile(r"latents-(\d{6,18})\.safetensors")


def is_shard(name: str) -> bool:
    """Whether a file of this name is a shard."""
    return _NAME.fullmatch(name) is not None


@frozen
class Shard:
    """One file: samples `first` to `first + count - 1` of the group with this fingerprint."""

    path: Path
    first: int
    count: int
    fingerprint: str
    digest: str


class Shards:
    """All latents of a group; the rows of a sample are read when they are asked for.

    Only what was written before `open` or by `append` is seen. Not safe for several threads that
    write; reading is.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self._shards: list[Shard] = []
        self._last: tuple[Shard, Latents] | None = None

    @staticmethod
    def open(folder: Path, fingerprint: str) -> Shards:
        """Return the valid shards of a group, up to the first sample that none of them holds."""
        shards = Shards(folder, fingerprint)
        for path in sorted(folder.glob("latents-*.safetensors"), key=lambda path: path.name):
            shard = _header(path)
            if (
                shard is None
                or shard.fingerprint != fingerprint
                or shard.first > len(shards)
                or _read(shard) is None
            ):
                break
            shards._shards.append(shard)
        return shards

    def __len__(self) -> int:
        """How many samples there are: up to the end of the last shard, which overrides others."""
        return self._shards[-1].first + self._shards[-1].count if self._shards else 0

    @property
    def digest(self) -> str:
        """SHA-256 of all samples, in hexadecimal, whatever files they are in.

        Raises:
            ResourceError: a file has gone or changed since it was opened.
        """
        whole = hashlib.sha256()
        ends = [shard.first for shard in self._shards[1:]] + [len(self)]
        for shard, end in zip(self._shards, ends, strict=True):
            latents = self._load(shard)
            for row in range(end - shard.first):
                whole.update(_digest(arrays_of(latents.rows([row]))).encode())
        return whole.hexdigest()

    def append(self, first: int, latents: Latents) -> None:
        """Write the latents of the samples from `first` on.

        Raises:
            ResourceError: the disk is full, or the folder cannot be written.
        """
        shard = write_shard(self.folder, first, latents, self.fingerprint)
        self._shards = [s for s in self._shards if s.first < first]
        self._shards.append(shard)

    def cut(self, count: int) -> None:
        """See only the first `count` samples."""
        self._shards = [
            Shard(s.path, s.first, min(s.count, count - s.first), s.fingerprint, s.digest)
            for s in self._shards
            if s.first < count
        ]

    def moved(self, folder: Path) -> None:
        """Look for the files in `folder`, where they have been moved."""
        self.folder = folder
        self._shards = [
            Shard(folder / s.path.name, s.first, s.count, s.fingerprint, s.digest)
            for s in self._shards
        ]
        self._last = None

    def rows(self, chosen: slice | Sequence[int]) -> Latents:
        """Read the latents of some of the samples, in their order.

        Raises:
            ResourceError: a file has gone or changed since it was opened.
        """
        indices = range(len(self))[chosen] if isinstance(chosen, slice) else list(chosen)
        firsts = [shard.first for shard in self._shards]
        parts = []
        start = 0
        while start < len(indices):
            place = bisect_right(firsts, indices[start]) - 1
            stop = start + 1
            while stop < len(indices) and bisect_right(firsts, indices[stop]) - 1 == place:
                stop += 1
            shard = self._shards[place]
            rows = [index - shard.first for index in indices[start:stop]]
            parts.append(self._load(shard).rows(rows))
            start = stop
        return Latents.joined(parts)

    def _load(self, shard: Shard) -> Latents:
        last = self._last
        if last is not None and last[0] == shard:
            return last[1]
        latents = _read(shard)
        if latents is None:
            raise ResourceError(
                f"{shard.path} has changed or gone while it was in use", "run the command again"
            )
        self._last = (shard, latents)
        return latents


def write_shard(folder: Path, first: int, latents: Latents, fingerprint: str) -> Shard:
    """Write one shard, whole or not at all.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    arrays = arrays_of(latents)
    digest = _digest(arrays)
    said = {"fingerprint": fingerprint, "first": first, "sha256": digest}
    # One entry, for safetensors writes several in no fixed order, and a run writes fixed bytes.
    metadata = {_KEY: json.dumps(said)}
    path = folder / f"latents-{first:06d}.safetensors"
    write_atomic(path, save(arrays, metadata=metadata), flush=True)
    return Shard(path, first, len(latents), fingerprint, digest)


def _header(path: Path) -> Shard | None:
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with safe_open(path, framework="numpy") as file:
            said = json.loads((file.metadata() or {})[_KEY])
            count = file.get_slice("w").get_shape()[0]
        name = _NAME.fullmatch(path.name)
        if name is None or said["first"] != int(name[1]):
            return None
        return Shard(path, int(name[1]), count, str(said["fingerprint"]), str(said["sha256"]))
    except (OSError, SafetensorError, KeyError, IndexError, TypeError, ValueError):
        return None


def _read(shard: Shard) -> Latents | None:
    """The latents of a shard; None if they are not what was written."""
    try:
        with safe_open(shard.path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    return latents_of(arrays) if _digest(arrays) == shard.digest else None


def _digest(arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

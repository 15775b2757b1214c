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
from itertools import groupby
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
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
class _Shard:
    """One file: samples `first` to `first + count - 1`, and the SHA-256 of what it holds."""

    first: int
    count: int
    digest: str


class Shards:
    """All latents of a group; the rows of a sample are read when they are asked for.

    Only what was written before `open` or by `append` is seen. Not safe for several threads that
    write; reading is.

    Attributes:
        folder: where the files are. Whoever moves them says so here.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self._shards: list[_Shard] = []
        self._last: tuple[_Shard, Latents] | None = None

    @staticmethod
    def open(folder: Path, fingerprint: str) -> Shards:
        """Return the valid shards of a group, up to the first sample that none of them holds."""
        shards = Shards(folder, fingerprint)
        names = (_NAME.fullmatch(path.name) for path in folder.glob("latents-*"))
        for first in sorted({int(name[1]) for name in names if name}):
            found = shards._read(first) if first <= len(shards) else None
            if found is None:
                break
            latents, digest = found
            shards._shards.append(_Shard(first, len(latents), digest))
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
        arrays = arrays_of(latents)
        digest = _digest(arrays)
        said = {"fingerprint": self.fingerprint, "first": first, "sha256": digest}
        # One entry, for safetensors writes several in no fixed order, and a run writes fixed bytes.
        data = save(arrays, metadata={_KEY: json.dumps(said)})
        write_atomic(_path(self.folder, first), data, flush=True)
        self._shards = [s for s in self._shards if s.first < first]
        self._shards.append(_Shard(first, len(latents), digest))

    def cut(self, count: int) -> None:
        """See only the first `count` samples."""
        self._shards = [
            evolve(s, count=min(s.count, count - s.first)) for s in self._shards if s.first < count
        ]

    def rows(self, chosen: slice | Sequence[int]) -> Latents:
        """Read the latents of some of the samples, in their order.

        Raises:
            ResourceError: a file has gone or changed since it was opened.
        """
        indices = range(len(self))[chosen] if isinstance(chosen, slice) else list(chosen)
        firsts = [shard.first for shard in self._shards]
        parts = []
        for place, some in groupby(indices, lambda index: bisect_right(firsts, index) - 1):
            shard = self._shards[place]
            parts.append(self._load(shard).rows([index - shard.first for index in some]))
        return Latents.joined(parts)

    def _load(self, shard: _Shard) -> Latents:
        last = self._last
        if last is not None and last[0] == shard:
            return last[1]
        found = self._read(shard.first)
        if found is None or found[1] != shard.digest:
            path = _path(self.folder, shard.first)
            raise ResourceError(
                f"{path} has changed or gone while it was in use", "run the command again"
            )
        self._last = (shard, found[0])
        return found[0]

    def _read(self, first: int) -> tuple[Latents, str] | None:
        """The latents of a shard and their digest; None if they are not what was written."""
        path = _path(self.folder, first)
        try:
            if path.is_symlink() or not path.is_file():
                return None
            with safe_open(path, framework="numpy") as file:
                said = json.loads((file.metadata() or {})[_KEY])
                if said["fingerprint"] != self.fingerprint or said["first"] != first:
                    return None
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            digest = _digest(arrays)
            latents = latents_of(arrays) if digest == said["sha256"] else None
            return None if latents is None else (latents, digest)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None


def _path(folder: Path, first: int) -> Path:
    return folder / f"latents-{first:06d}.safetensors"


def _digest(arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

"""Latents of samples, enough to decode each image again, and the files that a group has of them.

The files are shards of some hundred samples each, written once and read when needed. A shard is
named after its first sample and carries a digest of its arrays. Where two shards hold the same
sample, as after a killed run, the one that begins later holds it.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from lacelang.errors import ResourceError
from lacelang.storage.arrays import digest_of, packed, unpacked
from lacelang.storage.files import write_atomic

Float32 = NDArray[np.float32]

_TAKEN = "trail.taken"
SHARD = re.compile(r"latents-(\d{6,18})\.safetensors")


@frozen(eq=False)
class EditPath:
    """Where edits took some samples: every w they came through, and which of them each style has.

    Where the samples began with styles that differ by layer, `w` begins with their mean, and a
    style keeps what sets it apart from that mean wherever w goes. The same holds of styles that
    were spread over several w on the way: those of a moment come first, and then their mean.
    """

    w: Float32  # truncated, before the first step and after each: (N, M, d), M >= P
    taken: NDArray[np.int64]  # at each of the P moments, which w every style has: (P, styles)
    given: Float32 | None = None  # styles that differ by layer: (N, styles, d)

    @staticmethod
    def begun(w: Float32, styles: int) -> EditPath:
        """Begin at w (N, d), the same for all styles, or at w+ (N, styles, d)."""
        taken = np.zeros((1, styles), np.int64)
        if w.ndim == 2:
            return EditPath(w[:, None], taken)
        first = w[:, 0]
        # A mean of equal numbers may differ from them in its last bit.
        mean = np.where((w == first[:, None]).all(axis=1), first, w.mean(axis=1, dtype=np.float64))
        return EditPath(mean.astype(np.float32)[:, None], taken, w)

    def gone(self, w: Float32, replaced: NDArray[np.bool_]) -> EditPath:
        """Go on to w (N, d), which some of the styles (styles,) take."""
        latest = self.taken[-1][replaced]
        means = np.array(self._means())
        # Of every style that is replaced, the mean of those with which it was spread.
        mean = means[np.searchsorted(means, latest)]
        if (latest != mean).any():
            return self._went(self.w[:, latest] - self.w[:, mean] + w[:, None], w, replaced)
        return self._went(w[:, None], None, replaced)

    def spread(self, w: Float32, replaced: NDArray[np.bool_]) -> EditPath:
        """Go on to a w for each of the styles that are replaced: (N, replaced, d)."""
        if not replaced.any():
            return self.gone(self.w[:, -1], replaced)
        if w.shape[1] == 1:
            return self._went(w, None, replaced)
        return self._went(w, w.mean(axis=1), replaced)

    def _went(self, w: Float32, mean: Float32 | None, replaced: NDArray[np.bool_]) -> EditPath:
        """Go on to w, one for all styles (N, 1, d), or one for each and their mean."""
        taken, first = self.taken[-1].copy(), self.w.shape[1]
        if mean is not None and w.shape[1] == 1:
            # Twice, since the first w of a moment alone would be the mean.
            w, first = np.repeat(w, 2, axis=1), first + 1
        taken[replaced] = first if mean is None else first + np.arange(replaced.sum())
        added = [w] if mean is None else [w, mean[:, None]]
        return evolve(
            self,
            w=np.concatenate([self.w, *added], axis=1),
            taken=np.concatenate([self.taken, taken[None]]),
        )

    def _means(self) -> list[int]:
        """Of each moment, which w is the mean of all that styles take then; the last of its w."""
        found = [0]
        for taken in self.taken[1:]:
            first, most = found[-1] + 1, int(taken.max(initial=0))
            # A w that all styles share is its own mean.
            found.append(first if most <= first else most + 1)
        return found

    def styles(self, last: int = 1) -> Float32:
        """The styles w+ (N, last, styles, d) of the last moments, in their order."""
        taken = self.taken[-last:]
        reached: Float32 = self.w[:, taken]
        if self.given is None:
            return reached
        given, begun = self.given[:, None], self.w[:, :1, None]
        own = given + (reached - begun)
        # Exactly what was given where nothing has moved, exactly w where nothing sets them apart.
        moved: Float32 = np.where(given == begun, reached, own)
        return np.where(taken[None, :, :, None] == 0, given, moved)

    def rows(self, chosen: slice | Sequence[int]) -> EditPath:
        """Of some of the samples."""
        given = None if self.given is None else self.given[chosen]
        return EditPath(self.w[chosen], self.taken, given)

    def fits(self, w: Float32) -> bool:
        """Whether it can have led to the styles `w`."""
        count, held = self.w.shape[:2] if self.w.ndim == 3 else (0, 0)
        whole = self.taken.ndim == 2 and w.shape == (count, self.taken.shape[-1], self.w.shape[-1])
        if not whole or held == 0 or len(self.taken) == 0:
            return False
        means = np.array(self._means())
        known = bool(((self.taken >= 0) & (self.taken <= means[:, None])).all())
        known = known and means[-1] == held - 1
        return known and (self.given is None or self.given.shape == w.shape)


@frozen(eq=False)
class Latents:
    """Row i belongs to sample i.

    z is what the sampler ended at: of edited samples, before they were edited.
    """

    z: Float32 | None  # (N, d); None where they began from w alone
    w: Float32  # what the decoder is given: (N, d) truncated, or (N, styles, d)
    edit_path: EditPath | None = None  # of edited samples, how they came to be

    def __len__(self) -> int:
        return len(self.w)

    def rows(self, chosen: slice | Sequence[int]) -> Latents:
        """Some of the rows."""
        return Latents(
            None if self.z is None else self.z[chosen],
            self.w[chosen],
            None if self.edit_path is None else self.edit_path.rows(chosen),
        )

    @staticmethod
    def joined(parts: Sequence[Latents]) -> Latents:
        """The rows of all `parts`, one after another."""
        arrays = [arrays_of(part) for part in parts]
        joined = {
            name: first if name == _TAKEN else np.concatenate([each[name] for each in arrays])
            for name, first in arrays[0].items()
        }
        found = latents_of(joined)
        assert found is not None
        return found


def arrays_of(latents: Latents) -> dict[str, NDArray[Any]]:
    """Return what a file holds of some samples, by name."""
    path = latents.edit_path
    arrays: dict[str, NDArray[Any] | None] = {"w": latents.w, "z": latents.z}
    if path is not None:
        arrays |= {"trail.w": path.w, _TAKEN: path.taken, "trail.given": path.given}
    return {name: np.ascontiguousarray(each) for name, each in arrays.items() if each is not None}


def latents_of(arrays: Mapping[str, NDArray[Any]]) -> Latents | None:
    """Return the samples that `arrays_of` made `arrays` from; None if they are none."""
    z, w = arrays.get("z"), arrays.get("w")
    if w is None or w.ndim not in (2, 3):
        return None
    if z is not None and (z.ndim != 2 or len(z) != len(w)):
        return None
    path = edit_path_of(arrays)
    return None if path is not None and not path.fits(w) else Latents(z, w, path)


def edit_path_of(arrays: Mapping[str, NDArray[Any]]) -> EditPath | None:
    """Return the edit path among the arrays of a file of latents, which may not fit them."""
    if "trail.w" not in arrays or _TAKEN not in arrays:
        return None
    return EditPath(arrays["trail.w"], arrays[_TAKEN], arrays.get("trail.given"))


@frozen
class _Shard:
    """One file: samples `first` to `first + count - 1`, and the SHA-256 of what it holds."""

    first: int
    count: int
    digest: str


class Shards:
    """All latents of a group; the rows of a sample are read when they are asked for.

    It knows what was written before `open` or by `append`, and checks that a file has not changed
    since. Several threads may read, one may write. Whoever moves the files sets `folder`.
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
        names = (SHARD.fullmatch(path.name) for path in folder.glob("latents-*"))
        form: dict[str, tuple[int, ...]] = {}
        for first in sorted({int(name[1]) for name in names if name}):
            found = shards._read(first) if first <= len(shards) else None
            if found is None:
                break
            latents, digest = found
            form = form or _form(latents)
            if _form(latents) != form:
                break
            shards._shards.append(_Shard(first, len(latents), digest))
        return shards

    def __len__(self) -> int:
        """How many samples there are, to the end of the last shard."""
        return self._shards[-1].first + self._shards[-1].count if self._shards else 0

    @property
    def digest(self) -> str:
        """SHA-256 of all samples, in hexadecimal, however they are divided into files."""
        whole = hashlib.sha256()
        ends = [shard.first for shard in self._shards[1:]] + [len(self)]
        for shard, end in zip(self._shards, ends, strict=True):
            latents = self._load(shard)
            for row in range(end - shard.first):
                whole.update(digest_of(arrays_of(latents.rows([row]))).encode())
        return whole.hexdigest()

    def digest_of(self, index: int) -> str:
        """SHA-256 of one sample, in hexadecimal."""
        return digest_of(arrays_of(self.rows([index])))

    def append(self, first: int, latents: Latents) -> None:
        """Write the latents of the samples from `first` on."""
        arrays = arrays_of(latents)
        digest = digest_of(arrays)
        said = {"fingerprint": self.fingerprint, "first": first}
        write_atomic(_path(self.folder, first), packed(arrays, said), flush=True)
        self._shards = [s for s in self._shards if s.first < first]
        self._shards.append(_Shard(first, len(latents), digest))
        self._last = (self._shards[-1], latents)

    def cut(self, count: int) -> None:
        """See only the first `count` samples."""
        self._shards = [
            evolve(s, count=min(s.count, count - s.first)) for s in self._shards if s.first < count
        ]

    def rows(self, chosen: slice | Sequence[int]) -> Latents:
        """Read the latents of some of the samples, in their order."""
        indices = range(len(self))[chosen] if isinstance(chosen, slice) else list(chosen)
        firsts = [shard.first for shard in self._shards]
        parts = []
        for place, some in groupby(indices, lambda index: bisect_right(firsts, index) - 1):
            shard = self._shards[place]
            parts.append(self._load(shard).rows([index - shard.first for index in some]))
        return Latents.joined(parts)

    def _load(self, shard: _Shard) -> Latents:
        if self._last is not None and self._last[0] == shard:
            return self._last[1]
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
        found = unpacked(_path(self.folder, first))
        if found is None or found.said != {"fingerprint": self.fingerprint, "first": first}:
            return None
        latents = latents_of(found.arrays) if are_sound(found.arrays) else None
        return None if latents is None else (latents, found.digest)


def _path(folder: Path, first: int) -> Path:
    return folder / f"latents-{first:06d}.safetensors"


def are_sound(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether arrays that may be anything have the types of latents, and finite values."""
    return all(
        array.size > 0
        and array.dtype == (np.int64 if name == _TAKEN else np.float32)
        and np.isfinite(array).all()
        for name, array in arrays.items()
    )


def _form(latents: Latents) -> dict[str, tuple[int, ...]]:
    """The shapes of one sample."""
    return {name: each.shape[name != _TAKEN :] for name, each in arrays_of(latents).items()}

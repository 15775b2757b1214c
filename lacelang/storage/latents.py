"""Latents of samples, and what of them a file holds: enough to decode each image again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@frozen(eq=False)
class EditPath:
    """Where edits took some samples: every w they came through, and which of them each style has.

    Where the samples began with styles that differ by layer, `w` begins with their mean, and a
    style keeps what sets it apart from that mean wherever w goes.
    """

    w: Float32  # truncated, before the first step and after each: (N, P, d)
    taken: NDArray[np.int64]  # at each of those moments, the w that every style has: (P, styles)
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
        taken = np.where(replaced, len(self.taken), self.taken[-1])
        return evolve(
            self,
            w=np.concatenate([self.w, w[:, None]], axis=1),
            taken=np.concatenate([self.taken, taken[None]]),
        )

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
        count, moments = self.w.shape[:2] if self.w.ndim == 3 else (0, 0)
        whole = self.taken.ndim == 2 and w.shape == (count, self.taken.shape[-1], self.w.shape[-1])
        if not whole or moments == 0 or len(self.taken) != moments:
            return False
        latest = np.arange(moments)[:, None]
        known = bool(((self.taken >= 0) & (self.taken <= latest)).all())
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
        paths = [part.edit_path for part in parts if part.edit_path is not None]
        edit_path = None
        if paths:
            w = np.concatenate([path.w for path in paths])
            edit_path = EditPath(w, paths[0].taken, _joined([path.given for path in paths]))
        w = np.concatenate([part.w for part in parts])
        return Latents(_joined([part.z for part in parts]), w, edit_path)


def arrays_of(latents: Latents) -> dict[str, NDArray[Any]]:
    """Return what a file holds of some samples, by name."""
    path = latents.edit_path
    arrays: dict[str, NDArray[Any] | None] = {"w": latents.w, "z": latents.z}
    if path is not None:
        arrays |= {"trail.w": path.w, "trail.taken": path.taken, "trail.given": path.given}
    return {name: np.ascontiguousarray(each) for name, each in arrays.items() if each is not None}


def latents_of(arrays: Mapping[str, NDArray[Any]]) -> Latents | None:
    """Return the samples that `arrays_of` made `arrays` from; None if they are none."""
    z, w = arrays.get("z"), arrays.get("w")
    if w is None or w.ndim not in (2, 3) or (z is not None and len(z) != len(w)):
        return None
    path = edit_path_of(arrays)
    return None if path is not None and not path.fits(w) else Latents(z, w, path)


def edit_path_of(arrays: Mapping[str, NDArray[Any]]) -> EditPath | None:
    """Return the edit path among the arrays of a file of latents, which may not fit them."""
    if "trail.w" not in arrays or "trail.taken" not in arrays:
        return None
    return EditPath(arrays["trail.w"], arrays["trail.taken"], arrays.get("trail.given"))


def _joined(parts: Sequence[Float32 | None]) -> Float32 | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None

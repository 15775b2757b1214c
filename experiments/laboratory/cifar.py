"""CIFAR-10 from the user's files: the binary version, or a folder of images for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from experiments.laboratory.data import CLASSES, SIDE, Pictures
from lacelang.errors import ResourceError

_BATCHES = {
    "train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)),
    "test": ("test_batch.bin",),
}
#: A record is its class and the planes of red, green and blue.
_RECORD = 1 + 3 * SIDE * SIDE
_SUFFIXES = {".png", ".jpg", ".jpeg"}


def pictures(folder: Path, part: str) -> Pictures:
    """Read the part `train` or `test`.

    Raises:
        ResourceError: the folder has neither form, or a file of it is damaged.
    """
    batches = [folder / name for name in _BATCHES[part]]
    if all(path.is_file() for path in batches):
        return _binary(batches)
    return _images(folder / part)


def _binary(batches: list[Path]) -> Pictures:
    parts = []
    for path in batches:
        raw = np.frombuffer(path.read_bytes(), np.uint8)
        if len(raw) == 0 or len(raw) % _RECORD or raw[::_RECORD].max() >= len(CLASSES["cifar"]):
            raise ResourceError(
                f"{path} is no batch of CIFAR-10's binary version", "fetch it again"
            )
        parts.append(raw.reshape(-1, _RECORD))
    records = np.concatenate(parts)
    pixels = records[:, 1:].reshape(-1, 3, SIDE, SIDE).copy()
    return Pictures(torch.from_numpy(pixels), torch.from_numpy(records[:, 0].astype(np.int64)))


def _images(folder: Path) -> Pictures:
    pixels, classes = [], []
    for number, name in enumerate(CLASSES["cifar"]):
        paths = sorted(p for p in folder.glob(f"{name}/*") if p.suffix.lower() in _SUFFIXES)
        if not paths:
            raise ResourceError(
                f"there are no images in {folder / name}, and no binary batches beside {folder}",
                "see `experiments.laboratory.data` for the forms that are read",
            )
        for path in paths:
            try:
                with Image.open(path) as image:
                    if image.size != (SIDE, SIDE):
                        raise ResourceError(f"{path} is not 32 x 32", "give CIFAR-10's own images")
                    pixels.append(np.asarray(image.convert("RGB")).transpose(2, 0, 1))
            except (OSError, UnidentifiedImageError, ValueError) as error:
                raise ResourceError(f"cannot read {path}: {error}", "remove it") from error
            classes.append(number)
    return Pictures(torch.from_numpy(np.stack(pixels)), torch.tensor(classes))

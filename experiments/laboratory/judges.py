"""Two networks that judge images of 32 x 32, trained on real images only.

`Judge` says which class an image shows: ACC is its verdict. `Reader`, of another shape, gives the
features of Fréchet distances and the logits of the inception score. Neither steers or trains any
system. `python -m experiments.laboratory.train_judges` trains them; those of Fashion-MNIST lie in
`weights`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from attrs import frozen
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from experiments.laboratory.loop import WEIGHTS
from lacelang.errors import ResourceError
from lacelang.storage.cache import cache_dir

CLASSES = 10
FEATURES = 64
_BATCH = 500


class Judge(nn.Module):
    """Images (N, C, 32, 32) in [−1, 1] → logits (N, 10): convolutions with pooling."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 32, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 48, 3, padding=1, bias=False),
            nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(48, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 16, 128), nn.ReLU(),
            nn.Dropout(0.3), nn.Linear(128, CLASSES),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.body(images)
        return logits


class Reader(nn.Module):
    """Images (N, C, 32, 32) in [−1, 1] → logits (N, 10): strided convolutions without pooling."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 32, 4, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(32, 64, 4, stride=2, padding=1), nn.BatchNorm2d(64), nn.SiLU(),
            nn.Conv2d(64, 96, 4, stride=2, padding=1), nn.BatchNorm2d(96), nn.SiLU(),
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(96 * 16, FEATURES), nn.SiLU(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, CLASSES)

    def features(self, images: Tensor) -> Tensor:
        """What the last layer reads, (N, 64)."""
        found: Tensor = self.body(images)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.head(self.features(images))
        return logits


@frozen(eq=False)
class Judges:
    """Both networks, and their accuracy on test images that neither was trained on."""

    judge: Judge
    reader: Reader
    accuracy: tuple[float, float]

    def classes(self, images: Tensor) -> Tensor:
        """The classes (N,) that the judge sees in images (N, C, 32, 32) in [−1, 1]."""
        with torch.inference_mode():
            return torch.cat([self.judge(part).argmax(1) for part in torch.split(images, _BATCH)])

    def read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, 64) and logits (N, 10) of the reader."""
        with torch.inference_mode():
            features = torch.cat(
                [self.reader.features(part) for part in torch.split(images, _BATCH)]
            )
            return features, self.reader.head(features)


def file_of(name: str) -> Path:
    """Where the judges of a data set lie, or would lie: beside the code, or in the cache."""
    file = f"judges-{name}.safetensors"
    beside = WEIGHTS / file
    return beside if beside.is_file() else cache_dir() / "laboratory" / file


@cache
def judges(name: str, channels: int = 1) -> Judges:
    """Load the judges of a data set.

    Raises:
        ResourceError: there are none, or the file is damaged.
    """
    path = file_of(name)
    remedy = f"train them: python -m experiments.laboratory.train_judges {name}"
    if not path.is_file():
        raise ResourceError(f"there are no judges of {name}", remedy)
    found = Judges(Judge(channels), Reader(channels), (0.0, 0.0))
    try:
        with safe_open(path, "pt") as file:
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            said = file.metadata()
        for part in ("judge", "reader"):
            network: nn.Module = getattr(found, part)
            own = {k.removeprefix(f"{part}."): v for k, v in state.items() if k.startswith(part)}
            network.load_state_dict(
                {k: v.float() if v.is_floating_point() else v for k, v in own.items()}
            )
            network.eval().requires_grad_(False)
        accuracy = float(said["judge"]), float(said["reader"])
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ResourceError(f"{path} is damaged: {error}", remedy) from error
    return Judges(found.judge, found.reader, accuracy)

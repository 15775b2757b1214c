"""The two networks that read digits: grey images (N, 1, 28, 28) in [0, 1] → logits (N, 10)."""

from __future__ import annotations

from torch import Tensor, nn

CLASSES = 10
FEATURES = 64


class Reader(nn.Module):
    """Three convolutions with pooling, and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 49, FEATURES), nn.ReLU(),
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


class SecondReader(nn.Module):
    """Strided convolutions without pooling, normalised, and an average over places."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 24, 4, stride=2, padding=1), nn.BatchNorm2d(24), nn.SiLU(),
            nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.BatchNorm2d(48), nn.SiLU(),
            nn.Conv2d(48, 64, 3), nn.BatchNorm2d(64), nn.SiLU(),
            nn.Conv2d(64, 64, 3), nn.SiLU(), nn.Flatten(),
            nn.Linear(64 * 9, CLASSES),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.body(images)
        return logits

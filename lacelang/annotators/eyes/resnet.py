"""The classifier of OmniArt's eyes: a ResNet-18 (He et al. 2016) with two linear layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lacelang.annotators.faces.bisenet import Backbone
from lacelang.storage.published import read_data
from lacelang.storage.published.states import state

#: The published classes, in the order of the logits.
CLASSES = (
    "amber", "blue", "brown", "gray", "grayscale", "green", "hazel", "irisless", "negative", "red",
)  # fmt: skip


class EyeColors(nn.Module):
    """From uint8 (N, 224, 224, 3) RGB to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Backbone()
        # There is nothing between them but what acts in training.
        self.head = nn.Sequential(nn.Linear(512, 256), nn.Linear(256, len(CLASSES)))

    @classmethod
    def load(cls, data: bytes) -> EyeColors:
        """Read the published checkpoint."""
        arrays = state(read_data(memoryview(data)))
        found = {name: torch.from_numpy(each) for name, each in arrays.items()}
        for theirs, ours in (("layers.fc.1.", "head.0."), ("layers.fc.3.", "head.1.")):
            for part in ("weight", "bias"):
                found[ours + part] = found.pop(theirs + part)
        network = cls().eval()
        network.load_state_dict(found)
        return network

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        x = images.permute(0, 3, 1, 2).float() / 255.0
        logits: Tensor = self.head(self.layers(x)[-1].mean((2, 3)))
        return logits

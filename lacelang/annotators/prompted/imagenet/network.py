"""The network: EfficientNet-Lite2 with the head that was trained on ImageNet."""

from __future__ import annotations

from torch import Tensor, nn

from lacelang.annotators.faces.efficientnet import FEATURES, Lite

#: Input side in pixels.
SIDE = 260
CLASSES = 1000


class ImageClasses(Lite):
    """Lite2: uint8 (N, 260, 260, 3) RGB to the logits of ImageNet's classes, (N, 1000)."""

    unused = ()

    def __init__(self) -> None:
        super().__init__(1.1, 1.2)
        self._fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits; see the class for shapes."""
        logits: Tensor = self._fc(super().forward(images))
        return logits

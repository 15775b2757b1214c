"""What the encoder sees of an image: feature maps of a frozen image network, and coarse colours."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.annotators.faces.efficientnet import INPUT_SIZE, ImageFeatures

#: Channels of the two maps, and their sides.
MIDDLE, MIDDLE_SIDE = 152, 14
DEEP, DEEP_SIDE = 320, 7
#: Side of the small copy that tells the colours.
COLOURS = 8

# After these blocks of EfficientNet-Lite0 a map is read.
_EDGES, _PARTS, _LAST = 4, 10, 15

Maps = tuple[Tensor, Tensor, Tensor]


class ImageMaps(nn.Module):
    """Images (N, 3, S, S) in [−1, 1] → maps (N, 152, 14, 14), (N, 320, 7, 7), (N, 3, 8, 8).

    Differentiable. The network is the frozen EfficientNet-Lite0 of the annotators: what it learned
    on photographs also reads those that are unlike the generator's images.
    """

    def __init__(self, network: ImageFeatures) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Maps:
        """Return the maps; see the class for shapes."""
        size = (INPUT_SIZE, INPUT_SIZE)
        x = F.interpolate(images, size, mode="bilinear", align_corners=False)
        # The network's own range, (rgb − 127) / 128.
        x = (x * 127.5 + 0.5) / 128.0
        edges, parts, deep = self.network.maps(x, (_EDGES, _PARTS, _LAST))
        middle = torch.cat((F.avg_pool2d(edges, 2), parts), dim=1)
        return middle, deep, F.adaptive_avg_pool2d(images, COLOURS)

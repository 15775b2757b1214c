"""What the encoder sees of an image: feature maps of a frozen image network, and coarse colours."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

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
        self.network = _folded(network)

    def forward(self, images: Tensor) -> Maps:
        """Return the maps; see the class for shapes."""
        edges, parts, deep = self.network.maps(_read(images, INPUT_SIZE), (_EDGES, _PARTS, _LAST))
        middle = torch.cat((F.avg_pool2d(edges, 2), parts), dim=1)
        return middle, deep, F.adaptive_avg_pool2d(images, COLOURS)

    def middle(self, images: Sequence[Tensor], side: int = INPUT_SIZE) -> Tensor:
        """The first map of images (1, 3, S, S) of any sizes, (N, 152, side / 16, side / 16).

        A smaller `side` costs less, and is enough for small images.
        """
        seen = torch.cat([_read(each, side) for each in images])
        edges, parts = self.network.maps(seen, (_EDGES, _PARTS))
        return torch.cat((F.avg_pool2d(edges, 2), parts), dim=1)


def _read(images: Tensor, side: int) -> Tensor:
    """Images as the network reads them, of its own range, (rgb − 127) / 128."""
    x = F.interpolate(images, (side, side), mode="bilinear", align_corners=False)
    # Depthwise convolutions take half as long with the channels last.
    return ((x * 127.5 + 0.5) / 128.0).contiguous(memory_format=torch.channels_last)


def _folded(network: ImageFeatures) -> ImageFeatures:
    """The same network with its normalisations in its convolutions, which saves a third."""

    def fold(layer: nn.Module, convolution: str, norm: str) -> None:
        conv, own = getattr(layer, convolution), getattr(layer, norm)
        setattr(layer, convolution, fuse_conv_bn_eval(conv, own))
        setattr(layer, norm, nn.Identity())

    found: ImageFeatures = deepcopy(network).eval()
    fold(found, "_conv_stem", "_bn0")
    for block in found._blocks:
        if block.expands:
            fold(block, "_expand_conv", "_bn0")
        fold(block, "_depthwise_conv", "_bn1")
        fold(block, "_project_conv", "_bn2")
    found.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return found.requires_grad_(False)

"""EfficientNet-Lite (Tan and Le, ICML 2019): an image embedding, and the classes of ImageNet.

Lite0 is EfficientNet-B0 without squeeze-and-excitation, with ReLU6 in place of swish. Module names
follow the published state dict; padding is TensorFlow's "same", with which it was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from torch import Tensor, nn
from torch.nn import functional as F

#: Input side in pixels of Lite0, and the length of the embedding.
INPUT_SIZE = 224
FEATURES = 1280

# kernel, repeats, first stride, expansion, output channels: table 1 of the paper.
_STAGES = (
    (3, 1, 1, 1, 16),
    (3, 2, 2, 6, 24),
    (5, 2, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (5, 3, 1, 6, 112),
    (5, 4, 2, 6, 192),
    (3, 1, 1, 6, 320),
)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _pad(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad as TensorFlow's "same" does for an even side: the odd pixel goes right and below."""
    total = kernel - stride
    return F.pad(x, (total // 2, total - total // 2) * 2)


class _Block(nn.Module):
    """Inverted residual: expand, depthwise convolution, project."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, ratio: int) -> None:
        super().__init__()
        hidden = inputs * ratio
        self.kernel, self.stride = kernel, stride
        self.expands = ratio != 1
        self.skips = stride == 1 and inputs == outputs
        if self.expands:
            self._expand_conv = nn.Conv2d(inputs, hidden, 1, bias=False)
            self._bn0 = _norm(hidden)
        self._depthwise_conv = nn.Conv2d(hidden, hidden, kernel, stride, groups=hidden, bias=False)
        self._bn1 = _norm(hidden)
        self._project_conv = nn.Conv2d(hidden, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(_pad(y, self.kernel, self.stride))))
        out: Tensor = self._bn2(self._project_conv(y))
        return x + out if self.skips else out


class Lite(nn.Module):
    """The layers up to the pooled features, scaled in width and depth (Tan and Le, eq. 3)."""

    def __init__(self, width: float, depth: float) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks, channels = [], 32
        for number, (kernel, repeats, stride, ratio, outputs) in enumerate(_STAGES):
            # The Lite variants scale neither the stem nor the repeats of the first and last stage.
            inner = 0 < number < len(_STAGES) - 1
            outputs = _scaled(outputs, width)
            for repeat in range(ceil(depth * repeats) if inner else repeats):
                step = stride if repeat == 0 else 1
                blocks.append(_Block(channels, outputs, kernel, step, ratio))
                channels = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(channels, FEATURES, 1, bias=False)
        self._bn1 = _norm(FEATURES)

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings; see the class for shapes."""
        x = (images.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        (last,) = self.maps(x, (len(self._blocks) - 1,))
        return F.relu6(self._bn1(self._conv_head(last))).mean((2, 3))

    def maps(self, x: Tensor, after: Sequence[int]) -> list[Tensor]:
        """Normalised images (N, 3, H, W) → the feature maps after some of the blocks, in order."""
        x = F.relu6(self._bn0(self._conv_stem(_pad(x, 3, 2))))
        found = []
        for number, block in enumerate(self._blocks[: max(after) + 1]):
            x = block(x)
            if number in after:
                found.append(x)
        return found


class ImageFeatures(Lite):
    """Embed images: uint8 (N, 224, 224, 3) RGB to float32 (N, 1280), pooled over space."""

    #: Names in the published checkpoint that begin so are not of it.
    unused = ("_fc.",)

    def __init__(self) -> None:
        super().__init__(1.0, 1.0)


def _scaled(channels: int, width: float) -> int:
    """Channels times the width, as the nearest multiple of 8 that is no tenth smaller."""
    wanted = channels * width
    nearest = max(8, int(wanted + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * wanted else nearest

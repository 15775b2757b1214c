"""Small images from the first blocks of the synthesis network, at a fraction of its cost.

Every block of MobileStyleGAN was trained to give an image of its own resolution (Belousov 2021,
section 3), but the published weights have the layers to pixels of the last block only. Small
networks in the place of the others are fitted by `experiments/train_inversion.py`.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.generators.mobilestylegan import DIM
from lacelang.generators.mobilestylegan.networks import OUT_CHANNELS, SynthesisNetwork

#: Side in pixels of each small image, and how many blocks make it.
BLOCKS = {64: 3, 128: 4, 256: 5}


_WIDTH = 48


class Readout(nn.Module):
    """Planes (N, C, H, W) and their style (N, 512) → RGB (N, 3, 2H, 2W), nominally in [−1, 1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(channels, 12, 1)
        self.narrow = nn.Conv2d(channels, _WIDTH, 1)
        self.style = nn.Linear(DIM, _WIDTH)
        self.middle = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
        self.last = nn.Conv2d(_WIDTH, 12, 3, padding=1)

    def forward(self, planes: Tensor, style: Tensor) -> Tensor:
        """Return the image; see the class for shapes."""
        return F.pixel_shuffle(self.bands(planes, style), 2)

    def bands(self, planes: Tensor, style: Tensor) -> Tensor:
        """Return the pixels of each 2 × 2 block, (N, 12, H, W)."""
        x = self.narrow(planes) * (1.0 + self.style(style))[:, :, None, None]
        x = F.gelu(self.middle(F.gelu(x)))
        out: Tensor = self.linear(planes) + self.last(x)
        return out


class LowResolution(nn.Module):
    """Styles w+ (N, 23, 512) → images (N, 3, side, side) of 64, 128 or 256 pixels.

    Args:
        synthesis: the network whose first blocks are used; not changed.
        w_mean: (512,), which readouts subtract from styles.
    """

    def __init__(self, synthesis: SynthesisNetwork, w_mean: Tensor) -> None:
        super().__init__()
        self.synthesis = synthesis
        self.register_buffer("w_mean", w_mean, persistent=False)
        self.readouts = nn.ModuleDict(
            {str(side): Readout(OUT_CHANNELS[blocks - 1]) for side, blocks in BLOCKS.items()}
        )

    def planes(self, styles: Tensor, blocks: int, strength: Tensor | float = 1.0) -> Tensor:
        """Styles → what so many blocks make of them, (N, C, H, W)."""
        network = self.synthesis
        x = network.first(network.input, styles[:, 0], strength)
        layers = list(zip(network.ups, network.conv1, network.conv2, strict=True))
        for k, (up, conv1, conv2) in enumerate(layers[:blocks]):
            x = up(x, styles[:, 3 * k + 1])
            x = conv1(x, styles[:, 3 * k + 2], strength)
            x = conv2(x, styles[:, 3 * k + 3], strength)
        out: Tensor = x
        return out

    def forward(self, styles: Tensor, side: int, strength: Tensor | float = 1.0) -> Tensor:
        """Return images of `side` pixels; differentiable."""
        blocks = BLOCKS[side]
        style = styles[:, 3 * blocks + 1] - self.get_buffer("w_mean")
        image: Tensor = self.readouts[str(side)](self.planes(styles, blocks, strength), style)
        return image

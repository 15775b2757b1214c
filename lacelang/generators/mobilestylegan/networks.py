"""The networks of MobileStyleGAN in PyTorch: mapping z → w, and synthesis w+ → image.

The mapping network is StyleGAN2's (Karras et al. 2020, section 2). In the synthesis network
(Belousov 2021) every modulated convolution scales its input channels by an affine function of one
style vector; demodulation was folded into constant weights when the network was distilled. Between
resolutions an inverse Haar wavelet turns four sub-bands at half the size into one plane. There are
23 modulations, and each may be given a style of its own (w+).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.generators.mobilestylegan import DIM

DEPTH = 8  # layers of the mapping network
# Channels entering each resolution's block, 8² to 512².
IN_CHANNELS = (512, 512, 512, 512, 512, 256, 128)
OUT_CHANNELS = (512, 512, 512, 512, 256, 128, 64)
STYLES = 1 + 3 * len(IN_CHANNELS) + 1
RESOLUTION = 1024

# Signs of the Haar sub-bands (low, vertical, horizontal, diagonal detail) at the four pixels
# (top left, top right, bottom left, bottom right) of the 2 × 2 block that they make up.
HAAR = torch.tensor(
    [
        [1.0, 1.0, 1.0, 1.0],
        [1.0, 1.0, -1.0, -1.0],
        [1.0, -1.0, 1.0, -1.0],
        [1.0, -1.0, -1.0, 1.0],
    ]
)


class Loaded(nn.Linear):
    """A layer whose weights are read from a file; none are drawn from torch's random numbers."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class MappingNetwork(nn.Module):
    """Pixel norm, then eight fully connected layers with LeakyReLU(0.2) scaled by √2.

    Learning-rate multipliers are folded into the weights. Since z is normalised first, w does
    not depend on ‖z‖.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Loaded(DIM, DIM) for _ in range(DEPTH))

    def forward(self, z: Tensor) -> Tensor:
        """Map latents z (N, 512) to w (N, 512)."""
        x = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2) * math.sqrt(2.0)
        return x


class Modulation(Loaded):
    """Style (N, 512) → channel scales (N, C, 1, 1); equalised-rate constants are folded in."""

    def forward(self, style: Tensor) -> Tensor:
        """Return the scales of the channels."""
        return super().forward(style)[:, :, None, None]


class ModulatedConv(nn.Module):
    """Scale the channels by the style, convolve, add the baked noise, bias, LeakyReLU(0.2)."""

    def __init__(self, inputs: int, outputs: int, size: int, *, separable: bool) -> None:
        super().__init__()
        self.modulation = Modulation(DIM, inputs)
        self.separable = separable
        kernel = 1 if separable else 3
        if separable:
            self.depthwise = nn.Parameter(torch.empty(inputs, 1, 3, 3))
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.noise = nn.Parameter(torch.empty(1, 1, size, size))
        self.bias = nn.Parameter(torch.empty(outputs))

    def forward(self, x: Tensor, style: Tensor, strength: Tensor | float) -> Tensor:
        """x (N, C, H, W), style (N, 512), noise strength → (N, C', H, W)."""
        x = x * self.modulation(style)
        if self.separable:
            x = F.conv2d(x, self.depthwise, padding=1, groups=x.shape[1])
        x = F.conv2d(x, self.weight, self.bias, padding=0 if self.separable else 1)
        return F.leaky_relu(x + self.noise * strength, 0.2)


class WaveletUp(nn.Module):
    """Scale 4C channels by the style and merge them into C channels at twice the size.

    Channels come as C low-pass planes and then, plane by plane, their three detail bands.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.modulation = Modulation(DIM, inputs)
        self.planes = inputs // 4
        r = 0.5**0.5
        for name, taps in (("sum", (r, r)), ("difference", (r, -r))):
            rows = torch.tensor(taps).repeat(self.planes, 1)
            self.register_buffer(f"v_{name}", rows.reshape(-1, 1, 2, 1), persistent=False)
            self.register_buffer(f"h_{name}", rows.reshape(-1, 1, 1, 2), persistent=False)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x (N, 4C, H, W), style (N, 512) → (N, C, 2H, 2W)."""
        x = x * self.modulation(style)
        n, _, h, w = x.shape
        detail = x[:, self.planes :].reshape(n, self.planes, 3, h, w)
        low = self._merged("v", x[:, : self.planes], detail[:, :, 0])
        high = self._merged("v", detail[:, :, 1], detail[:, :, 2])
        return self._merged("h", low, high)

    # Two separable passes of grouped transposed convolutions: on a CPU a tenth faster than a
    # pixel shuffle of the four corners, which moves the same numbers about in memory.
    def _merged(self, axis: str, low: Tensor, high: Tensor) -> Tensor:
        def spread(x: Tensor, taps: str) -> Tensor:
            stride = (2, 1) if axis == "v" else (1, 2)
            weight = self.get_buffer(f"{axis}_{taps}")
            return F.conv_transpose2d(x, weight, stride=stride, groups=self.planes)

        return spread(low, "sum") + spread(high, "difference")


class SynthesisNetwork(nn.Module):
    """Styles w+ (N, 23, 512) → images (N, 3, 1024, 1024), RGB, nominally in [−1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.empty(1, 512, 4, 4))
        self.first = ModulatedConv(512, 512, 4, separable=False)
        self.ups = nn.ModuleList(WaveletUp(c) for c in IN_CHANNELS)
        sizes = [8 << k for k in range(len(IN_CHANNELS))]
        shapes = list(zip(IN_CHANNELS, OUT_CHANNELS, sizes, strict=True))
        self.conv1 = nn.ModuleList(
            ModulatedConv(c // 4, out, size, separable=True) for c, out, size in shapes
        )
        self.conv2 = nn.ModuleList(
            ModulatedConv(out, out, size, separable=True) for _, out, size in shapes
        )
        self.to_image = Modulation(DIM, OUT_CHANNELS[-1])
        # The last inverse wavelet is linear and follows a 1 × 1 convolution directly, so the two
        # are one convolution into the four pixels of each block.
        self.image_weight = nn.Parameter(torch.empty(12, OUT_CHANNELS[-1], 1, 1))
        self.image_bias = nn.Parameter(torch.empty(12))

    def forward(self, styles: Tensor, strength: Tensor | float = 1.0) -> Tensor:
        """Return one image per row of styles; differentiable. `strength` scales the baked noise."""
        x = self.first(self.input, styles[:, 0], strength)
        k = 1
        for up, conv1, conv2 in zip(self.ups, self.conv1, self.conv2, strict=True):
            x = up(x, styles[:, k])
            x = conv1(x, styles[:, k + 1], strength)
            x = conv2(x, styles[:, k + 2], strength)
            k += 3
        x = F.conv2d(x * self.to_image(styles[:, k]), self.image_weight, self.image_bias)
        return F.pixel_shuffle(x, 2)

"""The synthesis network of StyleGAN3 in PyTorch: w+ → image. The mapping network is StyleGAN2's.

Written from Karras et al. 2021, "Alias-free generative adversarial networks", section 3 and
appendices C and D. Planes are samples of continuous signals: a layer convolves them, then samples
them more densely, applies the LeakyReLU, filters what lies beyond its bandwidth, and samples them
as the next layer wants them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.generators.stylegan2.networks import EPSILON, GAIN, SLOPE
from lacelang.generators.stylegan3.config import Config, LayerConfig


class Input(nn.Module):
    """Waves of fixed frequencies, rotated and shifted by the style, and mixed: appendix C.1."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        waves = config.frequencies
        self.size, self.rate, self.bandwidth = config.size, config.rate, config.bandwidth
        self.affine = nn.Linear(config.w, 4)
        self.weight = nn.Parameter(torch.empty(waves, waves))
        self.frequencies = nn.Parameter(torch.empty(waves, 2))
        self.phases = nn.Parameter(torch.empty(waves))
        self.transform = nn.Parameter(torch.empty(3, 3))

    def forward(self, w: Tensor) -> Tensor:
        """w (N, d) → planes (N, waves, size, size)."""
        turned = self._motion(self.affine(w)) @ self.transform
        frequencies = self.frequencies @ turned[:, :2, :2]
        phases = self.phases + (self.frequencies @ turned[:, :2, 2:])[:, :, 0]
        # Waves that the rotation has taken beyond the bandwidth fade.
        beyond = frequencies.norm(dim=2) - self.bandwidth
        strength = (1 - beyond / (self.rate / 2 - self.bandwidth)).clamp(0, 1)
        # Samples are the midpoints of cells, and 1 / rate apart.
        at = (torch.arange(self.size, device=w.device, dtype=w.dtype) + 0.5) - self.size / 2
        at = at / self.rate
        along = frequencies[:, :, 0, None] * at, frequencies[:, :, 1, None] * at
        angle = along[0][:, :, None, :] + along[1][:, :, :, None] + phases[:, :, None, None]
        waves = torch.sin(2 * math.pi * angle) * strength[:, :, None, None]
        return torch.einsum("oi,nihw->nohw", self.weight, waves)

    def _motion(self, said: Tensor) -> Tensor:
        """(N, 4), a direction and a shift, → matrices (N, 3, 3) that turn and then shift."""
        c, s, x, y = (said / said[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        zero, one = torch.zeros_like(c), torch.ones_like(c)
        turn = torch.stack([c, -s, zero, s, c, zero, zero, zero, one], dim=1)
        shift = torch.stack([one, zero, -x, zero, one, -y, zero, zero, one], dim=1)
        return turn.reshape(-1, 3, 3) @ shift.reshape(-1, 3, 3)


def filtered(x: Tensor, taps: Tensor) -> Tensor:
    """Planes (N, C, H, W) filtered along each axis, or by a filter of two dimensions; no edges."""
    channels = x.shape[1]
    if taps.ndim == 2:
        kernel = taps.flip((0, 1)).expand(channels, 1, *taps.shape)
        return F.conv2d(x, kernel, groups=channels)
    taps = taps.flip(0)
    x = F.conv2d(x, taps[:, None].expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(x, taps[None, :].expand(channels, 1, 1, -1), groups=channels)


def spread(x: Tensor, factor: int, padding: tuple[int, int, int, int]) -> Tensor:
    """Planes with zeros behind their samples, so that there are `factor` times as many; padded."""
    if factor > 1:
        n, channels, high, wide = x.shape
        x = F.pad(x[:, :, :, None, :, None], (0, factor - 1, 0, 0, 0, factor - 1))
        x = x.reshape(n, channels, high * factor, wide * factor)
    return F.pad(x, padding)


class Layer(nn.Module):
    """One layer; see `LayerConfig`."""

    def __init__(self, config: Config, layer: LayerConfig) -> None:
        super().__init__()
        self.layer, self.clamp = layer, config.clamp
        self.affine = nn.Linear(config.w, layer.inputs)
        shape = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(layer.outputs))
        self.gain = nn.Parameter(torch.empty(()))
        self.up_filter: nn.Parameter | None = None
        self.down_filter: nn.Parameter | None = None
        if layer.up_taps:
            self.up_filter = nn.Parameter(torch.empty(layer.up_taps))
        if layer.down_taps:
            down = (layer.down_taps,) * (1 + layer.radial)
            self.down_filter = nn.Parameter(torch.empty(down))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x (N, in, H, W), w (N, d) → (N, out, H', W')."""
        said, style = self.layer, self.affine(w)
        weight: Tensor = self.weight
        after: Tensor = self.gain
        if not said.image:
            # Both normalised first, as in training, so that what is added to roots is small.
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
            power = weight.square().sum(dim=(2, 3))
            scale = torch.rsqrt(style.square() @ power.T + EPSILON)
            after = (scale * self.gain)[:, :, None, None]
        x = F.conv2d(x * style[:, :, None, None], weight, padding=said.kernel - 1) * after
        x = spread(x + self.bias[:, None, None], said.up, said.padding)
        if self.up_filter is not None:
            x = filtered(x, self.up_filter * said.up)  # for the zeros, along each axis
        elif said.up > 1:
            x = x * said.up**2
        if not said.image:
            x = F.leaky_relu(x, SLOPE) * GAIN
        if self.clamp is not None:
            x = x.clamp(-self.clamp, self.clamp)
        if self.down_filter is not None:
            x = filtered(x, self.down_filter)
        sampled: Tensor = x[:, :, :: said.down, :: said.down]
        return sampled


class Synthesis(nn.Module):
    """Styles w+ (N, styles, w) → images (N, 3, H, W), RGB, nominally in [−1, 1]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.scale = config.scale
        self.input = Input(config)
        self.layers = nn.ModuleList(Layer(config, layer) for layer in config.layers)

    def forward(self, styles: Tensor) -> Tensor:
        """Return one image per row of styles; differentiable."""
        x: Tensor = self.input(styles[:, 0])
        for number, layer in enumerate(self.layers, start=1):
            x = layer(x, styles[:, number])
        return x * self.scale

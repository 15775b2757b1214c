"""A style-based generator and its discriminator at 32 x 32 (StyleGAN2, Karras et al. 2020).

    mapping      z ~ N(0, I), scaled to length √d → w, by layers with a small learning rate
    synthesis    a learned constant at 4² → 8² → 16² → 32²; every convolution is modulated by w and
                 demodulated, then noise and a bias are added; images of all sizes are summed
    discriminator  residual blocks, and the deviation within a small group as one more feature

Weights are drawn from N(0, 1) and scaled by gain/√fan-in when they are used (equalised learning
rate).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Of z and of w.
LATENT = 128
#: Channels at 4², 8², 16² and 32².
WIDTHS = (96, 96, 64, 32)
MAPPING_LAYERS = 4
#: What the learning rate of the mapping is multiplied by.
MAPPING_RATE = 0.01
#: Images whose deviation from each other the discriminator sees.
GROUP = 8
_SLOPE = 0.2
# Keeps the variance under the leaky rectifier; in front of it, where it costs nothing.
_GAIN = math.sqrt(2.0)
#: Decay of the mean of w, which truncation moves towards.
_MEAN_DECAY = 0.998


class Linear(nn.Module):
    """An affine layer with equalised learning rate, times `rate`."""

    def __init__(
        self, into: int, out: int, bias: float = 0.0, rate: float = 1.0, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, into) / rate)
        self.bias = nn.Parameter(torch.full((out,), bias / rate))
        self.scale, self.rate = gain * rate / math.sqrt(into), rate

    def forward(self, x: Tensor) -> Tensor:
        """(N, into) → (N, out)."""
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class Convolution(nn.Module):
    """A convolution of the same size with equalised learning rate."""

    def __init__(
        self, into: int, out: int, side: int, bias: bool = True, gain: float = _GAIN
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, into, side, side))
        self.bias = nn.Parameter(torch.zeros(out)) if bias else None
        self.scale = gain / math.sqrt(into * side * side)

    def forward(self, x: Tensor) -> Tensor:
        """(N, into, H, W) → (N, out, H, W)."""
        padding = self.weight.shape[2] // 2
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=padding)


class Modulated(nn.Module):
    """A convolution whose weights are scaled by styles, w s_i, and demodulated (section 2.2).

    Demodulated weights have the norm 1 for every output channel:  w s_i / √Σ (w s_i)².  Scaling the
    inputs by s_i and the outputs by 1 / √Σ is the same, with one convolution for all samples.
    """

    def __init__(self, into: int, out: int, side: int = 3, demodulated: bool = True) -> None:
        super().__init__()
        self.styles = Linear(LATENT, into, bias=1.0)
        self.convolution = Convolution(into, out, side, bias=False, gain=1.0)
        self.demodulated = demodulated

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Features (N, into, H, W) and w (N, 128) → (N, out, H, W)."""
        styles = self.styles(w).to(x.dtype)
        y: Tensor = self.convolution(x * styles[:, :, None, None])
        if self.demodulated:
            weight = self.convolution.weight * self.convolution.scale
            squares = styles.float().square() @ weight.square().sum((2, 3)).T
            y = y * (_GAIN * torch.rsqrt(squares + 1e-8)).to(y.dtype)[:, :, None, None]
        return y


class Layer(nn.Module):
    """A modulated convolution with noise, a bias and a leaky rectifier."""

    def __init__(self, into: int, out: int, side: int) -> None:
        super().__init__()
        self.modulated = Modulated(into, out)
        self.bias = nn.Parameter(torch.zeros(out, 1, 1))
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", torch.randn(1, 1, side, side))

    noise: Tensor

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Return the features; noise is drawn anew in training, and constant otherwise."""
        y: Tensor = self.modulated(x, w)
        noise = torch.randn(len(x), *self.noise.shape[1:]) if self.training else self.noise
        return F.leaky_relu(y + (noise * self.strength + self.bias).to(y.dtype), _SLOPE)


class Synthesis(nn.Module):
    """w (N, 128) → images (N, C, 32, 32), about in [−1, 1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.randn(1, WIDTHS[0], 4, 4))
        self.first = Layer(WIDTHS[0], WIDTHS[0], 4)
        self.to_image = nn.ModuleList(
            Modulated(width, channels, side=1, demodulated=False) for width in WIDTHS
        )
        self.image_bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.blocks = nn.ModuleList(
            nn.ModuleList([Layer(into, out, 8 << k), Layer(out, out, 8 << k)])
            for k, (into, out) in enumerate(pairwise(WIDTHS))
        )

    def forward(self, w: Tensor) -> Tensor:
        """Return the images."""
        x = self.constant.expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        x = self.first(x, w)
        image = self.to_image[0](x, w).float()
        for block, to_image in zip(self.blocks, [*self.to_image][1:], strict=True):
            x = _larger(x)
            for layer in block:  # type: ignore[attr-defined]
                x = layer(x, w)
            image = _larger(image) + to_image(x, w).float()
        images: Tensor = image + self.image_bias
        return images


class StyleGenerator(nn.Module):
    """z ~ N(0, I) (N, 128) → images (N, C, 32, 32), by way of w (N, 128)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mapping = nn.ModuleList(
            Linear(LATENT, LATENT, rate=MAPPING_RATE, gain=_GAIN) for _ in range(MAPPING_LAYERS)
        )
        self.synthesis = Synthesis(channels)
        self.register_buffer("mean", torch.zeros(LATENT))

    mean: Tensor

    def styles(self, z: Tensor) -> Tensor:
        """Return w; the length of z does not count. In training, w joins the mean."""
        w = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        # Cheap, and what everything depends on: never in half precision.
        with torch.autocast("cpu", enabled=False):
            for layer in self.mapping:
                w = F.leaky_relu(layer(w), _SLOPE)
        if self.training:
            self.mean.lerp_(w.detach().float().mean(0), 1 - _MEAN_DECAY)
        return w

    def forward(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Return the images, of w moved towards its mean by the truncation."""
        images: Tensor = self.synthesis(self.mean.lerp(self.styles(z), truncation))
        return images


class Residual(nn.Module):
    """Two convolutions, the second at half the size, beside one of a single pixel."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(into, into, 3), Convolution(into, out, 3)
        self.skip = Convolution(into, out, 1, bias=False, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """(N, into, H, W) → (N, out, H / 2, W / 2)."""
        kept: Tensor = self.skip(F.avg_pool2d(x, 2))
        x = _rectified(self.second(F.avg_pool2d(_rectified(self.first(x)), 2)))
        return (x + kept) * math.sqrt(0.5)


class Discriminator(nn.Module):
    """Images (N, C, 32, 32) → logits (N,), positive for real ones."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        sizes = WIDTHS[::-1]
        self.into = Convolution(channels, sizes[0], 1)
        self.blocks = nn.ModuleList(Residual(a, b) for a, b in pairwise(sizes))
        self.last = Convolution(sizes[-1] + 1, sizes[-1], 3)
        self.joined = Linear(sizes[-1] * 16, sizes[-1], gain=_GAIN)
        self.logit = Linear(sizes[-1], 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        x = _rectified(self.into(images))
        for block in self.blocks:
            x = block(x)
        x = torch.cat([x, deviation(x)], dim=1)
        x = _rectified(self.last(x)).flatten(1)
        logits: Tensor = self.logit(_rectified(self.joined(x))).float()
        return logits[:, 0]


def deviation(x: Tensor, group: int = GROUP) -> Tensor:
    """The mean deviation of features (N, C, H, W) in groups, (N, 1, H, W).

    Groups are every N / `group`-th of the images; all of them, where N is no multiple.
    """
    count = group if len(x) % group == 0 else len(x)
    parts = x.float().reshape(count, -1, *x.shape[1:])
    found = torch.sqrt(parts.var(0, unbiased=False) + 1e-8).mean((1, 2, 3))
    repeated = found.repeat(count)[:, None, None, None]
    return repeated.expand(-1, 1, *x.shape[2:]).to(x.dtype)


def _rectified(x: Tensor) -> Tensor:
    return F.leaky_relu(x, _SLOPE)


def _larger(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

"""The networks of StyleGAN2 in PyTorch: mapping z → w, and synthesis w+ → image.

Written from Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", section 2
and appendix B, and for classes and limits from Karras et al. 2020, "Training generative adversarial
networks with limited data". The constants of equalised learning rates are folded into the weights,
and the strength of the noise into its image.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.generators.relaxed import RelaxedClass
from lacelang.generators.stylegan2.config import Config, has_image
from lacelang.generators.stylegan2.sizes import MappingConfig

EPSILON = 1e-8
TAPS = (1.0, 3.0, 3.0, 1.0)
"""The low-pass filter of upsampling, along each axis, up to its sum."""
GAIN = math.sqrt(2.0)
SLOPE = 0.2


def normalised(x: Tensor) -> Tensor:
    """Rows (N, d) scaled to a mean square of 1."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + EPSILON)


class Mapping(nn.Module):
    """z → w: z and the embedded class are normalised, and go through fully connected layers.

    The class is in the last coordinates of z, relaxed. Since z is normalised, w does not depend on
    the norm of its other coordinates.
    """

    def __init__(self, config: MappingConfig) -> None:
        super().__init__()
        self.z = config.z
        if config.classes:
            self.relaxed = RelaxedClass(config.classes)
            self.embed = nn.Linear(config.classes, config.embedded)
        widths = (config.z + config.embedded, *config.hidden)
        pairs = zip(widths, config.hidden, strict=False)
        self.layers = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in pairs)

    def forward(self, z: Tensor) -> Tensor:
        """Latents (N, z + classes) → w (N, w)."""
        x = normalised(z[:, : self.z])
        if z.shape[1] > self.z:
            embedded = self.embed(self.relaxed(z[:, self.z :]))
            x = torch.cat([x, normalised(embedded)], dim=1)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE) * GAIN
        return x


class Blur(nn.Module):
    """The low-pass filter of upsampling, with a gain of 4 for the zeros between the pixels."""

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor(TAPS, device="cpu")  # also where the rest is built without memory
        self.register_buffer("taps", 2.0 * taps / taps.sum(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Filter (N, C, 2H + 1, 2W + 1) to (N, C, 2H, 2W)."""
        taps = self.get_buffer("taps").to(x.dtype)
        channels = x.shape[1]
        x = F.conv2d(
            x, taps.view(1, 1, 4, 1).expand(channels, 1, 4, 1), padding=(1, 0), groups=channels
        )
        return F.conv2d(
            x, taps.view(1, 1, 1, 4).expand(channels, 1, 1, 4), padding=(0, 1), groups=channels
        )

    def upsample(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, 2H, 2W): zeros between the pixels, and the filter."""
        taps = self.get_buffer("taps").to(x.dtype)
        channels = x.shape[1]
        kernel = torch.outer(taps, taps).expand(channels, 1, 4, 4)
        return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)


class ModulatedConv(nn.Module):
    """A convolution whose weights are scaled by a style: equations 1 and 3 of the paper.

    The style scales the inputs, and what it does to the variance scales the outputs, which is the
    same as scaling the weights for each image.
    """

    def __init__(self, config: Config, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.affine = nn.Linear(config.w, inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.clamp = config.clamp

    def demodulation(self, style: Tensor) -> Tensor:
        """Styles (N, in) → factors (N, out, 1, 1), under which every output has unit variance."""
        power = self.weight.square().sum(dim=(2, 3))
        factors: Tensor = torch.rsqrt(style.square() @ power.T + EPSILON)
        return factors[:, :, None, None]

    def limited(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """Activations, limited where the network is."""
        return x if self.clamp is None else x.clamp(-self.clamp * gain, self.clamp * gain)


class Layer(ModulatedConv):
    """A modulated convolution of 3 × 3, noise, bias and LeakyReLU; twice the size if `up`."""

    def __init__(self, config: Config, inputs: int, outputs: int, size: int, *, up: bool) -> None:
        super().__init__(config, inputs, outputs, 3)
        self.noise = nn.Parameter(torch.empty(size, size))
        self.blur = Blur() if up else None

    def forward(self, x: Tensor, w: Tensor, gain: float = 1.0) -> Tensor:
        """x (N, in, H, W), w (N, d) → (N, out, size, size)."""
        style = self.affine(w)
        x = x * style[:, :, None, None]
        if self.blur is None:
            x = F.conv2d(x, self.weight, padding=1)
        else:
            x = self.blur(F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2))
        # LeakyReLU keeps positive factors, so that its gain can come first, where it costs less.
        after = GAIN * gain
        x = torch.addcmul(self.noise * after, x, self.demodulation(style) * after)
        x = x.add_((self.bias * after)[:, None, None])
        return self.limited(F.leaky_relu(x, SLOPE, inplace=True), gain)


class ToImage(ModulatedConv):
    """A modulated convolution of 1 × 1 to red, green and blue, without demodulation."""

    def __init__(self, config: Config, inputs: int) -> None:
        super().__init__(config, inputs, 3, 1)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x (N, in, H, W), w (N, d) → (N, 3, H, W)."""
        return self.limited(F.conv2d(x * self.affine(w)[:, :, None, None], self.weight, self.bias))


class Block(nn.Module):
    """The layers of one resolution."""

    def __init__(self, config: Config, k: int) -> None:
        super().__init__()
        outputs, size = config.channels[k], 4 << k
        inputs = config.channels[max(0, k - 1)]
        self.conv0 = Layer(config, inputs, outputs, size, up=True) if k else None
        self.conv1 = Layer(config, outputs, outputs, size, up=False)
        self.to_rgb = ToImage(config, outputs) if has_image(config, k) else None
        self.blur = Blur()
        self.skip: nn.Conv2d | None = None
        if k and config.kind == "resnet":
            self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(
        self, x: Tensor, styles: Tensor, image: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """x, styles (N, 2 or 3, d) and the image so far → x and image at this size."""
        at, gain = 0, 1.0
        around = None
        if self.skip is not None:
            gain = math.sqrt(0.5)
            around = self.blur.upsample(self.skip(x)) * gain
        if self.conv0 is not None:
            x, at = self.conv0(x, styles[:, 0]), 1
        x = self.conv1(x, styles[:, at], gain)
        if around is not None:
            x = around + x
        if image is not None:
            image = self.blur.upsample(image)
        if self.to_rgb is not None:
            made = self.to_rgb(x, styles[:, at + 1])
            image = made if image is None else image + made
        return x, image


class Synthesis(nn.Module):
    """Styles w+ (N, styles, w) → images (N, 3, H, W), RGB, nominally in [−1, 1]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.const = nn.Parameter(torch.empty(config.channels[0], 4, 4))
        self.blocks = nn.ModuleList(Block(config, k) for k in range(len(config.channels)))

    def forward(self, styles: Tensor) -> Tensor:
        """Return one image per row of styles; differentiable.

        A block takes the style of its image, too, which is that of the next block's first layer.
        """
        x = self.const.expand(len(styles), -1, -1, -1)
        image: Tensor | None = None
        for k, block in enumerate(self.blocks):
            first = max(0, 2 * k - 1)
            x, image = block(x, styles[:, first : 2 * k + 2], image)
        assert image is not None
        return image

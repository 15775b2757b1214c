"""The networks in PyTorch, with the batch normalisation folded into the convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from lacelang.generators.dcgan import EYE_COLORS, Z
from lacelang.generators.relaxed import RelaxedClass, snapped

#: Channels of the faces' network, from its latent to the image, and those of the eyes'.
FACES = (Z, 512, 256, 128, 64, 3)
EYES = (Z + len(EYE_COLORS), 1024, 512, 256, 128, 64, 3)
#: Of the relaxed class, whose gradient moves g: soft enough that every class has one.
SHARPNESS = 1.5


class DCGAN(nn.Module):
    """A latent as one style (N, 1, d) → images (N, 3, H, W) in [−1, 1], RGB.

    A transposed convolution to 4², and each further one doubles the size.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ConvTranspose2d(inputs, outputs, 4, 2 if k else 1, 1 if k else 0)
            for k, (inputs, outputs) in enumerate(pairwise(channels))
        )

    def forward(self, styles: Tensor) -> Tensor:
        """Return the images; differentiable."""
        x = self.seeds(styles[:, 0])[:, :, None, None]
        for k, layer in enumerate(self.layers):
            x = layer(x if k == 0 else x.relu())
        return x.tanh()

    def seeds(self, w: Tensor) -> Tensor:
        """What the first layer is given for w (N, d)."""
        return w


class EyeDCGAN(DCGAN):
    """Styles are (z, c), and the network is given the class where c is largest."""

    def seeds(self, w: Tensor) -> Tensor:
        """w (N, 108) → z and a one-hot vector (N, 108)."""
        return torch.cat([w[:, :Z], snapped(w[:, Z:])], dim=1)


class Classes(nn.Module):
    """Normals g (N, 8) → the one-hot class where g is largest, with the relaxed class's gradient.

    Classifiers of exact classes are the better ones, and an energy still moves g towards the class
    that it asks for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.relaxed = RelaxedClass(len(EYE_COLORS), SHARPNESS)

    def forward(self, normals: Tensor) -> Tensor:
        """Return the classes (N, 8)."""
        return snapped(self.relaxed(normals))


class EyeMapping(nn.Module):
    """Latents (z, g) → styles (z, c), (N, 108) both, with c the class of g."""

    def __init__(self) -> None:
        super().__init__()
        self.classes = Classes()

    def forward(self, latents: Tensor) -> Tensor:
        """Return the styles."""
        return torch.cat([latents[:, :Z], self.classes(latents[:, Z:])], dim=1)

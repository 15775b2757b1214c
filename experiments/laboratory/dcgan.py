"""The backbone that all conditional GANs share: DCGAN at 32 x 32, with its usual conditioning.

The generator has conditional batch normalisation, the discriminator spectral normalisation (Miyato
and Koyama 2018).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from attrs import frozen
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

CLASSES = 10
LATENT = 64
#: Channels of the generator at 4², 8² and 16²; of the discriminator in reverse.
WIDTHS = (96, 48, 24)
EMBEDDING = 64


class ConditionalNorm(nn.Module):
    """Batch normalisation whose scale and shift depend on the class."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Embedding(CLASSES, channels)
        self.shift = nn.Embedding(CLASSES, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, classes: Tensor) -> Tensor:
        """Images (N, C, H, W) and classes (N,) → images."""
        scale, shift = self.scale(classes), self.shift(classes)
        found: Tensor = self.norm(x) * scale[:, :, None, None] + shift[:, :, None, None]
        return found


class Generator(nn.Module):
    """z ~ N(0, I) (N, 64) and classes (N,) → images (N, C, 32, 32) in [−1, 1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.into = nn.Linear(LATENT, WIDTHS[0] * 16)
        sizes = (*WIDTHS, channels)
        self.norms = nn.ModuleList(ConditionalNorm(size) for size in WIDTHS)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(size, after, 4, stride=2, padding=1)
            for size, after in pairwise(sizes)
        )

    def forward(self, z: Tensor, classes: Tensor) -> Tensor:
        """Return the images."""
        x = self.into(z).view(len(z), -1, 4, 4)
        for norm, up in zip(self.norms, self.ups, strict=True):
            x = up(F.relu(norm(x, classes)))
        images: Tensor = torch.tanh(x)
        return images


@frozen(eq=False)
class Seen:
    """What a discriminator says of N images.

    Attributes:
        joint: f(x)[k] (N, 10): log p(x, k) up to a constant, in the energy-based parameterisation.
        own: a logit ψ(x) (N,) of its own, of which the classes know nothing.
        embedding: l(x) (N, 64), of norm 1.
        anchors: e(k) (10, 64), embeddings of the classes, of norm 1.
    """

    joint: Tensor
    own: Tensor
    embedding: Tensor
    anchors: Tensor


class Discriminator(nn.Module):
    """Images (N, C, 32, 32) in [−1, 1] → what it says of them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        sizes = (channels, *reversed(WIDTHS))
        self.body = nn.ModuleList(
            spectral_norm(nn.Conv2d(size, after, 4, stride=2, padding=1))
            for size, after in pairwise(sizes)
        )
        width = WIDTHS[0]
        self.joint = spectral_norm(nn.Linear(width, CLASSES))
        self.own = spectral_norm(nn.Linear(width, 1))
        self.embed = spectral_norm(nn.Linear(width, EMBEDDING))
        self.anchors = nn.Embedding(CLASSES, EMBEDDING)

    def forward(self, images: Tensor) -> Seen:
        """Return the logits and embeddings."""
        x = images
        for layer in self.body:
            x = F.leaky_relu(layer(x), 0.1)
        features = x.sum((2, 3))
        return Seen(
            self.joint(features),
            self.own(features)[:, 0],
            F.normalize(self.embed(features), dim=1),
            F.normalize(self.anchors.weight, dim=1),
        )

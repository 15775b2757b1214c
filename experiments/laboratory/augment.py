"""Adaptive discriminator augmentation (ADA, Karras et al. 2020).

The discriminator sees all images, real and generated, through random transformations, each applied
with probability p. p follows how well the discriminator knows the training images:

    r = E sign D(real),     p ← p + sign(r − 0.6) · images / 100 000,   within 0..0.8

Below 0.8 transformations do not show in generated images, for the generator has to make images
that look real as they are in order to look real transformed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TARGET = 0.6
MOST = 0.8
#: Images after which p has gone from 0 to 1.
SPEED = 100_000
#: Steps of training between two changes of p.
EVERY = 4


class Augmentation(nn.Module):
    """Random transformations with an adaptive probability, by torch's generator."""

    p: Tensor
    signs: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("p", torch.zeros(()))
        # Sum of signs, images.
        self.register_buffer("signs", torch.zeros(2))

    def forward(self, images: Tensor) -> Tensor:
        """Transform images (N, C, 32, 32), differentiably."""
        if float(self.p) == 0.0:
            return images
        return self._without_a_part(self._colour(self._geometry(images)))

    def seen(self, logits: Tensor) -> None:
        """Note what the discriminator said of real images, (N,)."""
        self.signs += torch.tensor([float(logits.detach().sign().sum()), float(len(logits))])

    def adapt(self) -> None:
        """Change p by what was noted since the last time."""
        total, count = (float(each) for each in self.signs)
        if count:
            # Noted are as many images as were drawn since.
            change = math.copysign(count / SPEED, total / count - TARGET)
            self.p.copy_((self.p + change).clamp(0.0, MOST))
            self.signs.zero_()

    def _chosen(self, count: int) -> Tensor:
        return (torch.rand(count) < self.p).float()

    def _geometry(self, images: Tensor) -> Tensor:
        """Mirror, shift by up to an eighth, scale by up to 1.4, rotate by up to 20 degrees."""
        count = len(images)
        flip = 1 - 2 * self._chosen(count) * (torch.rand(count) < 0.5)
        scale = torch.exp2(0.2 * torch.randn(count).clamp(-2.5, 2.5) * self._chosen(count))
        angle = (torch.rand(count) - 0.5) * (math.pi / 4.5) * self._chosen(count)
        shift = (torch.rand(2, count) - 0.5) * 0.5 * self._chosen(count)
        cos, sin = angle.cos() / scale, angle.sin() / scale
        rows = [
            torch.stack([cos * flip, -sin, shift[0]], dim=1),
            torch.stack([sin * flip, cos, shift[1]], dim=1),
        ]
        grid = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)

    def _colour(self, images: Tensor) -> Tensor:
        """Add a brightness, and multiply by a contrast."""
        count = len(images)
        bright = 0.2 * torch.randn(count) * self._chosen(count)
        contrast = torch.exp2(0.4 * torch.randn(count) * self._chosen(count))
        return images * contrast[:, None, None, None] + bright[:, None, None, None]

    def _without_a_part(self, images: Tensor) -> Tensor:
        """Set a square of half the side to 0, at a random place."""
        count, _, height, width = images.shape
        centre = torch.rand(2, count, 1)
        down, across = (
            ((torch.arange(size) + 0.5) / size - at).abs() < 0.25
            for size, at in zip((height, width), centre, strict=True)
        )
        square = down[:, :, None] & across[:, None, :] & self._chosen(count).bool()[:, None, None]
        found: Tensor = images * ~square[:, None]
        return found

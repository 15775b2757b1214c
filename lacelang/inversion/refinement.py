"""Refine styles by the decoder's gradient, until its image is like the one that was given.

At several sizes, the smaller first, since a step there costs less. What is compared: colours of
pixels, and feature maps of the whole image and of the face in it, by the frozen network that the
encoder reads too. Styles are pulled towards each other and towards what the generator knows, for
edits are made of faces that it knows.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from attrs import frozen
from torch import Tensor
from torch.nn import functional as F

from lacelang.annotators.faces.efficientnet import INPUT_SIZE
from lacelang.generators.mobilestylegan.low_resolution import LowResolution
from lacelang.inversion.features import ImageMaps

#: Raised when the same photograph gets other styles, so that no run goes on with old ones.
VERSION = 2
#: Steps by the side of the images in pixels: usually, and where it has to be fast.
STEPS = {64: 12, 128: 24, 256: 12}
FAST = {64: 10}

# Weights of the terms, by measuring (docs/photos.md): pixels, maps of the whole and of the face.
_PIXELS, _WHOLE, _FACE = 3.0, 0.6, 2.0
# Of the distance of styles from each other, and from the encoder's answer, in whitened units.
_APART, _FAR = 1e-3, 2.5e-4
_RATE = 0.1
# Sides at which the image network reads small images; others it reads at its own.
_SEEN = {64: 128}
# With no more steps than these, what the small decoder lacks is measured once.
_FEW = 10
# The inner face of an aligned image, as shares of its side: left, top, right, bottom.
_INNER = (0.22, 0.28, 0.78, 0.84)


@frozen(eq=False)
class Target:
    """What styles are to give: planes (1, 3, 256, 256) in [−1, 1], and what of it is known."""

    image: Tensor
    known: Tensor  # (1, 1, 256, 256), 0 to 1


@frozen(eq=False)
class Refiner:
    """Refines whitened styles (1, styles, d).

    Attributes:
        small: the decoder's first blocks.
        maps: the frozen image network.
        scales: what the channels of its first map are divided by, (1, C, 1, 1).
        colour: from whitened styles to styles.
        decode: from styles to the planes (1, 3, H, W) that the decoder gives.
    """

    small: LowResolution
    maps: ImageMaps
    scales: Tensor
    colour: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]

    def __call__(self, begun: Tensor, target: Target, steps: dict[int, int]) -> Tensor:
        """Return the refined styles after so many steps at each side in pixels, in that order."""
        u = begun.clone()
        for side, count in steps.items():
            if count:
                u = self._descend(u, begun, target, side, count)
        return u

    def _descend(
        self, start: Tensor, begun: Tensor, target: Target, side: int, steps: int
    ) -> Tensor:
        wanted = F.interpolate(target.image, (side, side), mode="area")
        known = F.interpolate(target.known, (side, side), mode="area")
        seen = _SEEN.get(side, INPUT_SIZE)
        with torch.no_grad():
            found = self._maps(wanted, seen)
            places = [
                F.adaptive_avg_pool2d(each, found.shape[2]) for each in (known, _inner(known))
            ]
        # The small decoder is a little wrong, in a way that hardly changes while styles move a
        # little: what it lacks to the decoder is added.
        lacking = self._lacking(start, side)
        u = start.clone().requires_grad_(True)
        optimiser = torch.optim.Adam([u], lr=_RATE, betas=(0.9, 0.95))
        for step in range(steps):
            share = step / steps
            optimiser.param_groups[0]["lr"] = _RATE * min(1.0, 4 * (1.0 - share), 4 * (share + 0.1))
            image = self.small(self.colour(u), side) + lacking
            loss = _PIXELS * (known * (image - wanted).abs()).mean() / known.mean()
            apart = (self._maps(image, seen) - found).square()
            for weight, share_known, each in zip((_WHOLE, _FACE), places, apart, strict=True):
                loss = loss + weight * (share_known * each).mean() / share_known.mean()
            loss = loss + _APART * (u - u.mean(1, keepdim=True)).square().sum(2).mean()
            loss = loss + _FAR * (u - begun).square().sum(2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if step == steps // 2 and steps > _FEW:
                lacking = self._lacking(u.detach(), side)
        return u.detach()

    def _lacking(self, u: Tensor, side: int) -> Tensor:
        with torch.no_grad():
            styles = self.colour(u)
            whole = F.interpolate(self.decode(styles), (side, side), mode="area")
            lacking: Tensor = whole - self.small(styles, side)
            return lacking

    def _maps(self, image: Tensor, side: int) -> Tensor:
        """The first map of an image and of the inner face in it, (2, C, side / 16, side / 16)."""
        return self.maps.middle((image, _inner(image)), side) / self.scales


def _inner(image: Tensor) -> Tensor:
    left, top, right, bottom = (round(edge * image.shape[2]) for edge in _INNER)
    return image[:, :, top:bottom, left:right]

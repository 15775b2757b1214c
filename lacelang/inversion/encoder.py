"""The encoder: feature maps of an image → whitened styles, by groups of resolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.inversion.features import COLOURS, DEEP, DEEP_SIDE, MIDDLE, Maps

DIM = 512
#: The first style of each group of MobileStyleGAN's 23: of blocks to 8², of 16², 32², and the rest.
GROUPS = (0, 4, 7, 10)
STYLES = 23

_HIDDEN = 512
_OFFSETS = 128


def spread(groups: Tensor) -> Tensor:
    """One w for each group (N, 4, 512) → styles (N, 23, 512)."""
    ends = (*GROUPS[1:], STYLES)
    counts = torch.tensor([end - begin for begin, end in zip(GROUPS, ends, strict=True)])
    return groups.repeat_interleave(counts, dim=1)


class Head(nn.Module):
    """Maps → whitened w of each group (N, 4, 512): a part that all share, and offsets."""

    def __init__(self) -> None:
        super().__init__()
        for name, channels in (("middle", MIDDLE), ("deep", DEEP), ("colours", 3)):
            self.register_buffer(f"{name}_mean", torch.zeros(1, channels, 1, 1))
            self.register_buffer(f"{name}_scale", torch.ones(1, channels, 1, 1))
        self.reduce = nn.Conv2d(MIDDLE, 48, 1)
        self.halve = nn.Conv2d(48, 64, 3, 2, 1)
        self.deepest = nn.Conv2d(DEEP, 64, 1)
        self.mix = nn.Conv2d(128, 96, 1)
        inputs = 96 * DEEP_SIDE**2 + 3 * COLOURS**2
        self.hidden = nn.Linear(inputs, _HIDDEN)
        self.drop = nn.Dropout(0.1)
        self.second = nn.Linear(_HIDDEN, _HIDDEN)
        self.base = nn.Linear(_HIDDEN, DIM)
        self.narrow = nn.Linear(_HIDDEN, _OFFSETS)
        self.offsets = nn.Linear(_OFFSETS, len(GROUPS) * DIM)
        nn.init.zeros_(self.offsets.weight)
        nn.init.zeros_(self.offsets.bias)

    def forward(self, maps: Maps) -> Tensor:
        """Return the whitened styles; see the class for shapes."""
        middle, deep, colours = (
            (each - self.get_buffer(f"{name}_mean")) * self.get_buffer(f"{name}_scale")
            for name, each in zip(("middle", "deep", "colours"), maps, strict=True)
        )
        fine = self.halve(F.gelu(self.reduce(middle)))
        x = self.mix(F.gelu(torch.cat((fine, self.deepest(deep)), dim=1)))
        x = torch.cat((F.gelu(x).flatten(1), colours.flatten(1)), dim=1)
        x = self.drop(F.gelu(self.hidden(x)))
        x = x + self.drop(F.gelu(self.second(x)))
        offsets = self.offsets(F.gelu(self.narrow(x))).unflatten(1, (len(GROUPS), DIM))
        whitened: Tensor = self.base(x)[:, None] + offsets
        return whitened

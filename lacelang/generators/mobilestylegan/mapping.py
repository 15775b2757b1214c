"""The mapping network z → w of StyleGAN2 (Karras et al. 2020, section 2), in PyTorch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.generators.mobilestylegan import DIM

DEPTH = 8


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

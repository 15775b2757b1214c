"""The networks of the autoencoder in PyTorch: prior flow z → code, and decoder code → image.

The prior of the codes is the image of N(0, I) under affine coupling layers (Dinh et al. 2017),
fitted together with the autoencoder: draws from N(0, I) then have the codes of real images.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.generators.vae import DIM

SIDE = 28
COUPLINGS = 8
HIDDEN = 96
# Channels at 7² and 14².
COARSE, FINE = 48, 24


class Coupling(nn.Module):
    """y = x with its second half scaled and shifted by functions of the first; halves then swap."""

    def __init__(self) -> None:
        super().__init__()
        half = DIM // 2
        self.net = nn.Sequential(
            nn.Linear(half, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU(),
            nn.Linear(HIDDEN, DIM),
        )  # fmt: skip

    def scale_and_shift(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithm of the scale, within ±1.5, and the shift of the other half, (N, 8) each."""
        log_scale, shift = self.net(kept).chunk(2, dim=1)
        return 1.5 * torch.tanh(log_scale / 1.5), shift

    def forward(self, x: Tensor) -> Tensor:
        """Latents (N, 16) → (N, 16)."""
        kept, moved = x.chunk(2, dim=1)
        log_scale, shift = self.scale_and_shift(kept)
        return torch.cat([moved * log_scale.exp() + shift, kept], dim=1)

    def inverse(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """The inverse, and the logarithm of its Jacobian's determinant (N,)."""
        moved, kept = y.chunk(2, dim=1)
        log_scale, shift = self.scale_and_shift(kept)
        x = torch.cat([kept, (moved - shift) * (-log_scale).exp()], dim=1)
        return x, -log_scale.sum(dim=1)


class Flow(nn.Module):
    """z (N, 16) → codes (N, 16), invertible."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Coupling() for _ in range(COUPLINGS))

    def forward(self, z: Tensor) -> Tensor:
        """Return the codes."""
        for layer in self.layers:
            z = layer(z)
        return z

    def inverse(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """Codes → z, and the logarithm of the Jacobian's determinant (N,)."""
        total = code.new_zeros(len(code))
        for layer in reversed(self.layers):
            assert isinstance(layer, Coupling)
            code, logarithm = layer.inverse(code)
            total = total + logarithm
        return code, total


class Decoder(nn.Module):
    """Codes (N, 16) → logits of the brightness (N, 1, 28, 28)."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(DIM, COARSE * 49)
        self.coarse = nn.ModuleList(nn.Conv2d(COARSE, COARSE, 3, padding=1) for _ in range(2))
        self.to_fine = nn.Conv2d(COARSE, 4 * FINE, 3, padding=1)
        self.fine = nn.Conv2d(FINE, FINE, 3, padding=1)
        self.out = nn.Conv2d(FINE, 4, 3, padding=1)

    def forward(self, code: Tensor) -> Tensor:
        """Return the logits."""
        x = F.silu(self.into(code).view(-1, COARSE, 7, 7))
        for layer in self.coarse:
            x = x + F.silu(layer(x))
        x = F.silu(F.pixel_shuffle(self.to_fine(x), 2))
        x = x + F.silu(self.fine(x))
        return F.pixel_shuffle(self.out(x), 2)


class Synthesis(Decoder):
    """Codes as one style, (N, 1, 16) → images (N, 3, 28, 28) in [−1, 1], all channels alike."""

    def forward(self, styles: Tensor) -> Tensor:
        """Return the images: the mean of the decoder's distribution."""
        logits = super().forward(styles[:, 0])
        return (2.0 * torch.sigmoid(logits) - 1.0).expand(-1, 3, -1, -1)

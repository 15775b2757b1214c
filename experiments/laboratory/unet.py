"""Networks of noisy images: a U-Net that predicts noise, and a classifier.

Both are small enough for one core: images are folded to 16² with four times the channels first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.laboratory.sde import Diffusion, column, fourier

CLASSES = 10
#: Channels at 16² and 8².
FINE, COARSE = 32, 64
TIME = 64
_GROUPS = 8


class Block(nn.Module):
    """A residual block whose middle is shifted by features of the time."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(_GROUPS, into), nn.SiLU(), nn.Conv2d(into, out, 3, padding=1)
        )
        self.time = nn.Linear(TIME, out)
        self.second = nn.Sequential(
            nn.GroupNorm(_GROUPS, out), nn.SiLU(), nn.Conv2d(out, out, 3, padding=1)
        )
        self.skip = nn.Conv2d(into, out, 1) if into != out else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Features (N, into, H, W), of times (N, 64) → (N, out, H, W)."""
        middle = self.first(x) + self.time(time)[:, :, None, None]
        found: Tensor = self.second(middle) + self.skip(x)
        return found


class Attention(nn.Module):
    """Attention of all places to all, residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.ask = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, H, W) → the same shape."""
        q, k, v = self.ask(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)
        found = F.scaled_dot_product_attention(q, k, v)
        added: Tensor = self.out(found.transpose(1, 2).reshape(x.shape))
        return x + added


class UNet(nn.Module):
    """Noisy images (N, C, 32, 32) at times (N,) → the noise in them.

    The input is scaled to about unit variance, whatever the time.
    """

    def __init__(self, channels: int, diffusion: Diffusion) -> None:
        super().__init__()
        self.diffusion = diffusion
        self.time = nn.Sequential(nn.Linear(TIME, TIME), nn.SiLU(), nn.Linear(TIME, TIME))
        self.into = nn.Conv2d(4 * channels, FINE, 3, padding=1)
        self.fine = Block(FINE, FINE)
        self.down = nn.Conv2d(FINE, COARSE, 4, stride=2, padding=1)
        self.coarse = nn.ModuleList(Block(COARSE, COARSE) for _ in range(3))
        self.attention = Attention(COARSE)
        self.up = nn.Conv2d(COARSE, 4 * FINE, 3, padding=1)
        self.joined = nn.ModuleList([Block(2 * FINE, FINE), Block(FINE, FINE)])
        self.out = nn.Conv2d(FINE, 4 * channels, 3, padding=1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Return the noise."""
        time = self.time(fourier(t, TIME))
        first = self.into(F.pixel_unshuffle(x * unit(self.diffusion, t), 2))
        fine = self.fine(first, time)
        coarse = self.down(fine)
        for number, block in enumerate(self.coarse):
            coarse = block(coarse, time)
            if number == 0:
                coarse = self.attention(coarse)
        y = torch.cat([fine, F.pixel_shuffle(self.up(coarse), 2)], dim=1)
        for block in self.joined:
            y = block(y, time)
        noise: Tensor = F.pixel_shuffle(self.out(F.silu(y)), 2)
        return noise


class TimedClassifier(nn.Module):
    """Noisy images (N, C, 32, 32) at times (N,) → logits (N, 10), twice differentiable."""

    def __init__(self, channels: int, diffusion: Diffusion) -> None:
        super().__init__()
        self.diffusion = diffusion
        self.time = nn.Sequential(nn.Linear(TIME, TIME), nn.SiLU(), nn.Linear(TIME, TIME))
        self.into = nn.Conv2d(4 * channels, FINE, 3, padding=1)
        self.fine = Block(FINE, FINE)
        self.down = nn.Conv2d(FINE, COARSE, 4, stride=2, padding=1)
        self.coarse = Block(COARSE, COARSE)
        self.last = nn.Conv2d(COARSE, COARSE, 4, stride=2, padding=1)
        self.out = nn.Sequential(
            nn.Flatten(), nn.SiLU(), nn.Linear(COARSE * 16, 128), nn.SiLU(), nn.Linear(128, CLASSES)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Return the logits."""
        time = self.time(fourier(t, TIME))
        y = self.fine(self.into(F.pixel_unshuffle(x * unit(self.diffusion, t), 2)), time)
        y = self.coarse(self.down(y), time)
        logits: Tensor = self.out(self.last(F.silu(y)))
        return logits


def unit(diffusion: Diffusion, t: Tensor) -> Tensor:
    """What noisy images are multiplied by, (N, 1, 1, 1)."""
    return column(1 / torch.sqrt(diffusion.scale(t) ** 2 + diffusion.deviation(t) ** 2))

"""A small model of the library: z in 16 dimensions, pictures that show it, one base attribute."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lacelang.generators import Architecture, Layout
from lacelang.generators.generator import Generator
from lacelang.samplers.streams import prior
from lacelang.teaching.subject import POOL, Subject

DIM = 16
LAYOUT = Layout(DIM, DIM, ((0,), (1,)))


class Bars(torch.nn.Module):
    """Sixteen bars, as bright as the coordinates; the second style paints the lower half."""

    def forward(self, styles: Tensor) -> Tensor:
        rows = styles.tanh().repeat_interleave(8, dim=1)  # (N, 16, 16)
        return rows[:, None].expand(-1, 3, -1, -1)


def load_bars(weights: object, device: torch.device, **_: object) -> Generator:
    return Generator(LAYOUT, Bars(), device=device)


BARS = Architecture("bars", "bright bars", load_bars, LAYOUT, weights="none")

DECLARATION = """
model bars {
  generator bars
  classifiers "bars.safetensors" on w
  attribute left : binary layers 0
}
"""


def inputs_and_truth(count: int, coordinate: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    z = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    return z, (z[:, coordinate] > 0).astype(np.float32)


def truth_of(about: Subject, count: int) -> list[tuple[int, int]]:
    """Index and value of the first draws: whether the last coordinate is above 0."""
    # Of w = z, whatever the truncation.
    z = _many(about.seed)[:count]
    return [(index, int(row[-1] > 0)) for index, row in enumerate(z)]


@cache
def _many(seed: int) -> np.ndarray:
    return prior(seed, range(POOL + 400), DIM).numpy()


def label_csv(path: Path, about: Subject, count: int, header: str = "index,value") -> Path:
    rows = [f"{index},{value}" for index, value in truth_of(about, count)]
    path.write_text("\n".join([header, *rows] if header else rows) + "\n")
    return path

"""What a generator is to the rest of lacelang, and how one is loaded by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from lacelang.errors import ResourceError
from lacelang.generators import ARCHITECTURES
from lacelang.storage.fetch import Archive
from lacelang.storage.given import Layout

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lacelang.progress import Progress

Image = NDArray[np.uint8]


class Generator(Protocol):
    """A latent space with a prior N(0, I), a feature space w, and a decoder to images.

    Attributes:
        latent_dim: length of z.
        style_count: number of styles that w+ has.
        style_layers: for each of them, the layers of the 18-layer StyleGAN2 that it stands for.
        mapping: module z (N, latent_dim) → w (N, w_dim), differentiable, without truncation.
        w_mean: (w_dim,), the mean of w under the prior.
        deviations: (w_dim,), the standard deviations of w along the coordinates of `whiten`.
        resolution: side of an image in pixels.
    """

    latent_dim: int
    style_count: int
    style_layers: tuple[tuple[int, ...], ...]
    resolution: int
    w_mean: Tensor
    deviations: Tensor

    @property
    def mapping(self) -> nn.Module:
        """The mapping network."""
        ...

    def truncate(self, w: Tensor, psi: float | Tensor) -> Tensor:
        """w' = mean + ψ (w − mean); ψ a number or (N, 1)."""
        ...

    def whiten(self, w: Tensor) -> Tensor:
        """w (N, w_dim), before truncation → coordinates (N, w_dim), mean 0 and covariance I."""
        ...

    def colour(self, u: Tensor) -> Tensor:
        """The inverse of `whiten`."""
        ...

    def decode(self, w: Tensor) -> Iterator[Image]:
        """Paint truncated w (N, 512) or w+ (N, 23, 512) as uint8 (H, W, 3) RGB, in order."""
        ...

    def prepare(self) -> None:
        """Get the decoder ready; safe to call from another thread while sampling goes on."""
        ...


def layout_of(architecture: str) -> Layout | None:
    """What the latents of an architecture look like; None if there is none of that name."""
    if architecture not in ARCHITECTURES:
        return None
    return ARCHITECTURES[architecture].imported().layout()


def is_converted(architecture: str, archive: Archive) -> bool:
    """Whether loading a generator takes neither a network nor a conversion of its weights."""
    if architecture not in ARCHITECTURES:
        return False
    return ARCHITECTURES[architecture].imported().is_converted(archive)


def load_generator(
    architecture: str,
    archive: Archive,
    *,
    device: torch.device,
    progress: Progress | None = None,
    help_: str = "",
    threads: int = 0,
) -> Generator:
    """Load a generator, fetching and converting its weights on first use.

    Args:
        architecture: a key of `ARCHITECTURES`.
        archive: where its weights are published.
        device: where mapping and, other than on a CPU, decoding run.
        progress: where to show fetching and converting.
        help_: the command that takes the archive from a file, for the error without a network.
        threads: CPU threads of the decoder; 0 means all.

    Raises:
        ResourceError: the weights cannot be had, are damaged, or the architecture is unknown.
    """
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ResourceError(
            f"no generator architecture is called {architecture}", f"known are: {known}"
        )
    module = ARCHITECTURES[architecture].imported()
    return module.load(archive, device, progress, help_, threads)

"""What a generator is to the rest of lacelang, and a decoder that runs on any torch device."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lacelang.generators.declaration import Layout
from lacelang.rows import filled

Image: TypeAlias = NDArray[np.uint8]
Decoder: TypeAlias = Callable[[Tensor], Iterator[Image]]
Network = TypeVar("Network", bound=nn.Module)

_BATCH = 8
#: Side in pixels of what classifiers on images read.
THUMBNAIL = 16


def atypicality(u: Tensor) -> Tensor:
    """How far whitened coordinates (N, d) are from the prior's: (N,), 1 ± 0.26 under it for w.

    The squared Mahalanobis distance from the mean, over the number of dimensions.
    """
    return u.square().mean(dim=1)


class Generator:
    """A latent space with a prior N(0, I), a feature space w, and a decoder to images.

    Attributes:
        latent_dim: length of z.
        style_layers: for each style of w+, the layers of the model that it stands for.
        style_count: how many styles w+ has.
        device: where it computes.
        mapping: module z (N, latent_dim) → w (N, w_dim), differentiable, without truncation.
        w_mean: (w_dim,), the mean of w under the prior.
        deviations: (w_dim,), the standard deviations of w along the coordinates of `whiten`.

    Args:
        layout: of its latents.
        synthesis: module from styles (N, style_count, w_dim) to planes (N, 3, H, W), RGB in
            [−1, 1]; left out by a class that has its own method `synthesis`.
        mapping: by default w is z.
        w_mean: by default 0.
        whitening: (w_dim, w_dim), so that (w − w_mean) @ whitening has the covariance I; by default
            I.
        device: by default the CPU.

    Raises:
        TypeError: there is neither a module nor a method `synthesis`.
    """

    def __init__(
        self,
        layout: Layout,
        synthesis: nn.Module | None = None,
        *,
        mapping: nn.Module | None = None,
        w_mean: Tensor | None = None,
        whitening: Tensor | None = None,
        device: torch.device | None = None,
    ) -> None:
        if synthesis is None and type(self).synthesis is Generator.synthesis:
            raise TypeError(
                f"{type(self).__name__} has no synthesis network: pass `synthesis=`, "
                "or give the class a method `synthesis`"
            )
        self.latent_dim, self.w_dim = layout.latent_dim, layout.w_dim
        self.style_layers = layout.style_layers
        self.style_count = len(layout.style_layers)
        self.device = device or torch.device("cpu")
        self.mapping = self._frozen(mapping or nn.Identity())
        self.w_mean = (torch.zeros(self.w_dim) if w_mean is None else w_mean).to(self.device)
        whitening = torch.eye(self.w_dim) if whitening is None else whitening
        self._whitening = whitening.to(self.device)
        self._colouring = torch.linalg.inv(whitening.double()).float().to(self.device)
        # The coordinates are w's principal axes, which are orthogonal.
        self.deviations: Tensor = self._colouring.norm(dim=1)
        self._synthesis = synthesis
        self._decoder: Decoder | None = None
        self._preparing = threading.Lock()

    def truncate(self, w: Tensor, psi: float | Tensor) -> Tensor:
        """w' = mean + ψ (w − mean) for w (N, w_dim); ψ a number or (N, 1)."""
        mean = self.w_mean.to(w.device)
        return mean + psi * (w - mean)

    def untruncate(self, w: Tensor, psi: float) -> Tensor:
        """The inverse of `truncate`."""
        mean = self.w_mean.to(w.device)
        return mean + (w - mean) / psi

    def whiten(self, w: Tensor) -> Tensor:
        """w (N, w_dim), before truncation → coordinates (N, w_dim), mean 0 and covariance I."""
        return (w - self.w_mean) @ self._whitening

    def colour(self, u: Tensor) -> Tensor:
        """The inverse of `whiten`."""
        w: Tensor = self.w_mean + u @ self._colouring
        return w

    def synthesis(self) -> nn.Module:
        """The differentiable network from styles to planes, frozen; see the class."""
        assert self._synthesis is not None
        return self._frozen(self._synthesis)

    def thumbnails(self, w: Tensor) -> Tensor:
        """Truncated w (N, w_dim) → small images (N, 3 · 16 · 16) in [−1, 1]; differentiable."""
        planes = self.synthesis()(w[:, None].expand(-1, self.style_count, -1))
        return nn.functional.adaptive_avg_pool2d(planes, THUMBNAIL).flatten(1)

    def prepare(self) -> None:
        """Get the decoder ready; idempotent, and safe to call from another thread."""
        with self._preparing:
            if self._decoder is None:
                self._decoder = self.decoder()

    def decoder(self) -> Decoder:
        """Return what decodes styles (N, style_count, w_dim), in order."""
        return torch_decoder(self.synthesis(), self.device)

    def decode(self, w: Tensor) -> Iterator[Image]:
        """Decode truncated w (N, w_dim) or w+ (N, style_count, w_dim) as uint8 (H, W, 3), in order.

        Raises:
            ValueError: w has another shape.
        """
        if w.ndim == 2:
            w = w[:, None].expand(-1, self.style_count, -1)
        styles, width = self.style_count, self.w_dim
        if w.ndim != 3 or w.shape[1:] != (styles, width):
            wanted = f"(N, {width}) or (N, {styles}, {width})"
            raise ValueError(f"expected w {wanted}, got {tuple(w.shape)}")
        self.prepare()
        assert self._decoder is not None
        return self._decoder(w)

    def _frozen(self, network: Network) -> Network:
        return network.to(self.device).eval().requires_grad_(False)


def torch_decoder(synthesis: nn.Module, device: torch.device, together: int = _BATCH) -> Decoder:
    """Decode on a torch device, always as many images `together`, so that all are alike."""
    synthesis = synthesis.to(device).eval()

    def decode(styles: Tensor) -> Iterator[Image]:
        for part in torch.split(styles.detach(), together) if len(styles) else ():
            with torch.no_grad():
                planes = synthesis(filled(part.to(device), together))
                images = to_pixels(planes)[: len(part)].cpu().numpy()
            yield from images

    return decode


def to_pixels(planes: Tensor) -> Tensor:
    """RGB planes (N, 3, H, W) in [−1, 1] → uint8 (N, H, W, 3)."""
    scaled: Tensor = ((planes + 1.0) * 127.5).clamp(0.0, 255.0).round()
    return scaled.permute(0, 2, 3, 1).to(torch.uint8)

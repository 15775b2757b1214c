"""MobileStyleGAN as a `Generator`: mapping in PyTorch, truncation, decoding at the CPU's pace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from safetensors.torch import load_file
from torch import Tensor

from lacelang.generators.generator import Image
from lacelang.generators.mobilestylegan import store
from lacelang.generators.mobilestylegan.layout import DIM, style_layers
from lacelang.generators.mobilestylegan.mapping import MappingNetwork
from lacelang.generators.mobilestylegan.synthesis import RESOLUTION, STYLES, SynthesisNetwork
from lacelang.storage.fetch import Archive

if TYPE_CHECKING:
    from lacelang.progress import Progress


class MobileStyleGAN:
    """The FFHQ generator at 1024²; see `lacelang.generators.generator.Generator`."""

    latent_dim = DIM
    style_count = STYLES
    style_layers = style_layers()
    resolution = RESOLUTION

    def __init__(self, folder: Path, device: torch.device, threads: int = 0) -> None:
        self._folder = folder
        self._threads = threads
        self.device = device
        state = load_file(store.verify(folder, "mapping.safetensors"))
        self.w_mean = state.pop("w_mean").to(device)
        self._whitening = state.pop("w_whitening").to(device)
        self._colouring = torch.linalg.inv(self._whitening.double()).float()
        # The coordinates are w's principal axes, which stand at right angles to each other.
        self.deviations = self._colouring.norm(dim=1)
        self._mapping = MappingNetwork()
        self._mapping.load_state_dict(state)
        self._mapping.to(device).eval().requires_grad_(False)
        self._decoder: Callable[[Tensor], Iterator[Image]] | None = None
        self._preparing = threading.Lock()

    @classmethod
    def load(
        cls,
        archive: Archive,
        device: torch.device,
        *,
        progress: Progress | None = None,
        help_: str = "",
        threads: int = 0,
    ) -> Self:
        """Load the converted weights, fetching and converting them on first use."""
        return cls(store.converted(archive, progress, help_), device, threads)

    @property
    def mapping(self) -> MappingNetwork:
        """The mapping network, frozen, on this generator's device."""
        return self._mapping

    def truncate(self, w: Tensor, psi: float | Tensor) -> Tensor:
        """w' = mean + ψ (w − mean) for w (N, 512); ψ a number or (N, 1)."""
        return self.w_mean + psi * (w - self.w_mean)

    def whiten(self, w: Tensor) -> Tensor:
        """w (N, 512), before truncation → coordinates (N, 512), mean 0 and covariance I."""
        return (w - self.w_mean) @ self._whitening

    def colour(self, u: Tensor) -> Tensor:
        """The inverse of `whiten`."""
        w: Tensor = self.w_mean + u @ self._colouring
        return w

    def synthesis(self) -> SynthesisNetwork:
        """The differentiable synthesis network w+ → image on this generator's device."""
        network = SynthesisNetwork()
        network.load_state_dict(load_file(store.verify(self._folder, "synthesis.safetensors")))
        return network.to(self.device).eval().requires_grad_(False)

    def prepare(self) -> None:
        """Get the decoder ready; idempotent, and safe to call from another thread.

        Raises:
            ResourceError: this process was forked from one that had its decoder ready.
        """
        from lacelang.generators import openvino_runtime
        from lacelang.generators.mobilestylegan import decoder as painter

        if self.device.type == "cpu":
            # Before the lock, which a thread of the parent may have held at the fork.
            openvino_runtime.refuse_after_fork()
        with self._preparing:
            if self._decoder is not None:
                return
            if self.device.type == "cpu":
                store.verify(self._folder, "painter.bin")
                path = store.verify(self._folder, "painter.xml")
                self._decoder = painter.OpenVinoDecoder(path, self._threads)
            else:
                self._decoder = painter.TorchDecoder(self.synthesis(), self.device)

    def decode(self, w: Tensor) -> Iterator[Image]:
        """Paint truncated w (N, 512) or w+ (N, 23, 512) as uint8 (1024, 1024, 3), in order.

        Raises:
            ValueError: w has another shape.
        """
        if w.ndim == 2:
            w = w[:, None].expand(-1, STYLES, -1)
        if w.ndim != 3 or w.shape[1:] != (STYLES, DIM):
            raise ValueError(f"expected w (N, {DIM}) or (N, {STYLES}, {DIM}), got {tuple(w.shape)}")
        self.prepare()
        assert self._decoder is not None
        return self._decoder(w)

"""What the registry of architectures needs of MobileStyleGAN, importing weights' code late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lacelang.generators.mobilestylegan.layout import DIM, style_layers
from lacelang.storage.given import Layout

if TYPE_CHECKING:
    import torch

    from lacelang.generators.mobilestylegan.generator import MobileStyleGAN
    from lacelang.progress import Progress
    from lacelang.storage.fetch import Archive


def layout() -> Layout:
    """What its latents look like."""
    return Layout(DIM, DIM, style_layers())


def is_converted(archive: Archive) -> bool:
    """Whether loading it takes neither a network nor a conversion of its weights."""
    from lacelang.generators.mobilestylegan import store

    return store.is_converted(archive)


def load(
    archive: Archive, device: torch.device, progress: Progress | None, help_: str, threads: int
) -> MobileStyleGAN:
    """Load it; see `lacelang.generators.generator.load_generator`."""
    from lacelang.generators.mobilestylegan.generator import MobileStyleGAN

    return MobileStyleGAN.load(archive, device, progress=progress, help_=help_, threads=threads)

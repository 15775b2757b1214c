"""The DCGANs as `Generator`s."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor

from lacelang.errors import ResourceError
from lacelang.generators import dcgan
from lacelang.generators.dcgan import networks
from lacelang.generators.dcgan.store import Checkpoint, converted
from lacelang.generators.generator import Generator
from lacelang.generators.statistics import of_prior
from lacelang.storage.fetch import Archive

if TYPE_CHECKING:
    from lacelang.progress import Progress

_FACES = Checkpoint("gan_face_generate/weights.tar", "netG_state_dict")
_EYES = Checkpoint("omniart_eye_generator/generator_model_state.pth")


class Eyes(Generator):
    """Painted eyes; truncation scales z and leaves the class as it is."""

    def truncate(self, w: Tensor, psi: float | Tensor) -> Tensor:
        """See `Generator`."""
        return torch.cat([psi * w[:, : dcgan.Z], w[:, dcgan.Z :]], dim=1)

    def untruncate(self, w: Tensor, psi: float) -> Tensor:
        """See `Generator`."""
        return torch.cat([w[:, : dcgan.Z] / psi, w[:, dcgan.Z :]], dim=1)


def load_faces(
    archive: Archive,
    device: torch.device,
    *,
    progress: Progress | None = None,
    help_: str = "",
    threads: int = 0,
) -> Generator:
    """Load the faces, of which w is z; see `Architecture.load`."""
    network = networks.DCGAN(networks.FACES)
    _fill(network, converted(archive, _FACES, progress=progress, help_=help_), archive)
    return Generator(dcgan.FACE_LAYOUT, network, device=device)


def load_eyes(
    archive: Archive,
    device: torch.device,
    *,
    progress: Progress | None = None,
    help_: str = "",
    threads: int = 0,
) -> Generator:
    """Load the eyes, whose w has z and the relaxed class; see `Architecture.load`."""
    network = networks.EyeDCGAN(networks.EYES)
    _fill(network, converted(archive, _EYES, progress=progress, help_=help_), archive)
    mapping = networks.EyeMapping()
    # Exact for z, and the relaxed class alone is counted: the draws of z would add noise.
    classes = len(dcgan.EYE_COLORS)
    mean, own = of_prior(mapping.classes, classes)
    w_mean = torch.cat([torch.zeros(dcgan.Z), mean])
    whitening = torch.eye(dcgan.Z + classes)
    whitening[dcgan.Z :, dcgan.Z :] = own
    return Eyes(
        dcgan.EYE_LAYOUT,
        network,
        mapping=mapping,
        w_mean=w_mean,
        whitening=whitening,
        device=device,
    )


def _fill(network: networks.DCGAN, file: Path, archive: Archive) -> None:
    try:
        network.load_state_dict(load_file(file))
    except RuntimeError as error:
        message = f"the weights of {archive} do not fit this DCGAN: {error}"
        raise ResourceError(message, "name the archive that stdlib names") from None

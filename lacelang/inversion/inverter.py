"""Photographs of faces, taken in by the MobileStyleGAN of stdlib/ffhq.lace.

The face is found and cut out (`alignment`), an encoder says styles for it (`encoder`), and the
decoder's gradient refines them (`refinement`). `experiments/train_inversion.py` makes the weights.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from lacelang.annotators import faces
from lacelang.annotators.images import resize
from lacelang.annotators.networks import Network, torch_network
from lacelang.errors import ResourceError
from lacelang.generators.declaration import Cut, Inverted
from lacelang.generators.generator import Generator
from lacelang.generators.mobilestylegan.generator import MobileStyleGAN
from lacelang.generators.mobilestylegan.low_resolution import LowResolution
from lacelang.inversion import refinement
from lacelang.inversion.alignment import Aligner
from lacelang.inversion.encoder import Head, spread
from lacelang.inversion.features import ImageMaps
from lacelang.inversion.pasting import head, mask_of, pasted
from lacelang.inversion.refinement import Refiner, Target
from lacelang.progress import Progress
from lacelang.resources import shipped
from lacelang.storage.cache import sha256_of
from lacelang.storage.photos import Photo

#: Shipped file with the readouts and the encoder.
WEIGHTS = "ffhq.inversion.safetensors"
#: Side in pixels of the images that the encoder sees, and that figures are measured at.
SIDE, MEASURED = 128, 256
#: Side of the face that is cut out: the generator's.
_CUT = 1024
# Side of the images that the face-parsing network reads.
_PARSED = 512


def load(generator: Generator, progress: Progress) -> FaceInverter:
    """Return what takes photographs in; its networks are read when the first is."""
    if not isinstance(generator, MobileStyleGAN):
        raise ResourceError("the encoder of photographs is for MobileStyleGAN alone")
    return FaceInverter(generator, progress, shipped("stdlib") / WEIGHTS)


@frozen(eq=False)
class _Networks:
    small: LowResolution
    maps: ImageMaps
    encoder: Head


class FaceInverter:
    """See `lacelang.generators.declaration.Inverter`."""

    def __init__(self, generator: MobileStyleGAN, progress: Progress, weights: Path) -> None:
        self._generator = generator
        self._progress = progress
        self._weights = weights
        self._lock = threading.Lock()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights, and the version of the refinement."""
        return f"{sha256_of(self._weights)}-{refinement.VERSION}"

    @cached_property
    def _aligner(self) -> Aligner:
        return Aligner(1, self._progress)

    @cached_property
    def _parse(self) -> Network:
        return Network(faces.__name__, "face_parsing", 1, self._progress)

    @cached_property
    def _networks(self) -> _Networks:
        tensors = {name: each.float() for name, each in load_file(self._weights).items()}

        def part(name: str) -> Mapping[str, Tensor]:
            return {
                key.partition(".")[2]: t for key, t in tensors.items() if key.startswith(f"{name}.")
            }

        generator = self._generator
        # On the CPU, as the image network and the aligner are.
        small = LowResolution(generator.synthesis().cpu(), generator.w_mean.cpu())
        small.readouts.load_state_dict(part("readouts"))
        encoder = Head()
        encoder.load_state_dict(part("encoder"))
        maps = ImageMaps(torch_network(faces.__name__, "image_features", self._progress))
        networks = _Networks(small, maps, encoder)
        for each in (small, maps, encoder):
            each.eval().requires_grad_(False)
        return networks

    def cut(self, photo: Photo, shown: str, number: int) -> Cut:
        """Cut a face out; see `Inverter.cut`."""
        with self._lock:
            found = self._aligner(photo, shown, number, _CUT)
        height, width = photo.pixels.shape[:2]
        return Cut(found.image, found.known, found.square / (width, height))

    def invert(self, cut: Cut, fast: bool) -> Inverted:
        """Find styles for a face that was cut out; see `Inverter.invert`."""
        with self._lock:
            target = target_of(cut)
            u = self._encoded(target)
            steps = refinement.FAST if fast else refinement.STEPS
            u = self._refiner()(u, target, steps)
            styles = self._generator.colour(u.to(self._generator.device)).cpu()
            image = self._decoded(styles)
            return Inverted(
                styles[0].numpy(),
                figures(image, target, self._networks.maps, self._networks.encoder),
                sum(steps.values()),
            )

    def seen(self, images: Tensor) -> Tensor:
        """See `Inverter.seen`."""
        with self._lock:
            networks = self._networks
        small = F.interpolate(images, (SIDE, SIDE), mode="area")
        return spread(networks.encoder(networks.maps(small))).mean(dim=1)

    def paste(self, photo: Photo, cut: Cut, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put an image in the place of a face; see `Inverter.paste`."""
        height, width = photo.pixels.shape[:2]
        with self._lock:
            heads = [
                head(self._parse(resize(each, _PARSED)[None])[0][0]) for each in (cut.image, image)
            ]
        return pasted(photo.pixels, cut.corners * (width, height), image, mask_of(*heads))

    def decoded(self, styles: Tensor) -> NDArray[np.uint8]:
        """What the decoder makes of styles (1, styles, d): uint8 (H, W, 3)."""
        (image,) = self._generator.decode(styles)
        return image

    def _encoded(self, target: Target) -> Tensor:
        """The encoder's whitened styles (1, styles, d)."""
        image = F.interpolate(target.image, (SIDE, SIDE), mode="area")
        with torch.no_grad():
            return spread(self._networks.encoder(self._networks.maps(image)))

    def _refiner(self) -> Refiner:
        networks = self._networks
        scales = 1.0 / networks.encoder.get_buffer("middle_scale")
        return Refiner(networks.small, networks.maps, scales, self._generator.colour, self._decoded)

    def _decoded(self, styles: Tensor) -> Tensor:
        return planes_of(self.decoded(styles))


def planes_of(image: NDArray[np.uint8]) -> Tensor:
    """An image, uint8 (H, W, 3), as planes (1, 3, H, W) in [−1, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 127.5 - 1.0


def target_of(cut: Cut) -> Target:
    """A face that was cut out, as the target of refinement."""
    size = (MEASURED, MEASURED)
    known = torch.from_numpy(np.array(cut.known))[None, None]
    return Target(
        F.interpolate(planes_of(cut.image), size, mode="area"),
        F.interpolate(known, size, mode="area"),
    )


def figures(image: Tensor, target: Target, maps: ImageMaps, head: Head) -> dict[str, float]:
    """How alike an image and its target are, where the target is known, at 256 pixels.

    Returns:
        psnr in dB; and distance, the mean squared difference of the standardised feature maps that
        the encoder reads too, 0 for the same image and about 2 for any two.
    """
    seen = F.interpolate(image, target.image.shape[2:], mode="area")
    known = target.known
    error = (known * (seen - target.image).square()).mean() / known.mean()
    with torch.no_grad():
        scale = head.get_buffer("middle_scale")
        difference = (maps(seen)[0] - maps(target.image)[0]) * scale
        places = F.adaptive_avg_pool2d(known, difference.shape[2])
        distance = (places * difference.square()).mean() / places.mean()
    return {
        "psnr": float(10 * torch.log10(4.0 / error.clamp_min(1e-8))),
        "distance": float(distance),
    }

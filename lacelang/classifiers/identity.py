"""Who is seen in a face: the descriptor of a face recogniser, less what attributes explain of it.

A small image comes from the first blocks of the generator. Where the face is in it follows from the
styles, so that no detector is needed. The recogniser is MobileFace, converted. Two images of one
person at different ages, with other glasses or another pose, differ in a part of its descriptor;
that part is projected out, so that keeping the rest does not work against an edit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.classifiers.heads_file import reading
from lacelang.classifiers.mobileface import (
    CROP,
    FEATURES,
    TEMPLATE,
    MobileFace,
    archive,
    mobileface,
)
from lacelang.generators.generator import Generator
from lacelang.generators.mobilestylegan.low_resolution import LowResolution
from lacelang.storage.files import write_atomic

FORMAT = "lacelang-identity-1"
_REMEDY = "make it again with `python -m experiments.train_identity`, or restore the file"

#: Side in pixels of the small image.
SIDE = 128
_RECOGNISER = "recogniser."  # of names of its weights
#: Modulations whose styles tell where the face is: those up to 32 x 32.
PLACING = 10


class IdentityNetwork(nn.Module):
    """Styles w+ (N, styles, d) of a MobileStyleGAN to unit descriptors (N, 256).

    Attributes:
        explained: orthonormal directions (K, 256) along which attributes move descriptors.
        centre: (256,), the mean unit descriptor.
        points, places: five landmarks (10,) of the mean face, as shares of the side, and how w
            moves them, (10, d).
    """

    explained: Tensor
    centre: Tensor
    points: Tensor
    places: Tensor
    template: Tensor
    w_mean: Tensor

    def __init__(self, generator: Generator, explained: int = 0) -> None:
        super().__init__()
        # A module that is not registered has no weights in this one's file.
        self._small = [LowResolution(generator.synthesis(), generator.w_mean)]  # type: ignore[arg-type]
        self.readout = self._small[0].readouts[str(SIDE)]
        self.recogniser = MobileFace()
        self.register_buffer("explained", torch.zeros(explained, FEATURES))
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.register_buffer("points", torch.tensor(TEMPLATE).flatten() / CROP)
        self.register_buffer("places", torch.zeros(10, generator.w_dim))
        self.register_buffer("template", torch.tensor(TEMPLATE) / CROP, persistent=False)
        self.register_buffer("w_mean", generator.w_mean.clone(), persistent=False)

    def forward(self, styles: Tensor) -> Tensor:
        """Return the descriptors, without what attributes explain; differentiable."""
        found = F.normalize(self.described(styles), dim=1) - self.centre
        found = found - (found @ self.explained.T) @ self.explained
        return F.normalize(found, dim=1)

    def described(self, styles: Tensor) -> Tensor:
        """Return what the recogniser itself says, (N, 256)."""
        images = self.images(styles)
        crops = F.grid_sample(images, self._grid(styles), "bilinear", "border", False)
        described: Tensor = self.recogniser((crops + 1.0) * 127.5)
        return described

    def images(self, styles: Tensor) -> Tensor:
        """Return the small images (N, 3, 128, 128) in [−1, 1]."""
        images: Tensor = self._small[0](styles, SIDE)
        return images.clamp(-1.0, 1.0)

    def landmarks(self, styles: Tensor) -> Tensor:
        """Return where five landmarks are, (N, 5, 2), as shares of the side."""
        w = styles[:, :PLACING].mean(dim=1) - self.w_mean
        return (self.points + w @ self.places.T).view(-1, 5, 2)

    def _grid(self, styles: Tensor) -> Tensor:
        """Where in the image each pixel of the crop is, for `grid_sample`: (N, 112, 112, 2)."""
        # No gradient flows here: moving the crop off the face is no way to look like somebody.
        goal = self.landmarks(styles).detach()
        # The least-squares similarity from the template to the landmarks, as complex numbers.
        origin = self.template - self.template.mean(dim=0)
        to = goal - goal.mean(dim=1, keepdim=True)
        norm = origin.square().sum()
        cosine = (to * origin).sum(dim=(1, 2)) / norm
        sine = (to[..., 1] * origin[:, 0] - to[..., 0] * origin[:, 1]).sum(dim=1) / norm
        turn = torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)
        side = (torch.arange(CROP, device=styles.device) + 0.5) / CROP
        y, x = torch.meshgrid(side, side, indexing="ij")
        pixels = torch.stack([x, y], dim=-1) - self.template.mean(dim=0)
        placed = pixels.view(1, -1, 2) @ turn.transpose(1, 2) + goal.mean(dim=1, keepdim=True)
        return (placed * 2.0 - 1.0).view(-1, CROP, CROP, 2)

    def to(self, device: Any) -> IdentityNetwork:  # type: ignore[override]
        """Move it to a device."""
        self._small[0].to(device)
        super().to(device)
        return self

    def save(self, path: Path, report: Mapping[str, Any]) -> None:
        """Write what was learnt of a generator, in half precision, and a report (JSON values).

        The recogniser's weights are not in the file: they are in the archive of its authors.
        """
        exact = {"explained", "centre", "points", "places"}
        tensors = {
            name: (tensor if name in exact else tensor.half()).contiguous()
            for name, tensor in self.state_dict().items()
            if not name.startswith(_RECOGNISER)
        }
        header = {"format": FORMAT, "report": json.dumps(report, allow_nan=False)}
        write_atomic(path, to_bytes(tensors, metadata=header))

    @classmethod
    def load(
        cls, path: Path, generator: Generator, recogniser: MobileFace | None = None
    ) -> IdentityNetwork:
        """Read a network for a generator, frozen; the recogniser out of its archive if not given.

        Raises:
            ResourceError: the file is missing, damaged or of another format, or the archive is
                missing.
        """
        with reading(path, "network of identity", FORMAT, _REMEDY, "pt") as (_, tensors):
            network = cls(generator, len(tensors["explained"]))
            found = {name: tensor.float() for name, tensor in tensors.items()}
            missing, unknown = network.load_state_dict(found, strict=False)
            if unknown or not all(name.startswith(_RECOGNISER) for name in missing):
                raise ValueError("weights are missing, or of another network")
            if not all(tensor.isfinite().all() for tensor in tensors.values()):
                raise ValueError("a weight is not finite")
        network.recogniser = recogniser or mobileface(archive())
        return network.requires_grad_(False).eval()

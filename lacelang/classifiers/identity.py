"""Who is seen in a face: the descriptor of a face recogniser, of a small image.

A small image comes from the first blocks of the generator, and what it lacks to the decoder's is
added, which hardly changes while styles move a little. Where the face is in it follows from the
styles, so that no detector is needed. The recogniser is MobileFace, converted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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
#: Weight of what is held, in squared units of the classifiers (see `engine.editing`).
HELD = 0.1
_RECOGNISER = "recogniser."  # of names of its weights
#: Modulations whose styles tell where the face is: those up to 32 x 32.
PLACING = 10


class IdentityNetwork(nn.Module):
    """What a recogniser says of faces of a MobileStyleGAN.

    Attributes:
        centre: (256,), the mean unit descriptor.
        points, places: five landmarks (10,) of the mean face, as shares of the side, and how w
            moves them, (10, d).
    """

    centre: Tensor
    points: Tensor
    places: Tensor
    template: Tensor
    w_mean: Tensor

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        # A module that is not registered has no weights in this one's file.
        self._small = [LowResolution(generator.synthesis(), generator.w_mean)]  # type: ignore[arg-type]
        self.readout = self._small[0].readouts[str(SIDE)]
        self.recogniser = MobileFace()
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.register_buffer("points", torch.tensor(TEMPLATE).flatten() / CROP)
        self.register_buffer("places", torch.zeros(10, generator.w_dim))
        self.register_buffer("template", torch.tensor(TEMPLATE) / CROP, persistent=False)
        self.register_buffer("w_mean", generator.w_mean.clone(), persistent=False)

    def unlike(
        self,
        before: Tensor,
        image_before: Tensor,
        after: Tensor,
        image_after: Tensor,
        held: Callable[[Tensor], Tensor] | None = None,
    ) -> Callable[[Tensor], Tensor]:
        """Compare a face with itself before an edit.

        Args:
            before: the styles (1, styles, d) of the face before the edit.
            image_before: what the decoder makes of them, uint8 (H, W, 3).
            after, image_after: the same after the edit.
            held: from small images (1, 3, 128, 128) to what is to stay as it is after the edit,
                (1, K), differentiable.

        Returns:
            A function from styles near those after the edit to 1 - the cosine of descriptors and
            `HELD` times the squared change of what is held, a scalar, differentiable.
        """
        with torch.no_grad():
            edited = _shrunk(image_after)
            lacking = edited - self._small[0](after, SIDE)
            who = F.normalize(self.seen(_shrunk(image_before), before).mean(dim=0), dim=0)
            kept = None if held is None else held(edited)

        def of(styles: Tensor) -> Tensor:
            image = self._small[0](styles, SIDE) + lacking
            value: Tensor = (1.0 - self.seen(image, styles) @ who).mean()
            if held is not None and kept is not None:
                value = value + HELD * (held(image) - kept).square().sum()
            return value

        return of

    def seen(self, images: Tensor, styles: Tensor) -> Tensor:
        """Images (N, 3, 128, 128) in [−1, 1] and their styles → unit descriptors (4N, 256).

        They are of each image as it is, mirrored, and both blurred a little, less the mean: what
        does not last through that is no feature of a face.
        """
        crops = F.grid_sample(
            images.clamp(-1.0, 1.0), self._grid(styles), "bilinear", "border", False
        )
        crops = torch.cat([crops, crops.flip(3)])
        blurred = F.avg_pool2d(F.pad(crops, (1, 1, 1, 1), "replicate"), 3, 1)
        return F.normalize(self._described(torch.cat([crops, blurred])) - self.centre, dim=1)

    def described(self, styles: Tensor) -> Tensor:
        """Return unit descriptors of small images (N, 256) of styles w+ (N, styles, d)."""
        crops = F.grid_sample(self.images(styles), self._grid(styles), "bilinear", "border", False)
        return self._described(crops)

    def _described(self, crops: Tensor) -> Tensor:
        return F.normalize(self.recogniser((crops + 1.0) * 127.5), dim=1)

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
        exact = {"centre", "points", "places"}
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
            network = cls(generator)
            found = {name: tensor.float() for name, tensor in tensors.items()}
            missing, unknown = network.load_state_dict(found, strict=False)
            if unknown or not all(name.startswith(_RECOGNISER) for name in missing):
                raise ValueError("weights are missing, or of another network")
            if not all(tensor.isfinite().all() for tensor in tensors.values()):
                raise ValueError("a weight is not finite")
        network.recogniser = recogniser or mobileface(archive())
        return network.requires_grad_(False).eval()


def _shrunk(image: Tensor) -> Tensor:
    """An image, uint8 (H, W, 3), as planes (1, 3, 128, 128) in [−1, 1]."""
    planes = image.permute(2, 0, 1)[None].float() / 127.5 - 1.0
    return F.interpolate(planes, (SIDE, SIDE), mode="area")

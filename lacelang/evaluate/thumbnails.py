"""Small pictures of faces, differentiable and cheap: the first half of the decoder and a readout.

The features of the decoder at 64 x 64 hold the picture at that size but for some detail. A linear
readout, fitted to what the whole decoder paints, turns their channels into colours: a tenth of the
whole decoder's work, forward and back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from lacelang.errors import UsageError
from lacelang.generators.mobilestylegan.generator import MobileStyleGAN
from lacelang.samplers.streams import prior
from lacelang.storage.cache import cache_dir, whole_file

if TYPE_CHECKING:
    from lacelang.engine.loading import Model
    from lacelang.generators.mobilestylegan.synthesis import SynthesisNetwork
    from lacelang.progress import Progress

SIDE = 64
#: Blocks of the decoder up to that size; the first paints 4 x 4.
BLOCKS = 4
#: Faces that the readout is fitted to, and others that it is tried on.
FITTED = 32
TRIED = 16
SEED = 5003
TRUNCATION = 0.7
#: Weight of the squared coefficients, in units of the features' mean square.
PENALTY = 1e-6


@frozen(eq=False)
class Thumbnails:
    """Truncated w (N, 512) → pictures (N, 3, 64, 64), RGB, nominally in [−1, 1]; differentiable.

    Attributes:
        network: the decoder.
        weight, bias: of the readout, (3, C) and (3,).
        explained: share of the variance of the whole decoder's pictures, at that size, that the
            readout explains on faces that it was not fitted to.
    """

    network: SynthesisNetwork
    weight: Tensor
    bias: Tensor
    explained: float

    def __call__(self, w: Tensor) -> Tensor:
        """Paint one small picture for each row of w."""
        features = half_painted(self.network, w)
        painted: Tensor = F.conv2d(features, self.weight[:, :, None, None], self.bias)
        return painted


def half_painted(network: SynthesisNetwork, w: Tensor) -> Tensor:
    """The decoder's features (N, C, 64, 64) of truncated w (N, 512)."""
    x: Tensor = network.first(network.input, w, 1.0)
    blocks = zip(network.ups, network.conv1, network.conv2, strict=True)
    for _, (up, conv1, conv2) in zip(range(BLOCKS), blocks, strict=False):
        x = conv2(conv1(up(x, w), w, 1.0), w, 1.0)
    return x


def fitted(model: Model, progress: Progress) -> Thumbnails:
    """Fit the readout of a model's decoder, or read it from the cache.

    Raises:
        UsageError: the model has another decoder.
        ResourceError: weights cannot be had.
    """
    generator = model.generator
    if not isinstance(generator, MobileStyleGAN):
        raise UsageError(f"no part of the decoder of {model.name} is known to paint small pictures")
    network = generator.synthesis()
    path = folder(model) / "readout.safetensors"
    if not path.is_file():
        readout = _fit(model, network, progress)
        with whole_file(path) as partial:
            save_file(readout, partial)
    kept = load_file(path)
    return Thumbnails(network, kept["weight"], kept["bias"], float(kept["explained"]))


def folder(model: Model) -> Path:
    """Where in the cache everything about a model's thumbnails is kept."""
    name = f"{model.weights(conditioned=False)['generator'][:12]}-{BLOCKS}-{FITTED}"
    return cache_dir() / "thumbnails" / name


def _fit(model: Model, network: SynthesisNetwork, progress: Progress) -> dict[str, Tensor]:
    z = prior(SEED, range(FITTED + TRIED), model.generator.latent_dim)
    with progress.stage("fitting a readout", total=len(z)) as stage, torch.inference_mode():
        w = model.styles(z, TRUNCATION)
        features, pictures = [], []
        for row, image in zip(w, model.decode(w), strict=True):
            # Every other pixel of every other row tells as much.
            features.append(half_painted(network, row[None])[0, :, ::2, ::2].clone())
            pictures.append(torch.from_numpy(small(image))[:, ::2, ::2])
            stage.advance()
    return readout(torch.stack(features), torch.stack(pictures), FITTED)


def readout(features: Tensor, pictures: Tensor, count: int) -> dict[str, Tensor]:
    """Least squares from features to colours, pixel by pixel.

    Args:
        features: (N, C, H, W).
        pictures: (N, 3, H, W).
        count: the first so many faces are fitted to, the others tried on.

    Returns:
        `weight` (3, C), `bias` (3,) and `explained` (), the share of variance on the others.
    """

    def pixels(planes: Tensor) -> Tensor:
        return planes.movedim(1, -1).flatten(0, 2).double()

    x, y = pixels(features[:count]), pixels(pictures[:count])
    mean, middle = x.mean(dim=0), y.mean(dim=0)
    gram = (x - mean).T @ (x - mean) / len(x)
    gram += PENALTY * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    weight = torch.linalg.solve(gram, (x - mean).T @ (y - middle) / len(x))
    bias = middle - mean @ weight
    tried = pixels(pictures[count:])
    missed = (pixels(features[count:]) @ weight + bias - tried).square().mean()
    explained = 1 - missed / tried.var(dim=0).mean()
    found = {"weight": weight.T, "bias": bias, "explained": explained}
    return {name: value.float().contiguous() for name, value in found.items()}


def small(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A picture, uint8 (H, W, 3), as float32 (3, 64, 64) in [−1, 1], each pixel a mean of many."""
    side = image.shape[0] // SIDE
    blocks = image.reshape(SIDE, side, SIDE, side, 3).mean(axis=(1, 3), dtype=np.float32)
    return np.ascontiguousarray(blocks.transpose(2, 0, 1) / np.float32(127.5) - 1)

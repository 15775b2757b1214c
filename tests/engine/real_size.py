"""A model with networks of the real size and random weights, in the place of `ffhq`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import lacelang
from lacelang.classifiers.classifier import Heads
from lacelang.engine.loading import Model
from lacelang.generators.mobilestylegan import DIM
from lacelang.generators.mobilestylegan.networks import MappingNetwork

SPEC = lacelang.compile("sample from ffhq").samples[0].model


class RealSizeGenerator:
    """A mapping network of the real size; a picture shows the first coordinates of w."""

    latent_dim = DIM
    style_count = 3
    style_layers = (tuple(range(6)), tuple(range(6, 12)), tuple(range(12, 18)))
    resolution = 8

    def __init__(self) -> None:
        random = torch.Generator().manual_seed(1)

        def draw(*shape: int) -> Tensor:
            return torch.randn(shape, generator=random)

        self.mapping = MappingNetwork()
        for layer in self.mapping.layers:
            layer.weight.data = draw(DIM, DIM) / math.sqrt(DIM)
            layer.bias.data = 0.1 * draw(DIM)
        self.mapping.requires_grad_(False)
        self.w_mean = 0.1 * draw(DIM)
        axes, _ = torch.linalg.qr(draw(DIM, DIM))
        self.deviations = torch.linspace(2.0, 0.1, DIM)
        self._whitening, self._colouring = axes / self.deviations, (axes * self.deviations).T

    def truncate(self, w: Tensor, psi: float | Tensor) -> Tensor:
        mean = self.w_mean.to(w.device)
        return mean + psi * (w - mean)

    def untruncate(self, w: Tensor, psi: float) -> Tensor:
        mean = self.w_mean.to(w.device)
        return mean + (w - mean) / psi

    def whiten(self, w: Tensor) -> Tensor:
        return (w - self.w_mean) @ self._whitening

    def colour(self, u: Tensor) -> Tensor:
        return self.w_mean + u @ self._colouring

    def prepare(self) -> None:
        pass

    def decode(self, w: Tensor) -> Iterator[NDArray[np.uint8]]:
        for row in w.numpy():
            styles = np.broadcast_to(row, (self.style_count, DIM))
            flat = np.clip(128 + 40 * styles[:, :64], 0, 255).astype(np.uint8)
            yield np.ascontiguousarray(flat.reshape(3, 8, 8).transpose(1, 2, 0))


def _heads() -> Heads:
    attributes = SPEC.attributes
    heads = Heads(attributes, inputs=512)
    heads.initialise(torch.Generator().manual_seed(2))
    for attribute in attributes:
        columns = heads.columns[attribute.name]
        heads.gain[columns] = 20.0
        if not attribute.discrete:
            heads.gain[columns] = 2.0 * (attribute.high - attribute.low)
            heads.shift[columns] = 0.5 * (attribute.high + attribute.low)
            heads.sigma[attribute.name] = 0.1 * (attribute.high - attribute.low)
    return heads.freeze()


class RealSizeModel(Model):
    """The two of them as a loaded model."""

    heads: Any = _heads()

    def __init__(self) -> None:
        super().__init__(SPEC, RealSizeGenerator(), torch.device("cpu"))  # type: ignore[arg-type]

    def weights(self, conditioned: bool) -> dict[str, str]:
        return {"generator": "random", "device": "cpu"}

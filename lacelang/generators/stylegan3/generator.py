"""StyleGAN3 as a `Generator`."""

from __future__ import annotations

import torch

from lacelang.generators.generator import Decoder, Generator, torch_decoder
from lacelang.generators.imported_weights import part_of
from lacelang.generators.stylegan2.networks import Mapping
from lacelang.generators.stylegan3.networks import Synthesis
from lacelang.generators.stylegan3.store import STORE
from lacelang.storage.fetch import WeightsFile

_LARGE = 128
"""Side of an image, in pixels, from which a CPU decodes one at a time, for its memory."""


class StyleGAN3(Generator):
    """An imported generator. Its arguments are those of `Architecture.load`."""

    def __init__(self, weights: WeightsFile, device: torch.device, **_: object) -> None:
        config, state = STORE.load(weights)
        self.config = config
        super().__init__(
            config.layout,
            part_of(Synthesis, config, state, "synthesis."),
            mapping=part_of(Mapping, config, state, "mapping."),
            w_mean=state["w_mean"],
            whitening=state["w_whitening"],
            device=device,
        )

    def decoder(self) -> Decoder:
        """Return what decodes styles (N, styles, w), in order."""
        alone = self.device.type == "cpu" and self.config.resolution >= _LARGE
        return torch_decoder(self.synthesis(), self.device, 1 if alone else 8)

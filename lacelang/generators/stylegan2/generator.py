"""StyleGAN2 as a `Generator`."""

from __future__ import annotations

import torch
from torch import nn

from lacelang.generators.generator import Decoder, Generator, torch_decoder
from lacelang.generators.imported_weights import part_of
from lacelang.generators.stylegan2.networks import Mapping, Synthesis
from lacelang.generators.stylegan2.store import STORE
from lacelang.storage.fetch import WeightsFile

_LARGE = 256
"""Side of an image, in pixels, from which a CPU decodes one at a time, for its memory."""


class StyleGAN2(Generator):
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
        network: nn.Module = self.synthesis()
        if self.device.type != "cpu":
            return torch_decoder(network, self.device)
        # A quarter faster there.
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return torch_decoder(network, self.device, 1 if self.config.resolution >= _LARGE else 8)

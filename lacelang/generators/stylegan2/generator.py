"""StyleGAN2 as a `Generator`."""

from __future__ import annotations

import torch
from torch import nn

from lacelang.generators.generator import Decoder, torch_decoder
from lacelang.generators.imported_generator import ImportedGenerator
from lacelang.generators.stylegan2.networks import Mapping, Synthesis
from lacelang.generators.stylegan2.store import STORE

_LARGE = 256
"""Side of an image, in pixels, from which a CPU decodes one at a time, for its memory."""


class StyleGAN2(ImportedGenerator):
    """See `ImportedGenerator`."""

    store = STORE
    networks = Mapping, Synthesis

    def decoder(self) -> Decoder:
        """Return what decodes styles (N, styles, w), in order."""
        network: nn.Module = self.synthesis()
        if self.device.type != "cpu":
            return torch_decoder(network, self.device)
        # A quarter faster there.
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return torch_decoder(network, self.device, 1 if self.config.resolution >= _LARGE else 8)

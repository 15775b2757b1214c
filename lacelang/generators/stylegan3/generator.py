"""StyleGAN3 as a `Generator`."""

from __future__ import annotations

from lacelang.generators.generator import Decoder, torch_decoder
from lacelang.generators.imported_generator import ImportedGenerator
from lacelang.generators.stylegan2.networks import Mapping
from lacelang.generators.stylegan3.networks import Synthesis
from lacelang.generators.stylegan3.store import STORE

_LARGE = 128
"""Side of an image, in pixels, from which a CPU decodes one at a time, for its memory."""


class StyleGAN3(ImportedGenerator):
    """See `ImportedGenerator`."""

    store = STORE
    networks = Mapping, Synthesis

    def decoder(self) -> Decoder:
        """Return what decodes styles (N, styles, w), in order."""
        alone = self.device.type == "cpu" and self.config.resolution >= _LARGE
        return torch_decoder(self.synthesis(), self.device, 1 if alone else 8)

"""StyleGAN2 as a `Generator`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from lacelang.generators.generator import Decoder, Generator, torch_decoder
from lacelang.generators.stylegan2 import store
from lacelang.generators.stylegan2.config import Config
from lacelang.generators.stylegan2.networks import Mapping, Synthesis
from lacelang.storage.fetch import WeightsFile

_LARGE = 256
"""Side of an image, in pixels, from which a CPU decodes one at a time, for its memory."""

Part = TypeVar("Part", bound=nn.Module)


class StyleGAN2(Generator):
    """An imported generator. Its arguments are those of `Architecture.load`."""

    def __init__(self, weights: WeightsFile, device: torch.device, **_: object) -> None:
        config, state = store.load(weights)
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


def part_of(
    kind: Callable[[Config], Part], config: Config, state: dict[str, Tensor], prefix: str
) -> Part:
    """Return the mapping or the synthesis network with its tensors."""
    with torch.device("meta"):  # nothing is drawn for what is replaced at once
        network = kind(config)
    own = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
    network.load_state_dict(own, assign=True)
    return network.eval().requires_grad_(False)

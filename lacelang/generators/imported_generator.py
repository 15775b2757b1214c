"""A `Generator` from a file that `Store` wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import nn

from lacelang.generators.generator import Generator
from lacelang.generators.imported_weights import Store, part_of
from lacelang.storage.fetch import WeightsFile


class ImportedGenerator(Generator):
    """An imported generator. Its arguments are those of `Architecture.load`.

    Attributes:
        store: of its architecture.
        networks: mapping and synthesis, each made of the configuration.
        config: what its file says of it.
    """

    store: ClassVar[Store[Any]]
    networks: ClassVar[tuple[Callable[[Any], nn.Module], Callable[[Any], nn.Module]]]

    def __init__(self, weights: WeightsFile, device: torch.device, **_: object) -> None:
        self.config, state = self.store.load(weights)
        mapping, synthesis = self.networks
        super().__init__(
            self.config.layout,
            part_of(synthesis, self.config, state, "synthesis."),
            mapping=part_of(mapping, self.config, state, "mapping."),
            w_mean=state["w_mean"],
            whitening=state["w_whitening"],
            device=device,
        )

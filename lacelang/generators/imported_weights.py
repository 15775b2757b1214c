"""An imported generator in a safetensors file: its configuration in the header, then its tensors.

The header alone is enough to know the layout; it is read without torch or numpy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from attrs import frozen

from lacelang.errors import ResourceError
from lacelang.generators.declaration import Layout, Weights
from lacelang.storage.fetch import WeightsFile
from lacelang.storage.user_models import header_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lacelang.generators.published_weights import Array
    from lacelang.progress import Progress

FORMAT = 1
KEY = "lacelang"
_REMEDY = "import it anew with `lacelang models import`"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Config(Protocol):
    """What determines a generator's layers."""

    @property
    def layout(self) -> Layout:
        """What its latents look like."""
        ...

    @property
    def said(self) -> dict[str, Any]:
        """It as JSON values."""
        ...


C = TypeVar("C", bound=Config)
Part = TypeVar("Part", bound="nn.Module")


@frozen
class Store(Generic[C]):
    """Files of one architecture.

    Attributes:
        architecture: its name.
        config_of: from what `said` gave to the configuration; a ValueError where it makes no sense.
        shapes_of: the shapes of all tensors, by name.
    """

    architecture: str
    config_of: Callable[[Mapping[str, Any]], C]
    shapes_of: Callable[[C], dict[str, tuple[int, ...]]]

    def layout_of(self, weights: Weights) -> Layout | None:
        """Return the layout that a file's header says; None of one that is missing or damaged."""
        if not isinstance(weights, WeightsFile):
            return None
        try:
            return self._said(weights.path).layout
        except _UNREADABLE:
            return None

    def _said(self, path: Path) -> C:
        said = json.loads(header_of(path)[KEY])
        if (said["architecture"], said["format"]) != (self.architecture, FORMAT):
            raise ValueError(f"it says no {self.architecture}")
        return self.config_of(said["config"])

    def save(
        self,
        config: C,
        arrays: Mapping[str, Array],
        mean: Array | None,
        mapping: Callable[[C], nn.Module],
        path: Path,
        progress: Progress,
    ) -> None:
        """Write a generator, with mean and covariance of w under the prior.

        Args:
            config, arrays: the generator, by `shapes_of`.
            mean: what truncation goes to; None takes the mean of draws.
            mapping: its mapping network, which is given the tensors `mapping.…`.
            path: of the file.
            progress: where to show it.
        """
        import torch
        from safetensors.torch import save_file

        from lacelang.generators.statistics import of_prior

        state = {name: torch.from_numpy(array) for name, array in arrays.items()}
        with progress.stage("the prior of w"):
            drawn, whitening = of_prior(
                part_of(mapping, config, state, "mapping."), config.layout.latent_dim
            )
        kept = drawn if mean is None else torch.from_numpy(mean)
        said = {"architecture": self.architecture, "format": FORMAT, "config": config.said}
        with progress.stage("writing the generator"):
            save_file(
                {**state, "w_mean": kept, "w_whitening": whitening.contiguous()},
                path,
                metadata={KEY: json.dumps(said)},
            )

    def load(self, weights: WeightsFile) -> tuple[C, dict[str, Tensor]]:
        """Return configuration and tensors of an imported generator, its file verified.

        Raises:
            ResourceError: it is missing, another one, or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = weights.verify()
        try:
            config = self._said(path)
            state: dict[str, Tensor] = load_file(path)
        except (*_UNREADABLE, SafetensorError) as error:
            why = " ".join(str(error).split())[:200]
            message = f"{path} is no {self.architecture} that was imported: {why}"
            raise ResourceError(message, _REMEDY) from None
        w = config.layout.w_dim
        wanted = {**self.shapes_of(config), "w_mean": (w,), "w_whitening": (w, w)}
        if {name: tuple(tensor.shape) for name, tensor in state.items()} != wanted:
            message = f"{path} holds other tensors than its header says"
            raise ResourceError(message, _REMEDY)
        return config, state


def part_of(kind: Callable[[C], Part], config: C, state: Mapping[str, Tensor], prefix: str) -> Part:
    """Return a network with its tensors, those whose names begin with `prefix`."""
    import torch

    with torch.device("meta"):  # nothing is drawn for what is replaced at once
        network = kind(config)
    own = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
    network.load_state_dict(own, assign=True)
    return network.eval().requires_grad_(False)


def is_there(weights: Weights) -> bool:
    """Whether a generator was imported."""
    return isinstance(weights, WeightsFile) and weights.path.is_file()

"""The autoencoder as a `Generator`. Its weights are a file of this project's own training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lacelang.errors import ResourceError
from lacelang.generators.generator import Generator
from lacelang.generators.statistics import of_prior
from lacelang.generators.vae import DIM, LAYOUT
from lacelang.generators.vae.networks import Flow, Synthesis
from lacelang.storage.fetch import WeightsFile

if TYPE_CHECKING:
    from lacelang.progress import Progress


def load(
    weights: WeightsFile,
    device: torch.device,
    *,
    progress: Progress | None = None,
    help_: str = "",
    threads: int = 0,
) -> Generator:
    """Load flow and decoder; see `Architecture.load`. w is the code of the autoencoder."""
    from safetensors import SafetensorError
    from safetensors.torch import load as read

    try:
        state = read(weights.verify().read_bytes())
        flow, synthesis = Flow(), Synthesis()
        for name, network in (("flow.", flow), ("decoder.", synthesis)):
            own = {k.removeprefix(name): t for k, t in state.items() if k.startswith(name)}
            network.load_state_dict({key: tensor.float() for key, tensor in own.items()})
    except (SafetensorError, RuntimeError, ValueError) as error:
        message = f"{weights.path} does not hold the weights of a `vae`: {error}"
        raise ResourceError(
            message, "train them with `python -m experiments.train_digits`"
        ) from None
    w_mean, whitening = of_prior(flow, DIM)
    return Generator(
        LAYOUT, synthesis, mapping=flow, w_mean=w_mean, whitening=whitening, device=device
    )

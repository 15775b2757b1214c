"""An imported generator in a safetensors file: its configuration in the header, then its tensors.

The header alone is enough to know the layout; it is read without torch or numpy.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lacelang.errors import ResourceError
from lacelang.generators.declaration import Layout, Weights
from lacelang.generators.stylegan2.config import Config, config_of, shapes_of
from lacelang.storage.fetch import WeightsFile
from lacelang.storage.user_models import header_of

if TYPE_CHECKING:
    from torch import Tensor

    from lacelang.generators.published_weights import Array
    from lacelang.progress import Progress

REMEDY = "import it anew with `lacelang models import`"
FORMAT = 1
KEY = "lacelang"
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What a header that is missing or damaged raises."""
PRIOR_SEED = 0
VARIANCE_FLOOR = 1e-3
"""Directions in which w hardly varies count as if they varied by this share of the mean."""
PRIOR_DRAWS = 65_536
"""Draws that mean and covariance of w are taken over."""
_BATCH = 4096


def is_there(weights: Weights) -> bool:
    """Whether a generator was imported."""
    return isinstance(weights, WeightsFile) and weights.path.is_file()


def layout_of(weights: Weights) -> Layout | None:
    """Return the layout that a file's header says; None of one that is missing or damaged."""
    if not isinstance(weights, WeightsFile):
        return None
    try:
        return said_of(weights.path).layout
    except UNREADABLE:
        return None


def said_of(path: Path) -> Config:
    """Return the configuration that the header of a file says, or raise one of `UNREADABLE`."""
    said = json.loads(header_of(path)[KEY])
    if (said["architecture"], said["format"]) != ("stylegan2", FORMAT):
        raise ValueError("it says no StyleGAN2")
    return config_of(said["config"])


def save(
    config: Config, arrays: dict[str, Array], mean: Array | None, path: Path, progress: Progress
) -> None:
    """Write an imported generator, with mean and covariance of w under the prior.

    `mean` is the one that truncation goes to; None takes the mean of draws.
    """
    import torch
    from safetensors.torch import save_file

    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    draws = statistics(config, state, progress)
    if mean is not None:
        draws["w_mean"] = torch.from_numpy(mean)
    said = {"architecture": "stylegan2", "format": FORMAT, "config": config.said}
    with progress.stage("writing the generator"):
        save_file(state | draws, path, metadata={KEY: json.dumps(said)})


def statistics(config: Config, state: dict[str, Tensor], progress: Progress) -> dict[str, Tensor]:
    """Return mean and whitening of w under the prior, from `PRIOR_DRAWS` draws."""
    import torch

    from lacelang.generators.stylegan2.generator import part_of
    from lacelang.generators.stylegan2.networks import Mapping

    mapping = part_of(Mapping, config, state, "mapping.")
    random = torch.Generator().manual_seed(PRIOR_SEED)
    rows = [min(_BATCH, PRIOR_DRAWS - at) for at in range(0, PRIOR_DRAWS, _BATCH)]
    total = torch.zeros(config.w, dtype=torch.float64)
    square = torch.zeros(config.w, config.w, dtype=torch.float64)
    with torch.inference_mode(), progress.stage("the prior of w", len(rows)) as stage:
        for count in rows:
            z = torch.randn(count, config.layout.latent_dim, generator=random)
            w = mapping(z).double()
            total += w.sum(0)
            square += w.T @ w
            stage.advance()
        mean = total / PRIOR_DRAWS
        covariance = square / PRIOR_DRAWS - torch.outer(mean, mean)
        variance, axes = torch.linalg.eigh(covariance)
        floor = VARIANCE_FLOOR * variance.mean()
        whitening = axes * (variance.clamp(min=0) + floor).rsqrt()
    return {"w_mean": mean.float(), "w_whitening": whitening.float().contiguous()}


def load(weights: WeightsFile) -> tuple[Config, dict[str, Any]]:
    """Return configuration and tensors of an imported generator, its file verified.

    Raises:
        ResourceError: it is missing, another one, or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = weights.verify()
    try:
        config = said_of(path)
        state = load_file(path)
    except (*UNREADABLE, SafetensorError) as error:
        message = f"{path} is no StyleGAN2 that was imported: {' '.join(str(error).split())[:200]}"
        raise ResourceError(message, REMEDY) from None
    wanted = {**shapes_of(config), "w_mean": (config.w,), "w_whitening": (config.w, config.w)}
    if {name: tuple(tensor.shape) for name, tensor in state.items()} != wanted:
        message = f"{path} holds other tensors than its header says"
        raise ResourceError(message, REMEDY)
    return config, state

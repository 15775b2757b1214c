"""What a model's classifiers say of all its attributes, of samples that are there and of the prior.

Records of a run hold only what its conditions compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor

from lacelang.energy import Outputs
from lacelang.engine.loading import Model
from lacelang.engine.sampling import outputs_of_prior
from lacelang.ir import ModelSpec
from lacelang.rows import named_in_blocks
from lacelang.storage.latents import Latents
from lacelang.system.torch_state import isolated


@frozen(eq=False)
class Predicted:
    """Predictions of N latents.

    Attributes:
        shares: by discrete attribute, the mean probability of each class, (k,).
        values: by continuous attribute, float64 (N,), in its unit.
    """

    shares: Mapping[str, NDArray[np.float64]]
    values: Mapping[str, NDArray[np.float64]]


def of_samples(model: Model, spec: ModelSpec, latents: Latents) -> Predicted | None:
    """Return the predictions of a group's samples; None where there is no style to judge.

    An edited sample is judged by its style after the last line, as the edit itself does.
    """
    w = latents.w if latents.edit_path is None else latents.edit_path.w[:, -1]
    z = w if latents.z is None else latents.z
    if w.ndim != 2 or (model.space == "z" and latents.z is None):
        return None
    with isolated(), torch.no_grad():
        rows = [torch.tensor(each).to(model.latents_device) for each in (z, w)]
        return _predicted(spec, named_in_blocks(model.judge, *rows))


def of_prior(model: Model, spec: ModelSpec, truncation: float) -> Predicted:
    """Return the predictions of `lacelang.engine.sampling.PRIOR_DRAWS` draws."""
    with isolated():
        return _predicted(spec, outputs_of_prior(model, truncation))


def _predicted(spec: ModelSpec, outputs: Outputs) -> Predicted:
    named: Mapping[Any, Tensor] = outputs
    shares: dict[str, NDArray[np.float64]] = {}
    values: dict[str, NDArray[np.float64]] = {}
    for attribute in spec.attributes:
        if attribute.name not in named:
            continue
        output = named[attribute.name].double().cpu()
        if attribute.limits is None:
            shares[attribute.name] = output.softmax(dim=1).mean(dim=0).numpy()
        else:
            values[attribute.name] = output.numpy()
    return Predicted(shares, values)

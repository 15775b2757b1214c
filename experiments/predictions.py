"""The classifiers' predictions: probabilities under the prior, and distances between samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.statements import loaded_model, named, sample
from lacelang.api import compile
from lacelang.engine.loading import Model
from lacelang.engine.sampling import compile_condition
from lacelang.samplers.streams import prior

Predictions = Mapping[str, NDArray[np.float64]]

PRIOR_DRAWS = 20_000
PRIOR_SEED = 9000
_CHUNK = 2048


def prior_shares(conditions: Sequence[str]) -> dict[str, float]:
    """Return the probability of each condition under the prior, by its classifiers: mean e^-E."""
    statements = [sample(PRIOR_DRAWS, condition, seed=PRIOR_SEED) for condition in conditions]
    program = compile(named(dict(enumerate(statements))))
    model = loaded_model(program.samples[0])
    z = prior(PRIOR_SEED, range(PRIOR_DRAWS), model.generator.latent_dim)
    outputs = _outputs(model, z, program.samples[0].truncation)
    energies = (compile_condition(s, model)(outputs).double() for s in program.samples)
    return {c: float(torch.exp(-e).mean()) for c, e in zip(conditions, energies, strict=True)}


def predict(model: Model, z: Tensor, truncation: float) -> Predictions:
    """Return all predictions of the classifiers for latents (N, d).

    By attribute, a value in its unit or the log-odds of class 1; for more than two values, by
    `attribute=value`, the log-odds of each value.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for name, head in _outputs(model, z, truncation).items():
        values = head.double().cpu()
        if values.ndim == 1:
            found[name] = values.numpy()
        elif values.shape[1] == 2:
            found[name] = (values[:, 1] - values[:, 0]).numpy()
        else:
            for i in range(values.shape[1]):
                others = [k for k in range(values.shape[1]) if k != i]
                odds = values[:, i] - torch.logsumexp(values[:, others], dim=1)
                found[f"{name}={i}"] = odds.numpy()
    return found


def distances(a: Predictions, b: Predictions, without: Iterable[str]) -> dict[str, float]:
    """Kolmogorov-Smirnov statistics sup |F_a − F_b| of two samples' predictions, by attribute.

    For an attribute with several values, the largest over the values. Attributes that the condition
    mentions are left out.
    """
    from scipy.stats import ks_2samp

    left_out = set(without)
    found: dict[str, float] = {}
    for key, values in a.items():
        name = key.split("=")[0]
        if name not in left_out:
            statistic = float(ks_2samp(values, b[key]).statistic)
            found[name] = max(found.get(name, 0.0), statistic)
    return found


def _outputs(model: Model, z: Tensor, truncation: float) -> dict[str, Tensor]:
    features = model.features(truncation)
    # Not inference mode: classifiers loaded in it could not compute gradients afterwards.
    with torch.no_grad():
        parts = [features(rows.to(model.latents_device)) for rows in torch.split(z, _CHUNK)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

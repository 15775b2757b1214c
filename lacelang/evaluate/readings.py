"""What the classifiers read of latents: shares under the prior, and distances between samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lacelang import ir
from lacelang.api import compile
from lacelang.engine.loading import Model, load
from lacelang.progress import Silent

Readings = Mapping[str, NDArray[np.float64]]

PRIOR_DRAWS = 20_000
PRIOR_SEED = 9000
_CHUNK = 2048


def model_of(statement: ir.SampleStatement) -> Model:
    """The loaded model of a statement."""
    return load(statement.model, "auto", Silent())


def prior_shares(conditions: Sequence[str], model: str = "ffhq") -> dict[str, float]:
    """How often the prior satisfies each condition, by its classifiers: mean of e^-E."""
    text = "\n".join(
        f'sample {PRIOR_DRAWS} from {model} where {condition} seed {PRIOR_SEED} as "{i}"'
        for i, condition in enumerate(conditions)
    )
    program = compile(text)
    from lacelang.compiler import compile_condition
    from lacelang.samplers.streams import prior

    first = program.samples[0]
    loaded = model_of(first)
    z = prior(PRIOR_SEED, range(PRIOR_DRAWS), loaded.generator.latent_dim)
    outputs = _outputs(loaded, z, first.truncation)
    shares = {}
    for condition, statement in zip(conditions, program.samples, strict=True):
        energy = compile_condition(statement, loaded)(outputs)
        shares[condition] = float(torch.exp(-energy.double()).mean())
    return shares


def read(model: Model, z: Tensor, truncation: float) -> Readings:
    """Everything the classifiers read of latents (N, d).

    Returns:
        By attribute a value in its unit, or the log-odds of being class 1; by `attribute=value`
        the log-odds of each value where there are more than two.
    """
    outputs = _outputs(model, z, truncation)
    readings: dict[str, NDArray[np.float64]] = {}
    for name, head in outputs.items():
        values = head.double().cpu()
        if values.ndim == 1:
            readings[name] = values.numpy()
        elif values.shape[1] == 2:
            readings[name] = (values[:, 1] - values[:, 0]).numpy()
        else:
            for i in range(values.shape[1]):
                others = [k for k in range(values.shape[1]) if k != i]
                odds = values[:, i] - torch.logsumexp(values[:, others], dim=1)
                readings[f"{name}={i}"] = odds.numpy()
    return readings


def distances(a: Readings, b: Readings, without: Iterable[str]) -> dict[str, float]:
    """Kolmogorov-Smirnov statistics of two samples' readings, by attribute.

    Args:
        a, b: of `read`.
        without: attributes to leave out: those that the condition speaks of.

    Returns:
        By attribute sup |F_a − F_b|; of one with several values, the largest over the values.
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


def attributes_of(predicate: ir.Predicate | None) -> set[str]:
    """Names of the attributes that a condition speaks of."""
    match predicate:
        case None:
            return set()
        case ir.And(terms=terms) | ir.Or(terms=terms):
            return set().union(*(attributes_of(term) for term in terms))
        case ir.Not(term=term):
            return attributes_of(term)
        case ir.Comparison():
            return {predicate.attribute.name}
    raise TypeError(f"{type(predicate).__name__} is no predicate")


def _outputs(model: Model, z: Tensor, truncation: float) -> dict[str, Tensor]:
    features = model.features(truncation)
    # Not inference mode: classifiers that are first read in it could not be steered by any more.
    with torch.no_grad():
        parts = [features(z[i : i + _CHUNK].to(model.device)) for i in range(0, len(z), _CHUNK)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

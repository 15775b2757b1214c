"""Small linear probes, which turn measures into log-odds.

`experiments/eye_labels.py` says what the shipped ones were fitted to.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lacelang.resources import shipped

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Shipped file with the fitted probes.
PROBES = "ffhq.probes.safetensors"


@frozen(eq=False)
class Probe:
    """logits = features · weight + bias; weight (F, C), bias (C,), C = 1 for yes or no."""

    weight: Floats
    bias: Floats

    def __call__(self, features: NDArray[np.floating]) -> Floats:
        """Return the logits (..., C) of features (..., F): one per class, or of yes alone."""
        out: Floats = np.asarray(features, dtype=np.float64) @ self.weight + self.bias
        return out


@cache
def shipped_probe(name: str) -> Probe:
    """Return a probe of the standard library: smile, beard or haircolor."""
    return load(shipped("stdlib") / PROBES, name)


def load(path: Path, name: str) -> Probe:
    """Return one probe of a safetensors file."""
    tensors = load_file(path)
    weight, bias = (tensors[f"{name}.{part}"].astype(np.float64) for part in ("weight", "bias"))
    return Probe(weight, bias)

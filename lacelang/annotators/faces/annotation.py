"""From raw measures and an embedding to the twelve attributes, in part by small linear probes.

`experiments/eye_labels.py` says what the shipped probes were fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lacelang.annotators.faces import BINARY, FACES
from lacelang.resources import shipped

Floats = NDArray[np.float64]

#: Shipped file with the fitted probes.
PROBES = "ffhq.probes.safetensors"

#: Names of the raw measures, in their order.
MEASURES = (
    "presence",  # probability that a face is there
    "smile_ratio",  # mouth width over face width
    "mouth_open",  # gap between the lips over face width
    "corner_lift",  # corners of the mouth above its middle, over face width
    "width_ratio",  # face width over face height
    "yaw",  # degrees, > 0 to the viewer's right
    "pitch",  # degrees, > 0 up
    "roll",  # degrees, > 0 clockwise
    "age",  # years
    "male",  # probability
    "glasses_share",  # share of the image that is spectacles
    "hair_share",
    "hat_share",
    "hair_l",  # median CIELAB of the hair, NaN when hidden
    "hair_a",
    "hair_b",
    "skin_l",  # median CIELAB of the skin
    "skin_a",
    "skin_b",
    "scalp_share",  # bare share of the head above the brows
    "light_0",  # linear luminance: constant term
    "light_y",
    "light_z",
    "light_x",  # > 0 when the light comes from the viewer's right
)

# The parts of an embedding.
WHOLE = slice(0, 1280)  # image features of the whole picture
LOWER = slice(1280, 2560)  # image features of the lower face
LIPS = slice(2560, 2680)  # offsets of the lip outline, 40 points in 3-D

# Share of the image from which spectacles are worn. Of 1290 faces none lies between 0.004, where
# misjudged pixels end, and 0.010, where thin rims begin.
_GLASSES = 0.006
# The values of normalised attributes that are 0 and 1: almost all faces lie between.
_WIDTH = (0.76, 0.98)
_BALD = (0.0, 1.0)
_LIGHT0 = (0.0, 0.6)
_LIGHT3 = (-1.2, 1.2)


@frozen(eq=False)
class Probe:
    """logits = features · weight + bias; weight (F, C), bias (C,), C = 1 for yes or no."""

    weight: Floats
    bias: Floats

    def __call__(self, features: NDArray[np.floating]) -> Floats:
        """Return the logits (..., C) of features (..., F): one per class, or of yes alone."""
        return np.asarray(features, dtype=np.float64) @ self.weight + self.bias


@cache
def shipped_probe(name: str) -> Probe:
    """Return a probe of the standard library: smile, beard or haircolor."""
    return load_probe(shipped("stdlib") / PROBES, name)


def load_probe(path: Path, name: str) -> Probe:
    """Return one probe of a safetensors file."""
    tensors = load_file(path)
    weight, bias = (tensors[f"{name}.{part}"].astype(np.float64) for part in ("weight", "bias"))
    return Probe(weight, bias)


def values(measured: Mapping[str, Any]) -> dict[str, float]:
    """Return the value of every attribute of a face, NaN where nothing is seen."""
    found = scores(measured)
    for name in BINARY:
        if not math.isnan(found[name]):
            found[name] = float(found[name] >= 0.5)
    return found


def scores(measured: Mapping[str, Any]) -> dict[str, float]:
    """Return `values`, but scores 0..1 of `BINARY` attributes.

    Hair colour is a class number. Yaw and pitch are degrees, age years, the others 0..1 over the
    generator's faces. All is NaN where there is no face.
    """
    embedding: NDArray[np.float16] = measured["embedding"]
    m = {name: float(value) for name, value in zip(MEASURES, measured["raw"], strict=True)}
    if not m["presence"] >= 0.5:
        return dict.fromkeys(FACES.attributes, math.nan)
    share = m["glasses_share"]
    return {
        "smile": _probability("smile", embedding[LIPS]),
        "glasses": share / (share + _GLASSES),
        "gender": m["male"],
        "beard": _probability("beard", embedding[LOWER]),
        "haircolor": _colour(measured["raw"]),
        "yaw": m["yaw"],
        "age": m["age"],
        "pitch": m["pitch"],
        "bald": _unit(m["scalp_share"], _BALD),
        "width": _unit(m["width_ratio"] - width_bias(m["yaw"], m["pitch"]), _WIDTH),
        "light0": _unit(m["light_0"], _LIGHT0),
        "light3": _unit(m["light_x"] / max(m["light_0"], 1e-3), _LIGHT3),
    }


def _probability(name: str, features: NDArray[np.float16]) -> float:
    logit = float(shipped_probe(name)(features)[0])
    return 1 / (1 + math.exp(-min(60.0, max(-60.0, logit))))


def _colour(raw: NDArray[np.float32]) -> float:
    """The class of hair colour; NaN of hair that is hidden, shaved or too little to tell."""
    features = colour_features(raw)
    if not np.isfinite(features).all():
        return math.nan
    return float(shipped_probe("haircolor")(features).argmax())


def colour_features(raw: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the colour probe reads, (..., 21), of raw measures (..., 24).

    All monomials up to the second degree of the hair's CIELAB and of its difference from the
    skin's, which removes the colour of the light, and the skin's own.
    """
    hair, skin = (
        raw[..., [MEASURES.index(f"{kind}_{axis}") for axis in "lab"]].astype(np.float64) / 50
        for kind in ("hair", "skin")
    )
    parts = [skin]
    for colour in (hair, hair - skin):
        parts.append(colour)
        for i in range(3):
            parts.extend(colour[..., i : i + 1] * colour[..., j : j + 1] for j in range(i, 3))
    return np.concatenate(parts, axis=-1)


def width_bias(yaw: float, pitch: float) -> float:
    """Return the bias of the mesh's width ratio at a pose, in degrees.

    Least squares over 600 faces, since the shape of a face does not depend on its pose.
    """
    y, p = (yaw / 30) ** 2, pitch / 15
    return 0.0308 * y + 0.0017 * y * y + 0.0263 * p - 0.0201 * p * p


def _unit(value: float, ends: tuple[float, float]) -> float:
    """Map `ends` to 0 and 1, clipped; NaN stays NaN."""
    return float(np.clip((value - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0))

"""Distances between samples of readings, and the attributes that conditions speak of."""

from __future__ import annotations

import numpy as np

from experiments.predictions import distances


def test_distances_by_attribute_take_the_worst_value_of_a_choice() -> None:
    same = np.arange(100.0)
    a = {"age": same, "hair=0": same, "hair=1": same, "smile": same}
    b = {"age": same + 25, "hair=0": same, "hair=1": same + 50, "smile": same + 99}
    assert distances(a, b, {"smile"}) == {"age": 0.25, "hair": 0.5}

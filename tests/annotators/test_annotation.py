"""From raw measures to attributes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lacelang.annotators import seen_attributes
from lacelang.annotators.faces import FACES, annotation
from lacelang.annotators.faces.annotation import LIPS, MEASURES, scores

PLAIN = {"presence": 1.0, "width_ratio": 0.87, "age": 30.0, "light_0": 0.3, "skin_l": 60.0}


def measured(**measures: float) -> dict[str, np.ndarray]:
    known = PLAIN | measures
    raw = np.array([known.get(name, 0.0) for name in MEASURES], dtype=np.float32)
    return {"raw": raw, "embedding": np.zeros(LIPS.stop, dtype=np.float16)}


def judged(**measures: float) -> dict[str, float]:
    return scores(measured(**measures))


def test_no_face_has_no_values() -> None:
    nothing = FACES.values(measured(presence=0.2))
    assert list(nothing) == list(FACES.attributes)
    assert set(nothing) <= set(seen_attributes())
    assert all(math.isnan(value) for value in nothing.values())


def test_glasses_from_six_thousandths_of_the_picture() -> None:
    assert judged(glasses_share=0.0)["glasses"] == 0.0
    assert FACES.values(measured(glasses_share=0.0059))["glasses"] == 0.0
    assert FACES.values(measured(glasses_share=0.0061))["glasses"] == 1.0


def test_width_is_freed_of_pose() -> None:
    straight = judged()["width"]
    assert 0.3 < straight < 0.7
    turned = 0.87 + annotation.width_bias(30, 0)
    assert judged(width_ratio=turned, yaw=30.0)["width"] == pytest.approx(straight, abs=1e-5)
    assert judged(width_ratio=turned, yaw=-30.0)["width"] == pytest.approx(straight, abs=1e-5)


def test_light_direction_does_not_depend_on_brightness() -> None:
    dim, bright = judged(light_0=0.1, light_x=0.05), judged(light_0=0.5, light_x=0.25)
    assert dim["light3"] == pytest.approx(bright["light3"], abs=1e-5)
    assert dim["light0"] < bright["light0"]
    assert dim["light3"] > 0.5, "the viewer's right is positive"


def test_normalised_attributes_stay_in_range() -> None:
    extreme = judged(width_ratio=5.0, light_0=9.0, scalp_share=1.0, light_x=-9.0)
    assert (extreme["width"], extreme["light0"], extreme["bald"]) == (1.0, 1.0, 1.0)
    assert extreme["light3"] >= 0.0


def test_unknown_light_stays_unknown() -> None:
    assert math.isnan(judged(light_0=math.nan, light_x=math.nan)["light0"])


def test_hidden_hair() -> None:
    assert math.isnan(judged(hair_l=math.nan)["haircolor"])

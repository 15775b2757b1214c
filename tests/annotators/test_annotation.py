"""From raw measures to attributes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lacelang.annotators import annotation
from lacelang.annotators.annotation import ATTRIBUTES, EMBEDDING, MEASURES, Annotation, derive
from lacelang.annotators.hair import HIDDEN
from lacelang.annotators.judge import agreement

PLAIN = {"presence": 1.0, "width_ratio": 0.87, "age": 30.0, "light_0": 0.3, "skin_l": 60.0}


def judged(**measures: float) -> Annotation:
    known = PLAIN | measures
    raw = np.array([known.get(name, 0.0) for name in MEASURES], dtype=np.float32)
    return derive(raw, np.zeros(EMBEDDING, dtype=np.float16))


def test_no_face_has_no_values() -> None:
    nothing = judged(presence=0.2)
    assert not nothing.found
    assert nothing.haircolor == HIDDEN
    others = [name for name in ATTRIBUTES if name != "haircolor"]
    assert all(math.isnan(nothing.value(name)) for name in others)


def test_glasses_from_six_thousandths_of_the_picture() -> None:
    assert judged(glasses_share=0.0).glasses == 0.0
    assert judged(glasses_share=0.0059).value("glasses") == 0.0
    assert judged(glasses_share=0.0061).value("glasses") == 1.0


def test_width_is_freed_of_pose() -> None:
    straight = judged().width
    assert 0.3 < straight < 0.7
    turned = 0.87 + annotation._width_bias(30, 0)
    assert judged(width_ratio=turned, yaw=30.0).width == pytest.approx(straight, abs=1e-5)
    assert judged(width_ratio=turned, yaw=-30.0).width == pytest.approx(straight, abs=1e-5)


def test_light_direction_does_not_depend_on_brightness() -> None:
    dim, bright = judged(light_0=0.1, light_x=0.05), judged(light_0=0.5, light_x=0.25)
    assert dim.light3 == pytest.approx(bright.light3, abs=1e-5)
    assert dim.light0 < bright.light0
    assert dim.light3 > 0.5, "the viewer's right is positive"


def test_normalised_attributes_stay_in_range() -> None:
    extreme = judged(width_ratio=5.0, light_0=9.0, scalp_share=1.0, light_x=-9.0)
    assert (extreme.width, extreme.light0, extreme.bald) == (1.0, 1.0, 1.0)
    assert extreme.light3 >= 0.0


def test_unknown_light_stays_unknown() -> None:
    assert math.isnan(judged(light_0=math.nan, light_x=math.nan).light0)


def test_hidden_hair() -> None:
    assert judged(hair_l=math.nan).haircolor == HIDDEN


def test_agreement_undoes_the_mirror() -> None:
    pairs = [
        (judged(yaw=10.0, light_x=0.06, male=0.9), judged(yaw=-10.0, light_x=-0.06, male=0.8)),
        (judged(yaw=-5.0, light_x=0.0, male=0.1), judged(yaw=9.0, light_x=0.0, male=0.7)),
    ]
    assert agreement(pairs, "yaw").noise == pytest.approx(math.sqrt(16 / 4))
    assert agreement(pairs, "light3").noise == pytest.approx(0.0, abs=1e-6)
    assert agreement(pairs, "gender").same == 0.5
    assert agreement(pairs[:1], "gender").same == 1.0


def test_agreement_leaves_out_faces_that_one_side_missed() -> None:
    pairs = [(judged(), judged(presence=0.0))]
    assert agreement(pairs, "age").faces == 0

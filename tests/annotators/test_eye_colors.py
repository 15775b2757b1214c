"""Colours of eyes from the published classifier's logits."""

from __future__ import annotations

import numpy as np
import pytest

from lacelang.annotators.eyes import COLORS, EYES
from lacelang.annotators.eyes.annotator import second
from lacelang.annotators.eyes.resnet import CLASSES


@pytest.mark.parametrize("name", CLASSES)
def test_classes_without_an_iris_are_none(name: str) -> None:
    logits = np.zeros(len(CLASSES), np.float32)
    logits[CLASSES.index(name)] = 3.0
    there = name not in ("irisless", "negative")
    wanted = {"color": float(COLORS.index(name if there else "none")), "eye": float(there)}
    assert EYES.values({"eye_logits": logits}) == wanted


def test_the_second_judge_is_a_linear_layer() -> None:
    head = {"weight": np.eye(3, 4, dtype=np.float16), "bias": np.array([0, 0, 5], np.float32)}
    features = np.array([[9, 0, 0, 0], [1, 2, 0, 0]], np.float16)
    assert second(features, head).tolist() == [0, 2]

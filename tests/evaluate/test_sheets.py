"""Annotations in the place of what classifiers read."""

from __future__ import annotations

import numpy as np

from lacelang.api import compile
from lacelang.evaluate.sheets import annotated_readings


def test_what_was_seen_reads_as_certainty() -> None:
    (statement,) = compile(
        "sample 1 from ffhq where glasses=1 and haircolor in {black, gray} and age > 20 "
        "and beard ~ 0.3"
    ).samples
    columns = {
        "glasses": np.array([1, 0, np.nan], np.float32),
        "haircolor": np.array([3, 1, 0], np.float32),
        "age": np.array([31.5, np.nan, 12], np.float32),
        "beard": np.array([1, 0, np.nan], np.float32),
    }
    assert statement.where is not None
    found = annotated_readings([statement.where], columns)
    assert {text: [face[text] for face in found] for text in found[0]} == {
        "glasses=1": [1.0, 0.0, None],
        "haircolor in {black, gray}": [1.0, 0.0, 1.0],
        "age > 20": [31.5, None, 12.0],
        "beard ~ 0.3": [1.0, 0.0, None],
    }

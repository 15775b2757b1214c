"""Annotations in the place of what classifiers read."""

from __future__ import annotations

import numpy as np

from lacelang.api import compile
from lacelang.engine.atoms import read_atoms
from lacelang.evaluate.sheets import as_outputs


def test_what_was_seen_reads_as_certainty() -> None:
    statement = compile(
        "sample 1 from ffhq where glasses=1 and haircolor in {black, gray} and age > 20"
    ).samples[0]
    columns = {
        "glasses": np.array([1, 0, np.nan], np.float32),
        "haircolor": np.array([3, 1, 0], np.float32),
        "age": np.array([31.5, np.nan, 12], np.float32),
    }
    assert statement.where is not None
    read = read_atoms(statement.where, as_outputs(statement.model, columns))
    assert [str(v) for v in read["glasses=1"].tolist()] == ["1.0", "0.0", "nan"]
    assert read["haircolor in {black, gray}"].tolist() == [1.0, 0.0, 1.0]
    assert [str(v) for v in read["age > 20"].tolist()] == ["31.5", "nan", "12.0"]

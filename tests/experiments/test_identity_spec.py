"""The suite of obedience against identity: what it edits, and the figures of a row."""

from __future__ import annotations

import math

import numpy as np
from made_paths import paths_of

from experiments.specs.editing import ORDERS
from experiments.specs.identity import SERIES, judged, name_of, number, program_text
from lacelang import ir
from lacelang.api import compile


def edits() -> dict[str, ir.EditStatement]:
    statements = compile(program_text(4)).checked.statements
    return {s.name: s for s in statements if isinstance(s, ir.EditStatement)}


def test_every_setting_is_an_edit_in_both_orders() -> None:
    found = edits()
    assert len(found) == len(ORDERS) * sum(map(len, SERIES.values()))
    for order in ORDERS:
        strengths = [found[name_of(order, each)].keep for each in SERIES["keep identity"]]
        assert strengths == sorted(strengths)
        assert strengths[0] == 0.0
        assert 1.0 in strengths
        assert all(not found[name_of(order, each)].keep for each in SERIES["shorter moves"])


def test_a_row_compares_the_first_moment_with_the_last() -> None:
    statement = edits()[name_of(next(iter(ORDERS)), "")]
    rng = np.random.default_rng(0)
    columns = {
        "yaw": np.array([[25.0, -25.0]] * 4),
        "smile": np.array([[1.0, 0.0]] * 3 + [[1.0, 1.0]]),
        "age": np.array([[25.0, 55.0]] * 4),
        "glasses": np.array([[0.0, 1.0]] * 4),
        "gender": np.array([[0.0, 0.0]] * 3 + [[0.0, 1.0]]),
    }
    who = np.repeat(rng.standard_normal((4, 1, 6)), 2, axis=1)
    paths = paths_of(columns, np.zeros((4, 2, 3)), who)
    wanted = [step.predicate for step in statement.steps]
    row = judged(statement.model, paths, wanted, np.zeros(6))
    assert row["smile"] == 0.75
    assert row["glasses"] == 1.0
    assert row["age"] == 1.0
    assert row["gender kept"] == 0.75
    assert row["drift"] == 0.25
    assert row["nearest"] == 1.0
    assert abs(number(row, "cosine") - 1) < 1e-9


def test_the_least_accurate_line_is_the_obedience() -> None:
    row = {"yaw": 0.9, "smile": 1.0, "age": None, "own": 0.5}
    assert number(row, "yaw", "smile") == 0.9
    assert number(row, "own") == 0.5
    assert math.isnan(number(row, "age"))

"""Edit strengths and likeness, on figures small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from made_paths import paths_of

from experiments.edit_paths import drift, likeness, strangers, strengths
from lacelang import ir


def test_an_edit_that_does_its_own_work_alone_has_its_whole_strength() -> None:
    accuracy = np.array([[0.0, 0.5], [0.8, 0.5], [0.8, 1.0]])
    published, plain = strengths(accuracy, 0.01)
    assert published == pytest.approx([0.8, 1.0])
    assert plain == pytest.approx([0.8, 0.5])


def test_what_an_edit_undoes_is_taken_off() -> None:
    accuracy = np.array([[0.0, 0.0], [0.9, 0.0], [0.8, 1.0]])
    published, plain = strengths(accuracy, 0.01)
    # The second edit takes a tenth off the first: as much as there was left to add to it.
    assert published == pytest.approx([0.9, 1.0 - 1.0])
    assert plain == pytest.approx([0.9, 0.9])


def test_nothing_is_divided_by_nothing() -> None:
    accuracy = np.array([[1.0, 0.0], [0.75, 1.0], [1.0, 1.0]])
    published, _ = strengths(accuracy, 0.25)
    assert np.isfinite(published).all()
    assert published[0] == pytest.approx(-1.0 - 1.0)


def test_the_same_faces_are_alike_and_exchanged_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    mean = np.full(128, 10.0)
    faces = mean + rng.normal(size=(6, 128))
    same = likeness(faces, faces + 1e-3, mean)
    assert (same["nearest"], same["ID distance"]) == (1.0, pytest.approx(1e-3 * np.sqrt(128)))
    assert same["cosine"] > 0.999
    exchanged = likeness(faces, np.roll(faces, 1, axis=0), mean)
    assert exchanged["nearest"] == 0.0
    assert abs(exchanged["cosine"]) < 0.3
    assert exchanged["ID distance"] == pytest.approx(strangers(faces), rel=0.1)


def test_what_all_faces_do_alike_is_told_from_what_each_does() -> None:
    rng = np.random.default_rng(1)
    mean = np.full(128, 10.0)
    faces = mean + rng.normal(size=(40, 128))
    move = np.full(128, 2.0)
    together = likeness(faces, faces + move, mean)
    assert together["own"] == pytest.approx(1.0)
    assert together["cosine"] == pytest.approx(together["alike"])
    assert together["cosine"] < 0.6
    apart = likeness(faces, np.roll(faces, 1, axis=0) + move, mean)
    assert abs(apart["own"]) < 0.1
    assert apart["alike"] == pytest.approx(together["alike"], abs=0.02)
    assert apart["cosine"] < 0.2


def test_drift_is_of_what_was_not_asked_for_and_seen_at_both_ends() -> None:
    age, hair = ir.ContinuousAttribute("age", 0.0, 50.0), ir.ChoiceAttribute("hair", ("a", "b"))
    nothing = np.zeros((4, 3, 1), np.float32)
    columns = {
        "age": np.array([[10, 0, 15], [10, 0, 5], [20, 0, 20], [np.nan, 0, 1]], np.float32),
        "hair": np.array([[0, 1, 1], [1, 1, 1], [0, 0, 0], [0, 1, 0]], np.float32),
    }
    paths = paths_of(columns, nothing, nothing)
    yaw = ir.ContinuousAttribute("yaw", -45.0, 45.0)
    assert drift((age, hair, yaw), paths, ()) == {
        "age": pytest.approx((5 + 5 + 0) / 3 / 50),
        "hair": 0.25,
    }
    assert drift((age, hair), paths, {"age"}) == {"hair": 0.25}

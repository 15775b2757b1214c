"""What is seen against what is set."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.specs.continuous import (
    ATTRIBUTES,
    FORMS,
    correlation,
    each_face,
    statements,
)
from experiments.statements import named
from lacelang.api import compile


def test_correlation_is_of_ranks() -> None:
    assert correlation(np.array([0.0, 0.1, 0.9, 0.91])) == pytest.approx(1.0)
    assert correlation(np.array([0.9, 0.5, 0.1])) == pytest.approx(-1.0)
    assert correlation(np.array([0.5, 0.5])) == 0.0


def test_faces_that_do_not_change_or_cannot_be_seen_do_not_count() -> None:
    strength = np.array([[0.1, 0.5, np.nan, 0.0], [0.2, 0.5, 0.5, 1.0], [0.9, 0.5, 0.9, 0.5]])
    assert each_face(strength) == pytest.approx((1.0 + 0.5) / 2)
    assert each_face(strength[:, 1:2]) is None


def test_every_setting_is_a_group_of_a_correct_program() -> None:
    program = compile(named(statements(4)))
    settings = sum(len(values) for _, values in FORMS.values())
    assert len(program.samples) == len(ATTRIBUTES) * settings
    assert {statement.seed for statement in program.samples} == {71}

from __future__ import annotations

from typing import Any

import pytest

from lacelang.render.result_text import expectation_text, measure_text
from lacelang.storage.records import ExpectationRecord, MeasureRecord


def measured(**fields: Any) -> MeasureRecord:
    values: dict[str, Any] = {
        "name": "m",
        "what": "glasses=1",
        "given": "age < 20",
        "model": "ffhq",
        "truncation": 0.7,
        "seed": 0,
        "fingerprint": "f",
        "draws": 100_000,
        "given_draws": 14_212,
        "value": 0.04126,
        "low": 0.038111,
        "high": 0.044659,
        "decided": 0.0309,
    }
    return MeasureRecord(**{**values, **fields})


def test_a_conditional_probability() -> None:
    assert measure_text(measured()) == (
        "P(glasses=1 | age < 20) = 0.041  "
        "(0.038 to 0.045, 100 000 draws, 14 212 with age < 20; decided: 0.031)"
    )


def test_a_probability_without_a_condition() -> None:
    plain = measured(given=None, given_draws=100_000)
    assert measure_text(plain).endswith("(0.038 to 0.045, 100 000 draws; decided: 0.031)")


def test_a_truncation_of_its_own_is_named() -> None:
    wide = measured(given=None, given_draws=100_000, truncation=1.0)
    assert "(0.038 to 0.045, 100 000 draws at truncation 1;" in measure_text(wide)


def test_a_small_probability_keeps_its_digits() -> None:
    rare = measured(given=None, value=2e-5, low=5.5e-6, high=7.3e-5, decided=0.0)
    assert "= 0.00002  (0.00001 to 0.00007," in measure_text(rare)


def test_what_no_draw_meets_cannot_be_said() -> None:
    never = measured(given_draws=0, value=None, low=None, high=None, decided=None)
    assert measure_text(never) == (
        "P(glasses=1 | age < 20) is unknown: of 100 000 draws, none has age < 20"
    )


def test_few_draws_are_called_few() -> None:
    few = measured(given_draws=3, value=1 / 3, low=0.0615, high=0.7923, decided=None)
    assert measure_text(few) == (
        "P(glasses=1 | age < 20) = 0.333  "
        "(0.061 to 0.792, 100 000 draws, only 3 with age < 20: too few to say much)"
    )


def test_a_failed_expectation_names_its_faces() -> None:
    failed = ExpectationRecord("glasses=1 in 95% of kids", "kids", 0.95, 20, (3, 11))
    assert not failed.holds
    assert expectation_text(failed) == (
        "expect glasses=1 in 95% of kids: FAILED, 18 of 20 samples show it (90 %); "
        "not in 0003, 0011"
    )
    many = ExpectationRecord("x", "kids", 0.95, 50, tuple(range(30)))
    assert expectation_text(many).endswith("0018, 0019 and 10 more")


def test_an_expectation_that_holds() -> None:
    fine = ExpectationRecord("glasses=1 in 95% of kids", "kids", 0.95, 4, ())
    assert expectation_text(fine) == (
        "expect glasses=1 in 95% of kids: holds, 4 of 4 samples show it (100 %)"
    )


@pytest.mark.parametrize(("percent", "faces"), [(95, 20), (70, 10), (29, 100), (55, 100), (7, 100)])
def test_a_share_that_is_just_met_holds(percent: int, faces: int) -> None:
    least = percent * faces // 100
    just = ExpectationRecord("x", "kids", percent / 100, faces, tuple(range(faces - least)))
    short = ExpectationRecord("x", "kids", percent / 100, faces, tuple(range(faces - least + 1)))
    assert just.holds
    assert not short.holds


def test_nothing_is_too_little_to_expect() -> None:
    assert ExpectationRecord("x", "kids", 0.0, 3, (0, 1, 2)).holds

"""Tail functions against values computed with 40 digits (mpmath)."""

from __future__ import annotations

import math

import pytest
import torch

from lacelang.energy.numerics import (
    LARGEST,
    deny,
    deny_total,
    log_interval,
    log_ndtr,
    log_phi1,
    nonnegative,
)

# x, log Phi(x), phi(x) / Phi(x)
LOG_NDTR = [
    (-10000.0, -50000010.129278915, 10000.000099999998),
    (-300.0, -45006.622732118663, 300.00333325926337),
    (-71.0, -2525.6818166853008, 71.014078924595296),
    (-70.0, -2455.1676377528681, 70.014279889322858),
    (-40.0, -804.60844201375379, 40.024968847207264),
    (-5.0, -15.064998393988726, 5.1865039671258421),
    (-1.0, -1.8410216450092635, 1.5251352761609812),
    (0.0, -0.69314718055994531, 0.79788456080286536),
    (1.0, -0.17275377902344989, 0.28759997093917836),
    (5.0, -2.8665161296376359e-7, 1.4867199409049057e-6),
]

# distance, half width, log of the probability, its derivative by the distance
LOG_INTERVAL = [
    (0.0, 0.0005, -7.8266938538534757, 0.0),
    (0.5, 0.0005, -7.9516938434368094, -0.4999999583333349),
    (40.0, 0.0005, -807.8266271880779, -39.999996666755663),
    (10000.0, 0.0005, -50000005.129324391, -9999.999599954601),
    (0.0, 0.5, -0.95991633369562232, 0.0),
    (2.0, 0.5, -2.803501047738798, -1.848083316085864),
    (1000.0, 0.5, -499507.95119468814, -999.50100049824713),
    (0.5, 3.0, -0.0064631355414559756, -0.016763613934779228),
    (2.0, 3.0, -0.17275411972994631, -0.28759830185047721),
    (5.0, 3.0, -3.7831843336820593, -2.3732155328226837),
    (5.0, 30.0, 0.0, 0.0),
    (40.0, 30.0, -53.231285150512471, -10.098093233962512),
    (10000.0, 30.0, -49700460.126274406, -9970.0001003009007),
]

DTYPES = pytest.mark.parametrize(("dtype", "rel"), [(torch.float64, 1e-12), (torch.float32, 1e-4)])


def value_and_slope(function: object, x: float, dtype: torch.dtype) -> tuple[float, float]:
    at = torch.tensor([x], dtype=dtype, requires_grad=True)
    value = function(at)  # type: ignore[operator]
    (slope,) = torch.autograd.grad(value.sum(), at)
    return value.item(), slope.item()


@DTYPES
@pytest.mark.parametrize(("x", "value", "slope"), LOG_NDTR)
def test_log_ndtr(x: float, value: float, slope: float, dtype: torch.dtype, rel: float) -> None:
    found, found_slope = value_and_slope(log_ndtr, x, dtype)
    assert found == pytest.approx(value, rel=rel)
    assert found_slope == pytest.approx(slope, rel=rel * 100 if x < -50 else rel)


@DTYPES
@pytest.mark.parametrize(("distance", "half", "value", "slope"), LOG_INTERVAL)
def test_log_interval(
    distance: float, half: float, value: float, slope: float, dtype: torch.dtype, rel: float
) -> None:
    for sign in (1, -1):
        found, found_slope = value_and_slope(
            lambda d, h=half: log_interval(d, h), sign * distance, dtype
        )
        # A narrow interval's probability is a small difference: half its digits are gone.
        looser = rel / half if half < 1 else rel
        assert found == pytest.approx(value, rel=looser, abs=1e-12)
        assert found_slope == pytest.approx(sign * slope, rel=10 * looser, abs=looser)


@pytest.mark.parametrize("y", [0.0, 1e-30, 1e-3, 0.0999, 0.1001, 1.0, 50.0, 1e4, 1e30])
def test_log_phi1(y: float) -> None:
    expected = math.log(-math.expm1(-y) / y) if y else 0.0
    found, slope = value_and_slope(log_phi1, y, torch.float64)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)
    expected_slope = (math.exp(-y) / -math.expm1(-y) - 1 / y) if y > 1e-3 else -0.5
    assert slope == pytest.approx(expected_slope, rel=1e-3 if y <= 1e-3 else 1e-9)


def test_deny_is_capped_where_its_argument_is_certain() -> None:
    value, slope = value_and_slope(deny, 0.0, torch.float32)
    assert value == pytest.approx(LARGEST, rel=1e-6)
    assert math.isfinite(slope)
    value, slope = value_and_slope(deny, 1e4, torch.float32)
    assert value == 0.0
    assert slope == 0.0


def test_a_total_too_small_for_floats_still_has_an_exact_complement() -> None:
    """Two terms of energy e^-200 each, which float32 cannot hold: -log(2 e^-200) is denied."""
    zero, complement = torch.zeros(1), torch.tensor([200.0])
    found = deny_total([zero, zero], [complement, complement], [1.0, 1.0])
    assert found.item() == pytest.approx(200.0 - math.log(2.0))


def test_lifting_to_zero_keeps_the_gradient() -> None:
    assert value_and_slope(nonnegative, -1e-7, torch.float32) == (0.0, 1.0)

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from lacelang.classifiers.calibration import (
    expected_calibration_error,
    fit_continuous,
    fit_discrete,
    residual,
)


def honest(count, classes, spread=2.0, seed=0):
    """Logits, and labels drawn from exactly the probabilities that they state."""
    random = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(count, classes, generator=random)
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=random)[:, 0]
    return logits, labels


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_a_known_temperature_is_recovered(classes, temperature):
    logits, labels = honest(20_000, classes)
    calibration = fit_discrete(logits * temperature, labels)
    assert 1.0 / calibration.gain == pytest.approx(temperature, rel=0.05)
    assert calibration.shift.abs().max() < 0.1


def test_a_known_bias_is_recovered():
    logits, labels = honest(20_000, 3)
    bias = torch.tensor([1.5, -0.5, -1.0])
    shift = fit_discrete(2.0 * (logits + bias), labels).shift
    torch.testing.assert_close(shift - shift.mean(), -bias, atol=0.1, rtol=0.0)


def test_overconfidence_is_cured_on_other_rows():
    logits, labels = honest(8_000, 2)
    bold = 5.0 * logits
    calibrated = fit_discrete(bold[:4_000], labels[:4_000])(bold[4_000:])
    rest = labels[4_000:]
    assert expected_calibration_error(bold[4_000:], rest) > 0.08
    assert expected_calibration_error(calibrated, rest) < 0.03
    assert F.cross_entropy(calibrated, rest) < F.cross_entropy(bold[4_000:], rest)


def test_a_faultless_head_keeps_finite_confidence():
    labels = torch.arange(400) % 2
    logits = F.one_hot(labels, 2).float() * 4.0
    calibration = fit_discrete(logits, labels)
    # Where nothing is wrong the prior decides: minus nll' = log(gain) at the optimum.
    margin = 4.0 * calibration.gain
    pull = 400 * margin / (1.0 + math.exp(margin))
    assert math.log(calibration.gain) == pytest.approx(pull, rel=1e-3)


def test_a_class_that_never_occurs_keeps_a_finite_bias():
    logits, labels = honest(500, 3)
    calibration = fit_discrete(logits, labels.clamp(max=1))
    assert calibration.shift.isfinite().all()
    assert -6.0 < calibration.shift[2] < calibration.shift[0]


@given(
    classes=st.integers(2, 5),
    scale=st.floats(0.2, 5.0),
    rows=st.integers(10, 200),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_calibration_never_hurts_where_it_was_fitted(classes, scale, rows, seed):
    logits, labels = honest(rows, classes, seed=seed)
    raw = scale * logits
    calibrated = fit_discrete(raw, labels)(raw.double())
    assert F.cross_entropy(calibrated, labels) <= F.cross_entropy(raw.double(), labels) + 1e-6


@given(slope=st.floats(0.1, 10.0), offset=st.floats(-50.0, 50.0), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_an_affine_miscalibration_is_undone(slope, offset, seed):
    values = 10.0 * torch.randn(300, generator=torch.Generator().manual_seed(seed))
    calibration = fit_continuous((values - offset) / slope, values)
    assert calibration.gain == pytest.approx(slope, rel=1e-3)
    torch.testing.assert_close(
        calibration((values - offset) / slope), values, atol=1e-3 * (1 + abs(offset)), rtol=1e-3
    )


def test_sigma_is_the_noise_of_the_labels():
    random = torch.Generator().manual_seed(0)
    truth = 15.0 * torch.randn(50_000, generator=random)
    values = truth + 3.0 * torch.randn(50_000, generator=random)
    outputs = 0.5 * truth + 7.0
    sigma = residual(fit_continuous(outputs, values)(outputs), values)
    assert sigma == pytest.approx(3.0, rel=0.02)


def test_a_constant_output_becomes_the_mean():
    calibration = fit_continuous(torch.zeros(4), torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert calibration(torch.zeros(1)).item() == pytest.approx(3.0)


def test_calibration_error_by_hand():
    # Two rows at 0.9 of which one is right, two at 0.6 of which both are: (2*0.4 + 2*0.4) / 4.
    logits = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]]).log()
    classes = torch.tensor([0, 1, 0, 0])
    assert expected_calibration_error(logits, classes) == pytest.approx(0.4, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=1, max_size=50))
def test_calibration_error_is_a_share(rows):
    logits = torch.tensor([[0.0, logit] for logit, _ in rows])
    error = expected_calibration_error(logits, torch.tensor([int(label) for _, label in rows]))
    assert 0.0 <= error <= 1.0
    assert not math.isnan(error)

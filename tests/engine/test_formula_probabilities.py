"""Rejection, SMC and `measure` agree on how probable a formula is: the probability it has."""

from __future__ import annotations

import math
from typing import Any

import attrs
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from tiny import AGE, GLASSES_1, SPEC, TinyModel, program, statement

from lacelang import ir
from lacelang.compiler import Settings, lower
from lacelang.engine.sampling import energy_of
from lacelang.samplers import SAMPLERS
from lacelang.samplers.streams import prior

OVER_40 = ir.AtLeast(AGE, 40.0, text="age > 40")
UNDER_50 = ir.AtMost(AGE, 50.0, text="age < 50")
EITHER = ir.Or((GLASSES_1, OVER_40), text="glasses=1 or age > 40")
# Both disjuncts name the age: a mixture would count it twice.
FORTIES = ir.Or(
    (ir.And((OVER_40, UNDER_50)), ir.And((GLASSES_1, OVER_40))),
    text="age > 40 and age < 50 or glasses=1 and age > 40",
)
# What age a face shows deviates by hypot(7, 4) years from 35; the logit of glasses is odd.
SHOWN = norm(35.0, math.hypot(7.0, 4.0))
WORN = 0.5


def drawn(where: ir.Predicate, sampler: str, count: int, disjunction: str, **options: Any) -> Any:
    choice = ir.SamplerChoice(sampler, SAMPLERS[sampler].complete(options))
    made = statement(where=where, sampler=choice, count=count, disjunction=disjunction)
    return program(made).run()["kids"]


def p_glasses_and_old(latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The classifiers' probabilities of both comparisons of `EITHER`."""
    w = 0.7 * latents.double()
    return torch.sigmoid(12.0 * w[:, 0]), torch.special.ndtr((10.0 * w[:, 1] - 5.0) / 4.0)


def test_rejection_draws_both_terms_as_often_as_the_formula_says(model: TinyModel) -> None:
    """P(both | either), by quadrature over the two coordinates that the heads read."""
    old = 1 - SHOWN.cdf(40.0)
    both = WORN * old / (WORN + old - WORN * old)
    shares = {}
    for disjunction in ("exact", "equal"):
        found = drawn(EITHER, "rejection", 1500, disjunction)
        glasses, aged = p_glasses_and_old(found.latents)
        p = glasses * aged / (glasses + aged - glasses * aged)
        error = (p.std() / math.sqrt(len(p))).item()
        shares[disjunction] = p.mean().item()
        if disjunction == "exact":
            assert abs(shares["exact"] - both) < 5 * error
            accepted = (
                found.stats.accepted.sum() / (found.stats.accepted + found.stats.rejected).sum()
            )
            either = WORN + old - WORN * old
            spread = math.sqrt(either * (1 - either) * either / 1500)
            assert abs(accepted.item() - either) < 5 * spread
    # The mixture draws them up to twice as often.
    assert shares["equal"] > 1.2 * both


@pytest.mark.slow
@pytest.mark.parametrize("where", [EITHER, FORTIES], ids=["either", "forties"])
def test_the_evidence_of_smc_is_what_measure_finds(model: TinyModel, where: ir.Or) -> None:
    asked = ir.MeasureStatement(
        name="m", model=SPEC, what=where, given=None, truncation=0.7, seed=2, text=where.text
    )
    measured = program(asked).run().measures["m"]
    evidence = drawn(where, "smc", 48, "exact", particles=64, moves=1).extra["log_evidence"].exp()
    error = (evidence.std() / math.sqrt(len(evidence))).item()
    assert measured.value is not None
    spread = measured.high - measured.low
    assert abs(evidence.mean().item() - measured.value) < 5 * error + spread
    mixed = drawn(where, "smc", 48, "equal", particles=64, moves=1).extra["log_evidence"].exp()
    assert abs(mixed.mean().item() - measured.value) > 5 * error + spread


def test_measured_given_is_the_ratio_of_two_formulas(model: TinyModel) -> None:
    """P(f and g) / P(g), each the mean over the prior of the exact probability."""
    given = ir.Or((GLASSES_1, UNDER_50), text="glasses=1 or age < 50")
    asked = ir.MeasureStatement(
        name="m", model=SPEC, what=FORTIES, given=given, truncation=0.7, seed=2, text="f given g"
    )
    measured = program(asked).run().measures["m"]
    options = attrs.evolve(statement().options, disjunction="exact")
    z = prior(3, range(20_000), 8)
    outputs = {k: v.double() for k, v in model.features(0.7)(z).items()}
    p = [
        torch.exp(-lower(each, Settings(model.sigma, options))(outputs)).mean().item()
        for each in (ir.And((FORTIES, given)), given)
    ]
    assert measured.value == pytest.approx(p[0] / p[1], abs=0.015)


def test_the_mean_probability_is_that_of_an_integral(model: TinyModel) -> None:
    made = statement(where=FORTIES, disjunction="exact")
    z = torch.zeros(1, 8)

    def p(x: float, y: float) -> float:
        z[0, 0], z[0, 1] = x, y
        return math.exp(-energy(z).item())

    energy = energy_of(made, model)
    # Given the logit: at its ends, where glasses are certain, the rest is a normal probability.
    forties = SHOWN.cdf(50.0) - SHOWN.cdf(40.0)
    old = 1 - SHOWN.cdf(40.0)
    for x, expected in ((5.0, old), (-5.0, forties)):
        found, _ = quad(lambda y, x=x: p(x, y) * norm.pdf(y), -6.0, 6.0, limit=60)
        assert found == pytest.approx(expected, abs=1e-3)

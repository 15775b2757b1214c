"""`measure` on a model whose probabilities can be worked out on paper."""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
import torch
from made_runs import read_run
from tiny import AGE, AGE_40, GLASSES_1, SPEC, TinyModel, program, statement

from lacelang import ir
from lacelang.engine.measures import PriorSample, prior_sample
from lacelang.errors import UsageError
from lacelang.progress import Silent

# Age is 35 + 7 z at truncation 0.7, and what it shows deviates from that by 4 years.
READ = NormalDist(35.0, 7.0)
SHOWN = NormalDist(35.0, math.hypot(7.0, 4.0))
OVER_40 = ir.AtLeast(AGE, 40.0, text="age > 40")
OVER_45 = ir.AtLeast(AGE, 45.0, text="age > 45")


def measure(what: ir.Predicate = GLASSES_1, **fields: Any) -> ir.MeasureStatement:
    values: dict[str, Any] = {"name": "m", "model": SPEC, "what": what, "text": what.text}
    values |= {"given": None, "truncation": 0.7, "seed": None}
    return ir.MeasureStatement(**{**values, **fields})


@pytest.mark.parametrize(
    ("what", "given", "share"),
    [
        # The logit is odd in z, so glasses are worn by half.
        (GLASSES_1, None, 0.5),
        (OVER_45, None, 1 - SHOWN.cdf(45.0)),
        # Within 0.15 of the range of 70 years, which is what the annotators' judge takes too.
        (AGE_40, None, SHOWN.cdf(50.5) - SHOWN.cdf(29.5)),
        (ir.Between(AGE, 30.0, 40.0), None, SHOWN.cdf(40.0) - SHOWN.cdf(30.0)),
        (OVER_45, OVER_40, (1 - SHOWN.cdf(45.0)) / (1 - SHOWN.cdf(40.0))),
        # The two attributes have nothing to do with each other.
        (GLASSES_1, OVER_45, 0.5),
        (ir.Or((GLASSES_1, OVER_40)), None, 1 - 0.5 * SHOWN.cdf(40.0)),
    ],
)
def test_analytic_shares(
    model: TinyModel, what: ir.Predicate, given: ir.Predicate | None, share: float
) -> None:
    found = program(measure(what, given=given)).run().measures["m"]
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    # Twice the half-width of 95 %: a right estimate is outside once in ten thousand seeds.
    assert abs(found.value - share) < found.high - found.low
    assert found.low <= found.value <= found.high
    assert found.draws == 100_000


def test_intervals_cover_the_share_over_many_seeds(
    model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lacelang.engine.measures.prior_sample", few)
    share = (1 - SHOWN.cdf(45.0)) / (1 - SHOWN.cdf(40.0))
    covered = 0
    for seed in range(100):
        found = program(measure(OVER_45, given=OVER_40, seed=seed)).run().measures["m"]
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= share <= found.high
    # Binomial with 0.95: outside 88 … 100 less than once in five hundred.
    assert covered >= 88


def few(*arguments: Any) -> PriorSample:
    return prior_sample(*arguments, draws=2_000)


def test_the_verdicts_are_told_apart(model: TinyModel) -> None:
    found = program(measure(OVER_45)).run().measures["m"]
    assert found.decided == pytest.approx(1 - READ.cdf(45.0), abs=0.004)
    assert found.value is not None
    assert found.value > found.decided + 0.02


def test_the_laws_of_logic_hold(model: TinyModel) -> None:
    both = ir.And((OVER_40, OVER_45))
    never = ir.And((OVER_45, ir.Not(OVER_45)))
    always = ir.Or((OVER_45, ir.Not(OVER_45)))
    run = program(
        measure(OVER_45, name="given itself", given=OVER_45),
        measure(both, name="both"),
        measure(OVER_45, name="one"),
        measure(never, name="never"),
        measure(always, name="always"),
        measure(ir.Not(OVER_45), name="not"),
    ).run()
    value = {name: found.value for name, found in run.measures.items()}
    assert value["given itself"] == value["always"] == 1.0
    assert value["never"] == 0.0
    assert value["both"] == value["one"]
    assert value["one"] is not None
    assert value["not"] == pytest.approx(1 - value["one"], abs=1e-6)


def test_a_condition_that_no_draw_meets(model: TinyModel) -> None:
    centenarian = ir.And((OVER_45, ir.AtMost(AGE, 40.0)))
    found = program(measure(given=centenarian)).run().measures["m"]
    assert found.given_draws == 0
    assert (found.value, found.low, found.high, found.decided) == (None,) * 4


def test_seed_and_truncation(model: TinyModel) -> None:
    def value(run_seed: int | None = None, **fields: Any) -> float | None:
        return program(measure(OVER_45, **fields)).run(seed=run_seed).measures["m"].value

    assert value() == value(seed=0)
    assert value() != value(seed=1)
    assert value(5, seed=9) == value(seed=5)
    assert value(truncation=1.0) == pytest.approx(
        1 - NormalDist(35.0, math.hypot(10.0, 4.0)).cdf(45.0), abs=0.005
    )


def test_statements_share_their_draws(model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    heads_at = TinyModel.heads_at

    def counted(self: TinyModel, x: torch.Tensor) -> object:
        judged.append(len(x))
        return heads_at(self, x)

    monkeypatch.setattr(TinyModel, "heads_at", counted)
    program(*(measure(name=f"m{i}", given=OVER_45) for i in range(12))).run()
    # Once, and what fills up the last block of rows.
    assert 100_000 <= sum(judged) < 110_000
    assert max(judged) < 100_000
    program(measure(OVER_45)).run()
    # Once, and what fills up the last block of rows.
    assert 100_000 <= sum(judged) < 110_000
    program(measure(OVER_45, truncation=0.5)).run()
    assert 200_000 <= sum(judged) < 220_000


def test_more_draws_begin_with_the_same_ones(model: TinyModel) -> None:
    some = prior_sample(model, SPEC.attributes, 0.7, 3, Silent(), draws=7_000)
    many = prior_sample(TinyModel(), SPEC.attributes, 0.7, 3, Silent(), draws=11_000)
    assert len(some) == 7_000
    for table in ("drawn", "decided"):
        for name, column in getattr(some, table).items():
            assert np.array_equal(column, getattr(many, table)[name][:7_000])


def test_values_stay_inside_what_an_attribute_can_be(model: TinyModel) -> None:
    faces = prior_sample(model, SPEC.attributes, 1.0, 0, Silent())
    assert faces.drawn["age"].min() == 0.0
    assert faces.drawn["age"].max() == 70.0
    assert set(np.unique(faces.drawn["glasses"])) == {0.0, 1.0}


def test_a_program_of_measures_needs_no_images(model: TinyModel, tmp_path: Path) -> None:
    measuring = program(measure(name="a"), measure(OVER_45, name="b"))
    alone = measuring.run()
    assert len(alone) == 0
    assert repr(alone) == "<Run of a, b>"
    run = measuring.run(out=tmp_path)
    assert run.measures == alone.measures
    assert model.generator.decoded == 0  # type: ignore[attr-defined]
    assert [path.name for path in tmp_path.iterdir() if path.suffix] == ["run.json"]
    record = read_run(tmp_path)
    assert record is not None
    assert record.complete
    assert record.measures == tuple(run.measures.values())


def test_what_is_measured_is_not_measured_again(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = program(measure(OVER_45)).run(out=tmp_path)

    def refuse(*arguments: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr("lacelang.engine.measures.prior_sample", refuse)
    again = program(measure(OVER_45, name="other")).run(out=tmp_path)
    assert again.measures["other"].value == first.measures["m"].value
    for changed in ({"what": OVER_40}, {"given": OVER_40}, {"truncation": 0.5}, {"seed": 1}):
        with pytest.raises(AssertionError, match="measured again"):
            program(measure(**{"what": OVER_45, **changed})).run(out=tmp_path)


def test_only_a_measure(model: TinyModel, tmp_path: Path) -> None:
    mixed = program(statement("kids"), measure(name="a"), measure(OVER_45, name="b"))
    run = mixed.run(out=tmp_path, only="b")
    assert (list(run), list(run.measures)) == ([], ["b"])
    assert not (tmp_path / "kids").exists()
    assert not json.loads((tmp_path / "run.json").read_text())["complete"]
    run = mixed.run(out=tmp_path, only=["kids", "a"])
    assert (list(run), list(run.measures)) == (["kids"], ["a"])
    record = read_run(tmp_path)
    assert record is not None
    assert record.complete
    assert [found.name for found in record.measures] == ["a", "b"]
    with pytest.raises(UsageError, match="its groups: kids; its measures: a, b"):
        mixed.run(only="c")

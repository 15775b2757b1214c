"""`measure` and `expect` with the real classifiers, generator and annotators."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

import lacelang
from lacelang.engine.measures import prior_sample

pytestmark = pytest.mark.weights

SOURCE = """
sample 3 from ffhq where glasses=1 and gender=male seed 3 as scholars
measure glasses=1 given gender=male from ffhq as his
measure glasses=1 given gender=female from ffhq as hers
expect glasses=1 in 60% of scholars
expect gender=female in 90% of scholars
"""


def test_shares_and_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = partial(prior_sample, draws=20_000)
    monkeypatch.setattr("lacelang.engine.measures.prior_sample", few)
    program = lacelang.compile(SOURCE)
    run = program.run(out=tmp_path)
    his, hers = run.measures["his"], run.measures["hers"]
    assert his.value is not None
    assert hers.value is not None
    # Labels of 8 000 draws have 0.188 and 0.085; truncation 0.7 takes a little off.
    assert his.value == pytest.approx(0.18, abs=0.03)
    assert hers.value == pytest.approx(0.08, abs=0.03)
    worn, female = run.expectations
    assert worn.holds
    assert not female.holds
    assert len(female.failing) >= 2
    for sample in run["scholars"].record.samples:
        assert sample.seen is not None
        assert set(sample.seen) >= {"glasses", "gender", "age", "light3"}
    assert program.run(out=tmp_path).expectations == run.expectations

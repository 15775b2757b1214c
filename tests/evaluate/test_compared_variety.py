"""What the variety of a group is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

import lacelang
from lacelang import ir
from lacelang.evaluate import reference
from lacelang.evaluate.judged import Judged
from lacelang.evaluate.reference import Compared, asked, prior_of, table
from lacelang.progress import Silent

COMMON = "sample 8 from ffhq where glasses=1 [weight 4] temp 0.3 truncation 0.6 seed 5 as g"
RARE = """
sample 8 from ffhq
  where beard=1 and smile=0 [weight 2] and (glasses=1 [temp 0.2]) and age=15 and pitch=0 [weight 0]
  verified
  with exponential(time=15)
  as kids
"""


@pytest.fixture
def few_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "_TRIED", 256)


@pytest.mark.weights
@pytest.mark.usefixtures("few_tried")
def test_references_are_exact_draws_of_the_plain_condition() -> None:
    samples = lacelang.compile(f"{COMMON}\n{RARE}\nsample 4 from ffhq as any").samples
    common, rare, any_ = (each.reference for each in asked(samples, Silent()))
    assert (common.sampler.name, rare.sampler.name) == ("rejection", "smc")
    assert common.truncation == 0.6
    assert common.count == 12
    drawn = [common, rare, any_, prior_of(samples)]
    assert {one.seed for one in drawn}.isdisjoint({5, 0, None})
    assert len({one.seed for one in drawn}) == 4
    assert all(one.verified is None for one in drawn)
    for one in (common, rare):
        assert one.options.temp is None
        assert one.where is not None
        assert all(each.is_plain for each in ir.walk(one.where))
    # What has weight 0 is not to be seen.
    assert rare.where is not None
    assert list(ir.attributes(rare.where)) == ["beard", "smile", "glasses", "age"]
    assert any_.where is None
    assert (drawn[3].where, drawn[3].count) == (None, reference.PRIOR)


@pytest.mark.weights
@pytest.mark.usefixtures("few_tried")
def test_groups_of_one_condition_share_a_reference() -> None:
    source = """
    for t in 2, 1, 0.5 { sample 6 from ffhq where smile=1 temp t seed 7 as "smile at {t}" }
    for who in female, male { sample 4 from ffhq where gender=who as "of {who}" }
    sample 6 from ffhq where smile=1 [weight 3] truncation 0.5 as nearer
    """
    found = asked(lacelang.compile(source).samples, Silent())
    assert [each.groups for each in found] == [(0, 1, 2), (3,), (4,), (5,)]
    assert [each.reference.count for each in found] == [27, 6, 6, 9]


def judged(identity: Any, shown: Any = None, features: Any = None) -> Judged:
    """A group whose faces show `glasses=1` where `shown` says so."""
    (statement,) = lacelang.compile(COMMON).samples
    n = len(identity)
    columns = {
        "glasses": np.ones(n, np.float32) if shown is None else np.asarray(shown, np.float32)
    }
    return Judged(statement, None, columns, identity=identity, features=features)  # type: ignore[arg-type]


def test_a_group_of_one_person_has_a_low_ratio() -> None:
    rng = np.random.default_rng(0)
    prior = judged(rng.normal(size=(64, 16)))
    varied = judged(rng.normal(size=(24, 16)), features=rng.normal(size=(24, 5)))
    same = judged(np.tile(rng.normal(size=16), (24, 1)), features=np.zeros((24, 5)))
    shown = np.ones(36)
    shown[::3] = 0
    other = judged(rng.normal(size=(36, 16)), shown, rng.normal(size=(36, 5)))
    found = table([Compared([varied], other, prior), Compared([same], other, prior)])
    assert found is not None
    good, bad = found.rows
    assert good["reference"] == bad["reference"] == "24 of 36"
    assert isinstance(good["ratio"], float)
    assert 0.8 < good["ratio"] < 1.25
    assert isinstance(bad["ratio"], float)
    assert bad["ratio"] < 0.1
    assert bad["coverage"] != good["coverage"]
    assert bad["Vendi / n"] == pytest.approx(1 / 24)


def test_too_few_faces_have_no_figures() -> None:
    rng = np.random.default_rng(1)
    prior, few = judged(rng.normal(size=(64, 16))), judged(rng.normal(size=(7, 16)))
    many, none = judged(rng.normal(size=(9, 16))), judged(rng.normal(size=(9, 16)), np.zeros(9))
    found = table([Compared([few], many, prior), Compared([many], none, prior)])
    assert found is not None
    assert set(found.rows[0]) == {"groups", "faces", "reference"}
    assert "Vendi / n" in found.rows[1]
    assert "ratio" not in found.rows[1]


def test_without_descriptors_there_is_no_table() -> None:
    lone = evolve(judged(np.zeros((9, 2))), identity=None)
    assert table([Compared([lone], lone, lone)]) is None

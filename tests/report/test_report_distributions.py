"""Distributions beside the prior, and what the page says where they cannot be had."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import SPEC, TinyModel

from lacelang.engine import loading
from lacelang.engine.predicted import of_prior, of_samples
from lacelang.engine.sampling import PRIOR_DRAWS, outputs_of_prior
from lacelang.generators import ARCHITECTURES
from lacelang.report.distributions import Predictions
from lacelang.report.page import page
from lacelang.storage.latents import Latents
from lacelang.storage.reading import find_run


class Ready:
    def is_ready(self, weights: object) -> bool:
        return True


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Predictions:
    """The small model as one that the program declares."""
    monkeypatch.setitem(ARCHITECTURES._added, "tiny", Ready())
    monkeypatch.setattr(loading, "load", lambda spec, device, progress: TinyModel())
    return Predictions({"tiny": SPEC})


def test_predictions_of_samples_and_of_the_prior() -> None:
    model: Any = TinyModel()
    z = np.array([[2.0, 1.0, *[0.0] * 6], [-2.0, 3.0, *[0.0] * 6]], np.float32)
    own = of_samples(model, SPEC, Latents(z, z))
    assert own is not None
    assert own.values["age"] == pytest.approx([45.0, 65.0])
    assert own.shares["glasses"] == pytest.approx([0.5, 0.5], abs=1e-4)
    prior = of_prior(model, SPEC, 1.0)
    assert len(prior.values["age"]) == PRIOR_DRAWS
    assert prior.values["age"].mean() == pytest.approx(35.0, abs=0.6)
    assert prior.values["age"].std() == pytest.approx(10.0, abs=0.5)
    assert prior.shares["glasses"] == pytest.approx([0.5, 0.5], abs=0.03)
    # At a smaller truncation it is narrower, and remembered.
    assert of_prior(model, SPEC, 0.5).values["age"].std() == pytest.approx(5.0, abs=0.3)
    assert outputs_of_prior(model, 1.0) is outputs_of_prior(model, 1.0)


def test_no_mode_of_torch_changes_predictions() -> None:
    model: Any = TinyModel()
    z = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)
    before = of_samples(model, SPEC, Latents(z, z))
    with torch.inference_mode():
        after = of_samples(model, SPEC, Latents(z, z))
    assert before is not None
    assert after is not None
    assert (before.values["age"] == after.values["age"]).all()


def test_every_group_has_all_attributes_beside_the_prior(
    run_folder: Path, known: Predictions
) -> None:
    for group in find_run(run_folder).groups:
        found = known.distributions(group)
        assert {chart.title for chart in found.charts} == {"glasses", "age"}, group.record.name
        assert all(chart.prior for chart in found.charts)
        assert found.prior == "draws from the prior, truncation 0.7"
        assert not found.missing
    kids = find_run(run_folder).groups[0]
    (glasses, age) = known.distributions(kids).charts
    assert "prior mean 35" in age.summary or "prior mean 34." in age.summary
    assert "prior 5" in glasses.summary or "prior 4" in glasses.summary


def test_compared_attributes_come_first_and_may_be_the_only_ones(
    run_folder: Path, known: Predictions
) -> None:
    groups = {group.record.name: group for group in find_run(run_folder).groups}
    assert len(known.distributions(groups["hostile"], compared_only=True).charts) == 1
    # A group without a condition compares nothing, and shows all.
    assert len(known.distributions(groups["draws & <b>bold</b>"], compared_only=True).charts) == 2


def test_without_the_model_the_page_says_so_and_shows_the_records(run_folder: Path) -> None:
    text = page(find_run(run_folder))
    assert "The model tiny is declared by the program" in text
    assert "P(glasses=1)" in text
    assert "draws from the prior, truncation" not in text


def test_weights_that_are_not_here_are_not_fetched(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Missing:
        def is_ready(self, weights: object) -> bool:
            return False

    def fetched(*_: object) -> None:
        raise AssertionError("nothing may be loaded")

    monkeypatch.setitem(ARCHITECTURES._added, "tiny", Missing())
    monkeypatch.setattr(loading, "load", fetched)
    text = page(find_run(run_folder), Predictions({"tiny": SPEC}))
    assert "The weights of tiny are not on this machine" in text
    assert "lacelang models fetch tiny" in text


def test_weights_that_have_changed_are_not_compared_with(
    run_folder: Path, known: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TinyModel, "weights", lambda self, conditioned: {"generator": "other"})
    found = known.distributions(find_run(run_folder).groups[0])
    assert "have changed since" in found.missing
    assert not found.prior


def test_latents_that_are_gone_leave_the_records(
    run_folder: Path, tmp_path: Path, known: Predictions
) -> None:
    shutil.copytree(run_folder, tmp_path / "copy")
    for shard in (tmp_path / "copy" / "kids").glob("latents-*"):
        shard.unlink()
    found = known.distributions(find_run(tmp_path / "copy").groups[0])
    assert "not whole" in found.missing
    assert found.charts

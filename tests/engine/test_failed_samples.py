"""Samples that errors end while they are drawn: they are recorded, and the others are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_datasets import files, group_at, made
from tiny import GLASSES, SPEC, TinyHeads, TinyModel, edit, program, statement

import lacelang
from lacelang import ir
from lacelang.engine import sampling
from lacelang.engine.failures import MOST_FAILED
from lacelang.errors import ResourceError
from lacelang.progress import Progress, Stage
from lacelang.storage.datasets.samples import items_of

SMALL: dict[str, Any] = {"format": "webdataset", "shard_size": 4}
PARQUET: dict[str, Any] = {"format": "parquet", "shard_size": 4}


def poison(monkeypatch: pytest.MonkeyPatch, bad: set[int]) -> list[int]:
    """Let the batches that hold some indices fail; gives the sizes of all batches."""
    real, sizes = sampling._draw, list[int]()

    def draw(statement: Any, model: Any, seed: int, node: Any, indices: Any, *more: Any) -> Any:
        sizes.append(len(indices))
        if bad & set(indices):
            raise ValueError("this sample is poison")
        return real(statement, model, seed, node, indices, *more)

    monkeypatch.setattr(sampling, "_draw", draw)
    return sizes


def items(out: Path, name: str = "kids") -> list[Any]:
    group = group_at(out, name)
    return [i for s in group.shards for i in items_of(group.place, group.record, s)]


@pytest.mark.parametrize(
    ("how", "images", "bad"),
    [(SMALL, True, {3, 4, 6}), (PARQUET, True, {0}), (PARQUET, False, {6})],
    ids=["webdataset", "parquet", "latents"],
)
def test_the_others_are_what_they_are_without_them(
    model: TinyModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: dict[str, Any],
    images: bool,
    bad: set[int],
) -> None:
    drawn = ir.DrawnClass(GLASSES, ((0, 1), (1, 1)), text="glasses=each {0, 1}")
    both = program(
        statement("kids", 7, where=drawn),
        edit(steps=edit().steps[:1]),
        ir.PickStatement("some", "kids", SPEC, (6, 1, 0)),
    )
    whole = made(both.run(out=tmp_path / "whole", images=images, **how))
    poison(monkeypatch, bad)
    index = made(both.run(out=tmp_path / "cut", images=images, **how))
    assert index.complete
    assert [each.tally.count for each in index.groups] == [7, 7, 3]
    wrong = [[failure.index for failure in each.tally.failures] for each in index.groups]
    assert wrong == [sorted(bad), sorted(bad), [k for k, i in enumerate((6, 1, 0)) if i in bad]]
    for name in ("kids", "edited"):
        found, wanted = (items(tmp_path / out, name) for out in ("cut", "whole"))
        for item, other in zip(found, wanted, strict=True):
            if item.sample.index not in bad:
                assert item.sample == other.sample
                assert item.image == other.image
                assert np.array_equal(item.latents.w, other.latents.w)
                continue
            assert item.sample.status == "failed"
            assert item.image is None
            assert bool(np.isnan(item.latents.w).all())
            assert item.latents.w.shape == other.latents.w.shape
            said = "it begins from sample" if name == "edited" else "ValueError: this sample is"
            assert item.sample.error.startswith(said)
    # What `each` drew is counted of all, so that the proportions are those of the statement.
    assert index.groups[0].tally.classes == whole.groups[0].tally.classes
    # They are there, and are not made again.
    before = files(tmp_path / "cut")
    made(both.run(out=tmp_path / "cut", images=images, **how))
    assert files(tmp_path / "cut") == before


def test_a_group_that_always_fails_ends_the_run(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = poison(monkeypatch, set(range(1000)))
    with pytest.raises(ResourceError, match=f"{MOST_FAILED} samples in a row failed"):
        program(statement("kids", 1000)).run(out=tmp_path, **SMALL)
    assert sizes.count(1) == MOST_FAILED
    assert len(sizes) < 3 * MOST_FAILED


def test_a_run_without_a_data_set_ends_with_the_error(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, {3})
    for out in (None, tmp_path):
        with pytest.raises(ValueError, match="poison"):
            program(statement("kids", 5)).run(out=out)


def test_errors_of_the_environment_are_no_sample_s(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(*_: Any) -> Any:
        raise ResourceError("the network is gone")

    monkeypatch.setattr(sampling, "_draw", draw)
    with pytest.raises(ResourceError, match="the network is gone"):
        program(statement("kids", 5)).run(out=tmp_path, **SMALL)


def test_progress_counts_each_sample_once(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: dict[str, float] = {}

    class Counted(Progress):
        def stage(self, name: str, total: float | None = None, unit: Any = "items") -> Stage:
            class Counting(Stage):
                def advance(self, amount: float = 1) -> None:
                    assert amount >= 0
                    done[name] = done.get(name, 0) + amount

            return Counting()

    poison(monkeypatch, {3, 17})
    program(statement("kids", 40)).run(out=tmp_path, images=False, progress=Counted(), **SMALL)
    assert done["sampling"] == pytest.approx(40)


def test_a_classifier_that_returns_nan_for_a_sample(model: TinyModel, tmp_path: Path) -> None:
    w = program(statement("kids", 8, where=None)).run()["kids"].w

    class Heads(TinyHeads):
        def forward(self, w_: torch.Tensor) -> dict[str, torch.Tensor]:
            found = super().forward(w_)
            lost = w_[:, 7:] == w[2, 7]
            return {**found, "glasses": torch.where(lost, torch.nan, found["glasses"])}

    model.heads = Heads()
    index = made(program(statement("kids", 8)).run(out=tmp_path, **SMALL))
    assert index.groups[0].tally.status == {"converged": 7, "non_finite": 1}
    assert items(tmp_path)[2].image is not None


def test_a_term_of_the_user_s_that_fails_for_a_sample(tmp_path: Path) -> None:
    z = lacelang.compile("sample 8 from digits seed 1 as odd").run()["odd"].latents

    def small(z_: torch.Tensor) -> torch.Tensor:
        if bool((z_[:, 3] == z[5, 3]).any()):
            raise ZeroDivisionError("no such row")
        return z_.square().mean(dim=1)

    term = lacelang.term(small, on="z", version=1)
    source = "sample 8 from digits where small seed 1 as odd"
    run = lacelang.compile(source, definitions={"small": term}).run(out=tmp_path, **SMALL)
    (failure,) = made(run).groups[0].tally.failures
    assert failure.index == 5
    assert "the term `small` failed" in failure.error
    assert "no such row" in failure.error

"""`verified`: samples are drawn anew until the annotators, which the tests stand in for, agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs
import numpy as np
import pytest
import torch
from tiny import AGE, GLASSES, GLASSES_1, TinyModel, program, statement

from lacelang import annotators, ir
from lacelang.engine import tasks, verified
from lacelang.engine.sinks import Look
from lacelang.errors import ResourceError
from lacelang.progress import Stage
from lacelang.samplers.solution import Status
from lacelang.samplers.streams import prior
from lacelang.storage.records import Seen


class Pool:
    """Says that glasses are seen where the third coordinate of w is above a bound."""

    bound = 0.0
    looked = 0

    def __init__(self, attributes: set[str], progress: object) -> None:
        assert attributes <= {"glasses", "age"}

    def annotate(self, pictures: Iterable[Look], stage: Stage) -> Iterator[Seen]:
        for picture in pictures:
            Pool.looked += 1
            # A pixel is 128 + 40 w.
            seen = (float(picture()[0, 0, 2]) - 128) / 40 > self.bound
            yield {"glasses": float(seen), "age": 40.0}


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> type[Pool]:
    monkeypatch.setattr(verified, "AnnotatorPool", Pool)
    monkeypatch.setattr(Pool, "bound", 0.0)
    Pool.looked = 0
    return Pool


def test_every_sample_is_one_that_the_annotators_agree_with(model: TinyModel) -> None:
    group = program(statement(count=24, verified=30)).run()["kids"]
    assert set(group.status) == {Status.converged}
    assert bool((group.w[:, 2] > 0).all())
    tries = [s.tries for s in group.record.samples]
    assert all(isinstance(t, int) and 1 <= t <= 30 for t in tries)
    # Half of the candidates are agreed with: two tries a sample, within four standard errors.
    assert abs(np.mean(tries) - 2) < 4 * (2 / 24) ** 0.5  # type: ignore[arg-type]
    assert Pool.looked == sum(tries)  # type: ignore[arg-type]


def test_what_is_agreed_with_at_once_is_the_sample_without_verification(model: TinyModel) -> None:
    plain = program(statement(count=12)).run()["kids"]
    group = program(statement(count=12, verified=30)).run()["kids"]
    first = [i for i, s in enumerate(group.record.samples) if s.tries == 1]
    assert 2 <= len(first) < 12
    for i, sample in enumerate(group.record.samples):
        assert torch.equal(group.latents[i], plain.latents[i]) == (sample.tries == 1)


def test_further_candidates_start_from_draws_of_their_own() -> None:
    parts = [prior(7, range(5), 8, part) for part in range(3)]
    assert len({part.numpy().tobytes() for part in parts}) == 3
    assert torch.equal(prior(7, [4], 8, 2)[0], parts[2][4])


@pytest.mark.parametrize("size", [1, 5, 64])
def test_a_sample_does_not_depend_on_its_batch(
    model: TinyModel, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    whole = program(statement(count=12, verified=6)).run()["kids"]
    monkeypatch.setattr(tasks, "BATCH", size)
    parts = program(statement(count=7, verified=6)).run()["kids"]
    assert torch.equal(whole.latents[:7], parts.latents)
    assert whole.record.samples[:7] == parts.record.samples


def test_after_so_many_candidates_a_sample_is_marked(
    model: TinyModel, pool: type[Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "bound", 100.0)
    group = program(statement(count=3, verified=4)).run()["kids"]
    assert set(group.status) == {Status.unverified}
    assert [s.tries for s in group.record.samples] == [4, 4, 4]
    # All show as much of the condition, so that the first candidate is kept.
    assert torch.equal(group.latents, program(statement(count=3)).run()["kids"].latents)


def test_a_marked_sample_is_the_candidate_that_shows_most(
    model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Half(Pool):
        """Never sees the age, and glasses by the third coordinate."""

        def annotate(self, pictures: Iterable[Look], stage: Stage) -> Iterator[Seen]:
            for seen in super().annotate(pictures, stage):
                yield {**seen, "age": None}

    monkeypatch.setattr(verified, "AnnotatorPool", Half)
    group = program(statement(count=8, verified=12)).run()["kids"]
    assert set(group.status) == {Status.unverified}
    assert bool((group.w[:, 2] > 0).all())


def test_each_sample_is_verified_by_its_own_values(model: TinyModel, pool: type[Pool]) -> None:
    where = ir.conjunction([ir.DrawnClass(GLASSES, ((0, 1), (1, 1)))])
    group = program(statement(count=16, where=where, verified=30)).run()["kids"]
    wanted = torch.tensor([s.drawn["glasses"] == "1" for s in group.record.samples])
    assert torch.equal(group.w[:, 2] > 0, wanted)


@pytest.mark.parametrize("age", [ir.Equals(AGE, 10.0, weight=0.0), None])
def test_what_has_no_weight_need_not_be_shown(model: TinyModel, age: ir.Predicate | None) -> None:
    """The annotators see an age of 40 always."""
    glasses = GLASSES_1 if age is not None else attrs.evolve(GLASSES_1, weight=0.0)
    where = ir.And((glasses, *([] if age is None else [age])))
    group = program(statement(count=6, where=where, verified=20)).run()["kids"]
    assert set(group.status) == {Status.converged}
    assert age is not None or {s.tries for s in group.record.samples} == {1}


def test_a_run_goes_on_with_what_it_has(model: TinyModel, tmp_path: Path, pool: type[Pool]) -> None:
    first = program(statement(count=6, verified=9)).run(out=tmp_path)["kids"]
    looked = pool.looked
    again = program(statement(count=6, verified=9)).run(out=tmp_path)["kids"]
    assert pool.looked == looked
    assert torch.equal(first.latents, again.latents)
    assert [s.tries for s in again.record.samples] == [s.tries for s in first.record.samples]


def test_what_annotators_need_is_required_before_anything_is_made(
    model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Missing:
        attributes = ("glasses",)
        name, version, identity = "missing", 1, ""

        def require(self) -> None:
            raise ResourceError("a package is missing", "install it")

    monkeypatch.setattr(annotators.ANNOTATORS, "_own", {"missing": Missing()})
    with pytest.raises(ResourceError, match="a package is missing"):
        program(statement(count=2, where=GLASSES_1, verified=2)).run()
    assert model.generator.decoded == 0
    program(statement(count=2, where=GLASSES_1)).run()

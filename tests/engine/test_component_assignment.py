"""Samples that take turns at the arms of a balanced `or`."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import AGE, GLASSES, GLASSES_1, TinyModel, edit, program, statement

from lacelang import ir
from lacelang.energy import And, Balanced, Node, NormalAt, Surprisal
from lacelang.engine import tasks
from lacelang.engine.components import by_component, components_of
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Solution, Stats, Status

A, B, C = Surprisal("a", frozenset({1})), Surprisal("b", frozenset({1})), NormalAt("c", 1.0, 2.0)
AB, BC = Balanced((A, B), (1.0, 5.0), (1.0, 1.0)), Balanced((B, C), (3.0, 1.0), (1.0, 3.0))

seeds = st.integers(0, 2**32)
starts = st.integers(0, 10_000)


def shares(chosen: list[dict[Balanced, int]], of: Balanced) -> list[float]:
    counts = Counter(arms[of] for arms in chosen)
    return [counts[k] / len(chosen) for k in range(len(of.terms))]


@given(seeds, starts, st.integers(1, 60))
def test_any_samples_in_a_row_share_the_arms_out(seed: int, start: int, count: int) -> None:
    indices = range(start, start + count)
    for share, wanted in zip(
        shares(components_of([BC], "heun", seed, indices), BC), (0.25, 0.75), strict=True
    ):
        assert abs(share - wanted) * count < 3


@given(seeds)
def test_several_disjunctions_are_shared_out_against_each_other(seed: int) -> None:
    other = Balanced((A, C), (1.0, 1.0), (1.0, 1.0))
    chosen = components_of([And((AB, other), (1.0, 1.0))], "heun", seed, range(64))
    counts = Counter((arms[AB], arms[other]) for arms in chosen)
    assert all(counts[pair] >= 8 for pair in product((0, 1), repeat=2))


@given(seeds, st.permutations(range(9)))
def test_an_arm_belongs_to_a_sample_and_not_to_its_batch(seed: int, order: list[int]) -> None:
    together = components_of([AB], "heun", seed, range(9))
    assert components_of([AB], "heun", seed, order) == [together[i] for i in order]


@pytest.mark.parametrize("before", [1, 3])
@given(seeds, starts)
def test_an_edit_shares_the_arms_out_whatever_arm_a_face_began_in(
    before: int, seed: int, start: int
) -> None:
    even = Balanced((A, B), (1.0, 1.0), (1.0, 1.0))
    indices = range(start, start + 96)
    begun, edited = (components_of([even], "heun", seed, indices, edit) for edit in (0, before))
    again = components_of([even], "heun", seed, indices, before + 1)
    assert abs(shares(edited, even)[0] - 0.5) * 96 < 12
    for others in (begun, again):
        pairs = Counter((a[even], b[even]) for a, b in zip(others, edited, strict=True))
        assert all(pairs[pair] >= 8 for pair in product((0, 1), repeat=2))


def test_the_first_sample_of_many_seeds_sees_every_arm_in_its_share() -> None:
    first = [components_of([BC], "heun", seed, [0])[0] for seed in range(400)]
    # Five standard deviations of 400 draws.
    assert abs(shares(first, BC)[1] - 0.75) < 5 * (0.75 * 0.25 / 400) ** 0.5


def test_exact_samplers_choose_themselves() -> None:
    assert components_of([AB], "smc", 0, range(3)) == [{}, {}, {}]
    solved: list[tuple[Node, list[int]]] = []

    def solve(node: Node, rows: list[int]) -> Solution:
        solved.append((node, rows))
        return solution_of(rows)

    by_component(AB, [{}, {}, {}], solve)
    assert solved == [(AB, [0, 1, 2])]


def solution_of(rows: list[int]) -> Solution:
    row = torch.tensor(rows)
    return Solution(
        row[:, None].float(),
        row.float() + 0.5,
        tuple(Status(r % 3) for r in rows),
        Stats(row + 1, row + 2, row + 3),
        {"log_evidence": row.double()},
    )


def test_solutions_come_back_in_the_order_of_the_samples() -> None:
    whole = by_component(AB, [{AB: k} for k in (1, 0, 1, 1, 0)], lambda _, rows: solution_of(rows))
    apart = solution_of(list(range(5)))
    assert torch.equal(whole.z, apart.z)
    assert torch.equal(whole.energy, apart.energy)
    assert whole.status == apart.status
    assert torch.equal(whole.stats.nfe, apart.stats.nfe)
    assert torch.equal(whole.stats.accepted, apart.stats.accepted)
    assert torch.equal(whole.stats.rejected, apart.stats.rejected)
    assert torch.equal(whole.extra["log_evidence"], apart.extra["log_evidence"])


def either(**fields: Any) -> ir.SampleStatement:
    # Two sigmas of the prior away, against every other face.
    old = ir.AtLeast(AGE, 50.0, text="age >= 50")
    return statement(where=ir.Or((GLASSES_1, old), text="glasses=1 or age >= 50"), **fields)


@pytest.mark.parametrize("sampler", ["exponential", "heun"])
def test_a_flow_shows_the_rare_arm_as_often_as_the_common_one(
    model: TinyModel, sampler: str
) -> None:
    choice = ir.SamplerChoice(sampler, SAMPLERS[sampler].complete({}))
    runs = {
        kind: program(either(count=24, disjunction=kind, sampler=choice)).run()["kids"]
        for kind in ("equal", "balanced")
    }
    old = {kind: (run.readings["age >= 50"] > 47).float().mean() for kind, run in runs.items()}
    assert old["equal"] <= 0.25
    assert 0.4 <= old["balanced"] <= 0.6
    # The energy that is told is that of the whole condition.
    assert runs["balanced"].energy.max() < 20


def test_turns_do_not_depend_on_the_batch(
    model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = program(either(count=12, disjunction="balanced")).run()["kids"]
    monkeypatch.setattr(tasks, "BATCH", 5)
    parts = program(either(count=12, disjunction="balanced")).run()["kids"]
    assert torch.allclose(whole.latents, parts.latents, atol=1e-4)
    assert whole.status == parts.status


def test_an_edit_keeps_the_arm_that_a_face_has_taken(model: TinyModel) -> None:
    none = ir.Discrete(GLASSES, frozenset({0}), text="glasses=0")
    old = ir.AtLeast(AGE, 45.0, text="age >= 45")
    young = ir.AtMost(AGE, 30.0, text="age <= 30")
    steps = (ir.EditStep(GLASSES_1), ir.EditStep(ir.Or((old, young))), ir.EditStep(none))
    run = program(
        statement(where=None, count=16), edit(steps=steps, disjunction="balanced", held="all")
    ).run()
    records = run["edited"].record.samples
    ages = np.array(
        [[step.readings["age >= 45"] for step in r.steps] for r in records], dtype=float
    )
    assert ((ages[:, 2] > 43) | (ages[:, 2] < 32)).all()
    assert 0.4 <= (ages[:, 2] > 43).mean() <= 0.6
    assert ((ages[:, 3] > 40) == (ages[:, 2] > 43)).all()

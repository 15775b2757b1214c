"""The suite of sequential editing: what it edits, and how the baseline's frames come about."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from made_paths import paths_of
from torch import Tensor

from experiments.edit_paths import EditPaths
from experiments.reference import Reference
from experiments.specs.editing import (
    DEFAULT,
    LINES,
    ORDERS,
    VARIANTS,
    Result,
    done_table,
    followed,
    kept_table,
    name_of,
    program_text,
    steps_table,
    without_energies,
)
from lacelang import ir
from lacelang.api import compile
from lacelang.storage.records import GroupRecord, SampleRecord, StepRecord


def edits() -> dict[str, ir.EditStatement]:
    statements = compile(program_text(4, 2)).checked.statements
    return {s.name: s for s in statements if isinstance(s, ir.EditStatement)}


def test_every_variant_is_an_edit_in_both_orders() -> None:
    found = edits()
    assert len(found) == len(ORDERS) * len(VARIANTS)
    for order, names in ORDERS.items():
        for variant in VARIANTS:
            edit = found[name_of(order, variant)]
            spoken = [
                atom.attribute.name for s in edit.steps for atom in ir.comparisons(s.predicate)
            ]
            assert tuple(spoken) == names
            assert edit.group == ("people" if variant == DEFAULT else "fewer")
        paper = found[name_of(order, "hold as in the paper")]
        assert (paper.held, paper.hold) == ("later", 0.01)
        assert not found[name_of(order, "no reweighting")].reweight
        assert {s.replaced for s in found[name_of(order, "all style layers")].steps} == {None}


class Straight:
    """Directions that move every face by one, and remember what for."""

    def __init__(self) -> None:
        self.followed: list[tuple[str, tuple[str, ...]]] = []

    def move(self, w: Tensor, where: ir.Predicate, held: tuple[str, ...]) -> Tensor:
        self.followed.append((where.text, held))
        return w + 1


def test_the_baseline_goes_on_from_where_each_line_ended_in_all_styles() -> None:
    order = next(iter(ORDERS))
    edit = edits()[name_of(order, DEFAULT)]
    directions = Straight()
    begun = np.zeros((2, 3, 5), np.float32)
    frames = followed(cast(Any, directions), edit, begun)
    assert frames.shape == (2, len(LINES), 3, 5)
    assert [frame.tolist() for frame in frames[0, :, 0, 0]] == [1.0, 2.0, 3.0, 4.0]
    assert torch.from_numpy(frames).std(dim=2).max() == 0
    assert [text for text, _ in directions.followed] == list(LINES.values())
    assert {held for _, held in directions.followed} == {tuple(LINES)}


def test_the_baseline_s_faces_are_not_told_the_energies_of_others() -> None:
    step = StepRecord(0.5, "converged", 3, 1, 0, {"smile=0": 0.9})
    sample = SampleRecord(0, 0.5, "converged", {}, 3, 1, 0, steps=(step, step))
    settings = {"sampler": "heun"}
    record = GroupRecord("a", "a", "smile=0", "f", 1, 1, settings, (), (sample,))
    bare = without_energies(record, "b")
    assert (bare.name, bare.settings) == ("b", {})
    assert [s.energy for s in (*bare.samples, *bare.samples[0].steps)] == [None, None, None]
    assert bare.samples[0].steps[0].readings == step.readings


def test_films_are_joined_moment_by_moment() -> None:
    def film(*moments: float) -> EditPaths:
        column = np.tile(np.array(moments, np.float32), (3, 1))
        return paths_of({"age": column}, column[..., None], column[..., None])

    whole = film(20).first(2).followed(film(30, 40).first(2))
    assert len(whole) == 2
    assert whole.moments[0].columns["age"].tolist() == [20, 20]
    assert whole.moments[2].columns["age"].tolist() == [40, 40]
    assert whole.identity(2).shape == (2, 1)


def test_tables_say_what_was_done_and_what_was_kept_line_by_line() -> None:
    order, names = next(iter(ORDERS.items()))
    rng = np.random.default_rng(0)
    n, moments = 4, len(LINES) + 1
    identity = np.ones((n, moments, n), np.float32) * np.eye(n)[:, None]
    identity[:, -1] *= -1
    features = rng.normal(size=(n, moments, 4)).astype(np.float32)
    spec = compile("sample from ffhq").samples[0].model
    bald = np.full((n, moments), 0.25, np.float32)
    bald[:, -1] += 0.5
    columns = {"bald": bald, "yaw": bald}
    paths = paths_of(columns, features, identity)
    # Each line does all of its own and undoes nothing, but the last takes a quarter of the first.
    accuracy = np.tril(np.ones((moments, len(LINES))), -1)
    accuracy[-1, 0] = 0.75
    results = {DEFAULT: Result(paths, accuracy, names, 0.5)}
    done = done_table(order, results)
    row = done.rows[0]
    assert [row[name] for name in LINES] == [0.75, 1, 1, 1]
    assert row["DES undivided"] == (3 + 0.75) / 4
    # Nothing is divided by less than was said.
    assert row["DES"] == (3 + 0.5) / 4
    assert row["largest possible"] == 1
    assert row["faces"] == n
    steps = steps_table(order, results, np.full(n, 0.1))
    assert [line["line"] for line in steps.rows] == list(names)
    assert [line["DES undivided"] for line in steps.rows] == [1, 1, 1, 0.75]
    assert [line["ID distance"] for line in steps.rows[:3]] == [0, 0, 0]
    reference = Reference.of(rng.normal(size=(40, 4)).astype(np.float32), 2)
    kept = kept_table(order, results, spec.attributes, np.zeros(n), reference)
    assert kept.rows[0]["variant"] == DEFAULT
    assert tuple(kept.rows[0]) == kept.columns
    assert kept.rows[0]["drift"] == 0.5
    # The third face of four begins where the first one ends; the nearest is sought among as few
    # as there are in the smallest row.
    places = np.array([0.0, 10.0, 0.8, 11.0])[:, None, None] * np.ones((1, moments, n))
    places[0, -1] = 0.9
    crowd = paths_of(columns, features, places.astype(np.float32))
    both = {"all": crowd, "few": crowd.first(2)}
    results = {name: Result(each, accuracy, names, 0.5) for name, each in both.items()}
    beside = kept_table(order, results, spec.attributes, np.zeros(n), reference)
    assert [row["nearest"] for row in beside.rows[:2]] == [1.0, 1.0]
    alone = kept_table(order, {"all": results["all"]}, spec.attributes, np.zeros(n), reference)
    assert alone.rows[0]["nearest"] == 0.75
    papers = {row["variant"]: row["cosine"] for row in kept.rows[1:]}
    assert papers["paper: LACE-ODE"] == 1 - 0.501

"""The paper's tables from codes to reports, with judgements that are made up."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from attrs import evolve

from experiments import statements
from experiments.annotations import Annotated, Annotations
from experiments.codes import VALUES, Codes, Drawn, Outcome
from experiments.reference import DIRECTIONS, Reference, Unconditioned
from experiments.specs import conditional, heads, spaces
from lacelang.api import Program, compile
from lacelang.classifiers.draws import Draws
from lacelang.evaluate.report import Report, Table, as_json, as_markdown
from lacelang.ir import SampleStatement
from lacelang.progress import Silent
from lacelang.samplers.solution import Status

WIDTH = 80


def seen(count: int, rng: np.random.Generator) -> Annotations:
    names = ("smile", "glasses", "gender", "beard")
    columns = {name: rng.integers(0, 2, count).astype(np.float32) for name in names}
    columns["haircolor"] = rng.integers(0, 5, count).astype(np.float32)
    for name, values in VALUES.items():
        columns[name] = rng.uniform(values[0], values[-1], count).astype(np.float32)
    return Annotations(columns, rng.normal(size=(count, WIDTH)).astype(np.float32))


def made_up(program: Program, *_: Any, **__: Any) -> list[Annotated]:
    rng = np.random.default_rng(0)
    found = []
    for statement in program.samples:
        # The first sample of every group fails.
        status = [Status.max_steps] + [Status.converged] * (statement.count - 1)
        group = SimpleNamespace(status=status, record=SimpleNamespace(name="g", condition="c"))
        faces = seen(statement.count, rng)
        found.append(Annotated(statement, cast(Any, group), faces.columns, faces))
    return found


def outcome(codes: Codes, *_: Any) -> Outcome:
    asked = compile(statements.named(dict(enumerate(codes.statements("", 0))))).samples
    rng = np.random.default_rng(1)
    return Outcome(codes, asked, [seen(code.count, rng) for code in codes.codes])


def prior(*_: Any) -> Unconditioned:
    rng = np.random.default_rng(2)
    whole, fresh = rng.normal(size=(300, WIDTH)), rng.normal(size=(192, WIDTH))
    return Unconditioned(Reference.of(whole), fresh.astype(np.float32))


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "judge_groups", made_up)


def whole(report: Report) -> dict[str, Any]:
    """The report, once it has been written in both ways; no two columns of a table share a name."""
    assert as_markdown(report).startswith(f"# {report.suite}")
    for table in report.tables:
        assert len(set(table.columns)) == len(table.columns)
    found: dict[str, Any] = json.loads(as_json(report))
    return found


@pytest.fixture
def _methods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditional, "unconditioned", prior)
    baselines = dict.fromkeys((*conditional.JEM, conditional.LINEAR))
    monkeypatch.setattr(conditional, "baselines", lambda *_: baselines)
    monkeypatch.setattr(conditional, "by_baseline", outcome)
    seconds = dict.fromkeys((*conditional.SAMPLERS, *baselines), 0.5)
    monkeypatch.setattr(conditional, "_seconds", lambda *_: seconds)


@pytest.mark.usefixtures("_methods")
def test_conditional_has_a_row_for_every_attribute_and_every_method() -> None:
    report = conditional.study(Silent(), None)
    found = whole(report)
    assert found["about"]["faces"] >= 1000
    singles, *by_method = found["tables"]
    assert [row["attribute"] for row in singles["rows"]] == list(conditional.SINGLES)
    # A failed sample in every group: a group for each value.
    assert singles["rows"][0]["failed"] == 2
    assert all(row["× unconditioned"] > 0 for row in singles["rows"])
    every = [*conditional.SAMPLERS, *conditional.JEM, conditional.LINEAR]
    for table in by_method:
        assert [row["method"] for row in table["rows"]] == every
    by_name = {row["method"]: row for row in by_method[2]["rows"]}
    assert by_name["dopri5"]["paper's gender"] == 0.969
    assert by_name["euler"]["paper's gender"] is None
    assert by_method[3]["rows"][0]["paper's s"] == 4.81
    assert len(report.pictures) == len(conditional.SINGLES)


@pytest.mark.usefixtures("_methods")
def test_a_quick_look_has_no_distances() -> None:
    found = whole(conditional.study(Silent(), DIRECTIONS // 2))
    assert all(row["Fréchet"] is None for row in found["tables"][0]["rows"])


def test_heads_sets_both_arrangements_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {(name, count): Path("x") for name in heads.ARRANGEMENTS for count in heads.COUNTS}
    monkeypatch.setattr(heads, "classifier_files", lambda *_: files)
    seconds = {"single": (2.0, 0.1), "separate": (3.0, 0.1)}
    monkeypatch.setattr(heads, "_seconds", lambda asked, _: {k: seconds[k[0]] for k in asked})
    by_count, with_five = whole(heads.study(Silent(), None))["tables"]
    assert [row["attributes"] for row in by_count["rows"]] == list(heads.COUNTS)
    assert {row["separate / single"] for row in by_count["rows"]} == {1.5}
    assert by_count["rows"][4]["paper's separate / single"] == pytest.approx(7.84 / 2.63)
    assert by_count["rows"][-1]["paper's separate / single"] is None
    assert [row["attribute"] for row in with_five["rows"]] == list(heads.ORDER[:5])
    assert with_five["rows"][0]["paper's separate"] == 0.994


def test_spaces_has_latents_by_both_samplers_and_the_image_beside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, set[str]] = {}

    def judge(program: Program, *_: Any, **__: Any) -> list[Annotated]:
        for statement in program.samples:
            asked.setdefault(statement.model.space, set()).add(statement.sampler.name)
        return made_up(program)

    def draw(asked_for: tuple[SampleStatement, ...], *_: Any) -> list[Drawn]:
        return [Drawn(Draws.at(np.zeros((s.count, 4)), 0.7), 2, 18.0, 96.0) for s in asked_for]

    def judged(codes: Codes, _: object, drawn: list[Drawn], __: object) -> Outcome:
        return evolve(outcome(codes), failed=sum(one.failed for one in drawn))

    image = SimpleNamespace(spec=None, readout={"explained": 0.885})
    monkeypatch.setattr(statements, "judge_groups", judge)
    monkeypatch.setattr(spaces, "unconditioned", prior)
    monkeypatch.setattr(spaces, "on_z", lambda *_: lambda spec: evolve(spec, space="z"))
    monkeypatch.setattr(spaces.image_classifier, "image_model", lambda *_: image)
    monkeypatch.setattr(spaces.image_classifier, "draw", draw)
    monkeypatch.setattr(spaces, "outcome_of", judged)
    monkeypatch.setattr(spaces, "_whole_decoder", lambda *_: 4.9)
    monkeypatch.setattr(
        spaces, "_seconds", lambda changes: {(k, s): 0.5 for k in spaces.SAMPLERS for s in changes}
    )
    monkeypatch.setattr(spaces, "_classifiers", lambda *_: Table("none", [{"a": "b"}]))
    latents, all_three, _ = whole(spaces.study(Silent(), None))["tables"]
    samplers = {"exponential", "langevin"}
    assert asked == {"z": samplers, "w": samplers}
    assert [(row["space"], row["paper's ACC"]) for row in latents["rows"]] == [
        *(("z", 0.929), ("w", 0.971), ("z", 0.924), ("w", 0.935))
    ]
    assert [row["space"] for row in all_three["rows"]] == ["z", "w", "image"]
    assert all_three["rows"][2]["s per face"] == 96.0 / spaces.FEW_FACES
    assert all_three["rows"][2]["unfinished"] == 2 * len(spaces.FEW)
    assert "18 evaluations" in all_three["note"]

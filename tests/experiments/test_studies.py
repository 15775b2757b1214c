"""Studies from their programs to their reports, with judgements that are made up."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from made_paths import paths_of

from experiments import statements
from experiments.annotations import Annotated, Annotations
from experiments.edit_paths import accuracies
from experiments.reference import Reference
from experiments.specs import continuous, editing, logic, variety, zero_shot
from lacelang import ir
from lacelang.api import Program, compile
from lacelang.evaluate.report import Report, as_json, as_markdown
from lacelang.progress import Silent

CLASSES = {"haircolor": 5}
NUMBERS = {"yaw": 45.0, "age": 70.0, "pitch": 30.0}


def columns(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    found = {name: rng.uniform(0, top, count).astype(np.float32) for name, top in NUMBERS.items()}
    for name in ("smile", "glasses", "gender", "beard", "haircolor"):
        found[name] = rng.integers(0, CLASSES.get(name, 2), count).astype(np.float32)
    return found


def made_up(program: Program, *_: Any, **__: Any) -> list[Annotated]:
    rng = np.random.default_rng(0)
    found = []
    for s in program.samples:
        strengths = {n: rng.uniform(0, 1, s.count) for n in ("smile", "glasses", "beard")}
        features = np.zeros((s.count, 1), np.float32)
        seen = Annotations(columns(s.count, rng), features, cast(Any, strengths))
        found.append(Annotated(s, cast(Any, None), seen.columns, seen))
    return found


def whole(report: Report) -> dict[str, Any]:
    """The report, once it has been written in both ways."""
    assert as_markdown(report).startswith(f"# {report.suite}")
    found: dict[str, Any] = json.loads(as_json(report))
    return found


def test_continuous_has_a_row_for_every_control(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "judge_groups", made_up)
    report = continuous.study(Silent(), 5)
    summary = whole(report)["tables"][0]["rows"]
    controls = {(row["attribute"], row["form"]) for row in summary}
    assert controls == {(a, f) for a in continuous.ATTRIBUTES for f in continuous.FORMS}
    assert all(-1 <= row["rank correlation"] <= 1 for row in summary)
    assert len(report.pictures) == len(summary) + 1


def test_logic_counts_every_formula_and_its_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "judge_groups", made_up)
    monkeypatch.setattr(logic, "prior_shares", lambda texts: dict.fromkeys(texts, 0.1))
    report = logic.study(Silent(), 3)
    by_depth, disjuncts, each = whole(report)["tables"]
    assert sum(row["formulas"] for row in by_depth["rows"]) == len(each["rows"]) == 40
    for row in each["rows"]:
        assert row["default"] is not None
        assert (row["contrast"] is not None) == ("not " in row["formula"])
    assert len(disjuncts["rows"]) > 20
    assert "default: " in disjuncts["note"]


def test_zero_shot_adds_to_the_paper_s_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "judge_groups", made_up)
    monkeypatch.setattr(zero_shot.program, "evaluate", lambda _, name, *__: Report(name, ()))
    report = zero_shot.study(Silent(), 2)
    pooled, each = whole(report)["tables"]
    assert {row["attribute"] for row in pooled["rows"]} <= set(zero_shot.KIND.among)
    assert sum(row["faces"] for row in pooled["rows"]) == 4 * 2 * zero_shot.COUNT
    assert len(each["rows"]) == zero_shot.COUNT


def test_tables_of_editing_have_the_paper_beside_every_variant() -> None:
    rng = np.random.default_rng(1)
    checked = compile(editing.program_text(3, 3)).checked
    edit = next(s for s in checked.statements if isinstance(s, ir.EditStatement))
    steps = [step.predicate for step in edit.steps]
    order = next(iter(editing.ORDERS))
    results = {}
    for name in (*editing.VARIANTS, editing.LINEAR):
        seen = {a: c.reshape(3, 5) for a, c in columns(15, rng).items()}
        features, who = rng.normal(size=(3, 5, 40)), rng.normal(size=(3, 5, 128))
        paths = paths_of(seen, features, who)
        accuracy = accuracies(steps, paths)
        results[name] = editing.Result(paths, accuracy, editing.ORDERS[order], 1 / 3)
    reference = Reference.of(rng.normal(size=(60, 40)), editing.DIRECTIONS)
    report = Report(
        "editing",
        (
            editing.done_table(order, results),
            editing.kept_table(order, results, edit.model.attributes, np.zeros(128), reference),
            editing.steps_table(order, results, np.zeros(128)),
            editing.yardsticks(paths, rng.normal(size=(9, 128)), reference, 3),
        ),
    )
    after, kept, line_by_line, yardsticks = whole(report)["tables"]
    names = [row["variant"] for row in after["rows"]]
    assert names == [*results, "paper: LACE-ODE", "paper: StyleFlow"]
    assert [after["rows"][-2][a] for a in editing.LINES] == [0.938, 0.956, 0.881, 0.997]
    assert all(0 <= row["yaw"] <= 1 for row in after["rows"])
    assert [row["variant"] for row in kept["rows"]] == names
    assert all(0 <= row["drift"] <= 1 for row in kept["rows"][:-2])
    assert len(line_by_line["rows"]) == 4 * len(results)
    # Three faces have no covariance in so many directions.
    assert len(yardsticks["rows"]) == 2
    assert kept["rows"][0]["Fréchet"] is None


def test_variety_has_a_row_and_a_dot_for_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_identity(program: Program, *_: Any, **__: Any) -> list[Annotated]:
        rng = np.random.default_rng(0)
        stats = SimpleNamespace(nfe=torch.ones(5, dtype=torch.int64))
        found = made_up(program)
        for one in found:
            identity = rng.normal(size=(len(one), 8)).astype(np.float32)
            object.__setattr__(one.annotations, "identity", identity)
            object.__setattr__(one, "group", SimpleNamespace(stats=stats))
        return found

    monkeypatch.setattr(statements, "judge_groups", with_identity)
    report = variety.study(Silent(), 5)
    tables = whole(report)["tables"]
    assert [len(table["rows"]) for table in tables] == [len(variety.SETTINGS)] * 2
    assert all(1 / 5 <= row["Vendi / n"] <= 1 for table in tables for row in table["rows"])
    for picture in report.pictures:
        assert picture.data is not None
        assert sum(map(len, picture.data["points"].values())) == len(variety.SETTINGS)

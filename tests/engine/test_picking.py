"""`pick`: some samples of a group, as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from attrs import evolve
from tiny import SPEC, TinyModel, edit, statement

from lacelang import ir
from lacelang.api import Program
from lacelang.engine import plan
from lacelang.semantics.check import check

SOURCE = """
sample 6 from ffhq where glasses=1 as men
edit men { smile = 1 } as smiling
pick 5, 1..2 of men as some
pick 2, 0 of some as fewer
pick 4 of smiling as one
edit fewer { smile = 1 } as edited
"""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> TinyModel:
    model = TinyModel()
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: model)
    return model


def program() -> Program:
    men = statement("men", 6)
    chosen = ir.PickStatement("some", "men", SPEC, (5, 1, 2))
    fewer = ir.PickStatement("fewer", "some", SPEC, (2, 0))
    smiling = edit("men", "smiling")
    one = ir.PickStatement("one", "smiling", SPEC, (4,))
    statements = (men, smiling, chosen, fewer, one, edit("fewer", "edited"))
    return Program(ir.CheckedProgram(statements))


@pytest.mark.parametrize("on_disk", [False, True])
def test_the_samples_are_those_of_the_group(on_disk: bool, tmp_path: Path) -> None:
    run = program().run(out=tmp_path / "out" if on_disk else None)
    for name, group, rows in (
        ("some", "men", [5, 1, 2]),
        ("fewer", "men", [2, 5]),
        ("one", "smiling", [4]),
    ):
        picked, source = run[name], run[group]
        assert torch.equal(picked.w, source.w[rows])
        assert torch.equal(picked.energy, source.energy[rows])
        kept = tuple(
            evolve(source.record.samples[row], index=index) for index, row in enumerate(rows)
        )
        assert picked.record.samples == kept
        for mine, row in zip(picked.images, rows, strict=True):
            assert mine.tobytes() == source.images[row].tobytes()
        for film, row in zip(picked.films, rows, strict=True):
            assert [f.tobytes() for f in film] == [f.tobytes() for f in source.films[row]]
    assert len(run["edited"]) == 2


def test_a_folder_goes_on_and_a_changed_choice_is_made_anew(tmp_path: Path) -> None:
    first = program().run(out=tmp_path)
    assert torch.equal(program().run(out=tmp_path)["some"].w, first["some"].w)
    changed = program()
    statements = tuple(
        evolve(s, indices=(0, 1, 2)) if s.makes == "group" and s.name == "some" else s
        for s in changed.checked.statements
    )
    again = Program(evolve(changed.checked, statements=statements)).run(out=tmp_path, replace=True)
    assert torch.equal(again["some"].w, first["men"].w[:3])
    assert torch.equal(again["fewer"].w, first["men"].w[[2, 0]])


def test_only_makes_what_it_picks_from() -> None:
    assert set(program().run(only="fewer")) == {"men", "some", "fewer"}


def test_at_most_keeps_what_is_picked() -> None:
    whole = program().run()
    for most, some in ((1, 3), (2, 3), (8, 3)):
        run = Program(program().checked.at_most(most)).run()
        assert (len(run["some"]), len(run["fewer"])) == (some, min(most, 2))
        # What `fewer` picks is still sample 2 of `some`.
        assert torch.equal(run["fewer"].w, whole["fewer"].w[: min(most, 2)])


def test_what_text_says() -> None:
    checked = check(SOURCE)
    picks = [s for s in checked.statements if isinstance(s, ir.PickStatement)]
    assert [(s.name, s.group, s.indices) for s in picks] == [
        ("some", "men", (5, 1, 2)),
        ("fewer", "some", (2, 0)),
        ("one", "smiling", (4,)),
    ]
    again = check(SOURCE.replace("5, 1..2", "5, 1, 2"))
    assert again.statements == checked.statements

"""Cells as programs: definitions and groups of earlier cells, and cells that are run again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "engine"))
from tiny import TinyModel

from lacelang.engine import plan
from lacelang.engine.result import Run
from lacelang.errors import ProgramError, UsageError
from lacelang.notebook.cells import Cells
from lacelang.progress import Silent


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> TinyModel:
    model = TinyModel()
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: model)
    return model


@pytest.fixture
def cells() -> Cells:
    return Cells()


def run(cells: Cells, text: str, **options: object) -> Run | None:
    return cells.run(cells.read(text), text, Silent(), **options)  # type: ignore[arg-type]


MEN = "sample 4 from ffhq where glasses=1 seed 3 as men"
EDIT = "edit men { age = 40 } hold later(0.01) as older"


def test_a_cell_uses_what_earlier_cells_define_and_make(cells: Cells) -> None:
    run(cells, "let kid = age < 20")
    run(cells, "sample 3 from ffhq where kid as kids")
    run(cells, MEN)
    before = cells.groups["men"]
    run(cells, EDIT)
    run(cells, "pick 1, 3 of older as two")
    assert set(cells.groups) == {"kids", "men", "older", "two"}
    assert cells.groups["men"] is before
    assert torch.equal(cells.groups["two"].w, cells.groups["older"].w[[1, 3]])


def test_a_cell_that_is_run_again_replaces(cells: Cells) -> None:
    for seed in (1, 2):
        run(cells, f"let kid = age < {10 * seed}\nsample 2 from ffhq where kid seed {seed}")
        assert set(cells.groups) == {"sample1"}
        assert cells.groups["sample1"].record.seed == seed
        assert f"age < {10 * seed}" in cells.groups["sample1"].record.atoms[0].text


def test_two_groups_of_one_cell_need_two_names(cells: Cells) -> None:
    with pytest.raises(ProgramError, match="LACE111"):
        run(cells, f"{MEN}\n{MEN}")


def test_what_was_made_from_another_group_is_told(cells: Cells) -> None:
    run(cells, MEN)
    run(cells, EDIT)
    run(cells, MEN.replace("seed 3", "seed 4"))
    with pytest.raises(UsageError, match="made anew"):
        run(cells, "pick 0 of older")
    run(cells, EDIT)
    made = run(cells, "pick 0 of older")
    assert made is not None
    assert torch.equal(made["pick1"].w, cells.groups["older"].w[:1])


def test_a_group_cannot_replace_what_it_begins_from(cells: Cells) -> None:
    run(cells, MEN)
    with pytest.raises(UsageError, match="another name"):
        run(cells, "pick 0 of men as men")


def test_a_wrong_cell_changes_nothing(cells: Cells) -> None:
    run(cells, MEN)
    with pytest.raises(ProgramError) as wrong:
        run(cells, "let a = glasses=1\nsample from ffhq where glases=1")
    (found,) = wrong.value.diagnostics
    assert (found.path, found.span.line) == ("cell", 2)
    with pytest.raises(ProgramError, match="LACE103"):
        run(cells, "sample from ffhq where a")


def test_the_seed_and_the_choice_of_a_cell(cells: Cells, tmp_path: Path) -> None:
    text = f"{MEN}\nsample 2 from ffhq as others"
    made = run(cells, text, only=("others",), seed=9, out=tmp_path)
    assert made is not None
    assert set(made) == {"others"}
    assert made["others"].record.seed == 9
    assert (tmp_path / "others" / "sheet.png").exists()
    assert run(cells, "let a = glasses=1") is None

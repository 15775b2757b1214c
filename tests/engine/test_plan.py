from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TinyModel, edit, program, statement

from lacelang.api import Program
from lacelang.engine.plan import Options, plan
from lacelang.progress import Silent

OF_MEN = program(
    statement("kids"), statement("men"), edit("men", "turned"), edit("turned", "again")
)


def chosen(program: Program, *only: str) -> list[str]:
    planned = plan(program.checked, Options(None, "cpu", None, only, True), Silent())
    return [task.record.name for task in planned.chosen]


def test_a_group_brings_along_what_it_begins_from(model: TinyModel) -> None:
    assert chosen(OF_MEN, "turned") == ["men", "turned"]
    assert chosen(OF_MEN, "again") == ["men", "turned", "again"]
    assert chosen(OF_MEN, "men", "kids") == ["kids", "men"]
    assert chosen(OF_MEN) == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_group_begins_from_the_samples_of_another(
    model: TinyModel, tmp_path: Path, kept: bool
) -> None:
    alone = OF_MEN.run(only="turned")
    assert list(alone) == ["men", "turned"]
    assert torch.equal(alone["turned"].latents, alone["men"].latents)
    if kept:
        OF_MEN.run(out=tmp_path, only="men")
    run = OF_MEN.run(out=tmp_path, only="turned")
    assert torch.equal(run["turned"].w, alone["turned"].w)
    assert len(list((tmp_path / "turned").glob("0*.png"))) == 5


def test_a_group_that_is_kept_is_not_made_again(model: TinyModel) -> None:
    kids = program(statement("kids", 3), edit())
    first = kids.run()
    again = kids.run(kept=first.groups)
    assert again["kids"] is first["kids"]
    assert again["edited"] is first["edited"]
    onwards = program(*kids.checked.statements, edit("edited", "more")).run(kept=first.groups)
    before, after = first["edited"].rows.edit_path, onwards["more"].rows.edit_path
    assert before is not None
    assert after is not None
    assert np.array_equal(after.w[:, :3], before.w)
    other_seed = program(statement("kids", 3, seed=8)).run(kept=first.groups)["kids"]
    assert other_seed is not first["kids"]
    more = program(statement("kids", 4)).run(kept=first.groups)["kids"]
    assert len(more) == 4


def test_a_random_seed_is_drawn_once_and_kept_by_the_run(model: TinyModel, tmp_path: Path) -> None:
    made = program(statement("kids", 3, seed="random"), statement("others", 3, seed="random"))
    first = made.run(out=tmp_path)
    again = made.run(out=tmp_path)
    for name in ("kids", "others"):
        assert again[name].record.seed == first[name].record.seed
        assert torch.equal(again[name].latents, first[name].latents)
    seeds = {made.run()[name].record.seed for name in ("kids", "others")}
    seeds |= {first[name].record.seed for name in ("kids", "others")}
    assert len(seeds) == 4
    changed = program(statement("kids", 3, seed="random", truncation=0.5))
    assert changed.run(out=tmp_path, replace=True)["kids"].record.seed not in seeds
    assert made.run(seed=5)["kids"].record.seed == 5


def test_a_random_seed_is_that_of_a_group_that_was_kept(model: TinyModel) -> None:
    """As at the prompt, where an edit begins from faces that are shown already."""
    kids = statement("kids", 3, seed="random")
    first = program(kids).run().groups
    edited = program(kids, edit("kids", "changed"))
    assert edited.run(kept=first)["kids"] is first["kids"]
    assert edited.run()["kids"].record.seed != first["kids"].record.seed

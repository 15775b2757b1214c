"""Grids that a run writes for the groups of its loops."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from tiny import TinyModel, edit, program, statement

import lacelang
from lacelang import ir
from lacelang.api import Program
from lacelang.engine.replay import Remaking
from lacelang.errors import UsageError
from lacelang.render.shown import image_lines
from lacelang.storage.png import XMP, texts_of
from lacelang.storage.reading import find_run


def looped(values: str = "123", **fields: object) -> Program:
    statements: list[ir.Statement] = []
    span = lacelang.errors.Span(3, 5, 3, 9)
    for value in values:
        turns = (ir.Turn("t", value),)
        statements.append(statement(f"at {value}", 2, span=span, turns=turns, **fields))
    return program(*statements)


def test_a_run_writes_a_grid_beside_the_folders_of_its_groups(
    model: TinyModel, tmp_path: Path
) -> None:
    run = looped().run(out=tmp_path)
    assert run.grids == (tmp_path / "grid_t.png",)
    with Image.open(run.grids[0]) as picture:
        assert picture.width > picture.height / 3 > 200
    # The same run again draws nothing anew; one that shows more does.
    before = run.grids[0].stat().st_mtime_ns
    assert looped().run(out=tmp_path).grids == run.grids
    assert run.grids[0].stat().st_mtime_ns == before
    looped("1234").run(out=tmp_path)
    assert run.grids[0].stat().st_mtime_ns != before
    assert len(find_run(tmp_path).groups) == 4


def test_a_grid_says_how_it_was_made_and_is_no_image_of_a_sample(
    model: TinyModel, tmp_path: Path
) -> None:
    grid = looped().run(out=tmp_path / "a").grids[0]
    said = lacelang.provenance(grid)
    assert (said.what, said.group, said.sample, said.condition) == ("grid", "at 1", None, None)
    assert "trainedAlgorithmicMedia" in texts_of(grid)[XMP]
    assert "grid of at 1 and other groups" in next(iter(image_lines(said)))
    with pytest.raises(UsageError, match="a grid of at 1 and other groups"):
        Remaking.of(grid)
    bare = looped().run(out=tmp_path / "b", metadata=False).grids[0]
    assert XMP not in texts_of(bare)
    with pytest.raises(UsageError, match="does not say"):
        lacelang.provenance(bare)


def test_a_group_is_the_same_inside_a_loop_and_outside(model: TinyModel, tmp_path: Path) -> None:
    inside = looped("1").run(out=tmp_path / "a")
    outside = program(statement("at 1", 2)).run(out=tmp_path / "b")
    assert inside["at 1"].record.fingerprint == outside["at 1"].record.fingerprint
    assert inside.grids == outside.grids == ()


def test_edits_in_loops_have_a_grid_too(model: TinyModel, tmp_path: Path) -> None:
    span = lacelang.errors.Span(4, 1, 4, 2)
    edits = [edit("kids", f"e {k}", span=span, turns=(ir.Turn("k", k),)) for k in "ab"]
    run = program(statement("kids", 2), *edits).run(out=tmp_path)
    assert run.grids == (tmp_path / "grid_k.png",)


def test_what_is_picked_from_a_loop_is_no_part_of_it(model: TinyModel, tmp_path: Path) -> None:
    groups = looped().checked.statements
    picked = ir.PickStatement("best", "at 2", groups[0].model, (1,))
    run = program(*groups, picked).run(out=tmp_path)
    assert [record.loop is not None for record in (g.record for g in run.groups.values())] == [
        *[True] * 3,
        False,
    ]


def test_somebody_elses_file_is_set_aside(model: TinyModel, tmp_path: Path) -> None:
    mine = tmp_path / "grid_t.png"
    Image.new("RGB", (8, 8)).save(mine)
    data = mine.read_bytes()
    looped().run(out=tmp_path)
    assert (tmp_path / "grid_t.png.damaged").read_bytes() == data
    assert mine.read_bytes() != data


def test_no_images_no_grid(model: TinyModel, tmp_path: Path) -> None:
    assert looped().run(out=tmp_path, images=False).grids == ()
    assert not list(tmp_path.glob("*.png"))


def test_a_part_of_a_loop_is_drawn_with_what_is_there(model: TinyModel, tmp_path: Path) -> None:
    looped().run(out=tmp_path)
    before = (tmp_path / "grid_t.png").read_bytes()
    run = looped("123", seed=9).run(out=tmp_path, only="at 2")
    # The others are of another seed, and no groups of this program.
    assert run.grids == ()
    assert (tmp_path / "grid_t.png").read_bytes() == before


LOOPS = {
    "numbers": ("for t in 2, 0.5", "where smile=1 temp t", ["2", "0.5"]),
    "units": ("for t in 10 deg, -5 deg", "where yaw=t", ["10 deg", "-5 deg"]),
    "words": ("for t in gray, blond", "where haircolor=t", ["gray", "blond"]),
    "a range": ("for t in 1..2", "seed t", ["1", "2"]),
    "texts": ('for t in "a", "b"', "", ["a", "b"]),
}


@pytest.mark.parametrize("kind", LOOPS)
def test_statements_know_their_turns(kind: str) -> None:
    loop, clauses, turns = LOOPS[kind]
    text = f'{loop} {{ sample 1 from ffhq {clauses} as "{{t}}" }}'
    statements = lacelang.compile(text).checked.statements
    assert [[turn.value for turn in each.turns] for each in statements] == [[t] for t in turns]
    assert len({each.span for each in statements}) == 1


def test_nested_turns_are_outermost_first_and_end_with_their_loop() -> None:
    text = """
    for a in 1..2 { for b in 3..4 { sample 1 from ffhq seed b as "{a} {b}" }
      sample 1 from ffhq seed a as "after {a}" }
    sample 1 from ffhq as out
    """
    found = {
        each.name: [(turn.variable, turn.value) for turn in each.turns]
        for each in lacelang.compile(text).checked.statements
    }
    assert found["2 3"] == [("a", "2"), ("b", "3")]
    assert found["after 2"] == [("a", "2")]
    assert found["out"] == []

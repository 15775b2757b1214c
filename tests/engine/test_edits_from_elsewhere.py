"""Edits of latents that no run of lacelang made: w, w+ and z in files of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tiny import GLASSES_1, TinyModel, edit, program, statement

from lacelang import ir
from lacelang.engine.result import Group
from lacelang.storage.latents import latents_of


def from_file(path: Path, array: NDArray[np.float32], psi: float = 0.7) -> ir.EditStatement:
    np.save(path, array)
    return edit(str(path), saved=ir.Saved(path, psi, 7))


def edited(statement: ir.EditStatement, out: Path | None = None) -> Group:
    return program(statement).run(out=out)["edited"]


@pytest.fixture
def kids(model: TinyModel) -> tuple[Group, Group]:
    """Five samples, and what an edit in the same program makes of them."""
    run = program(statement(where=None), edit()).run()
    return run["kids"], run["edited"]


@pytest.mark.parametrize("count", [1, 5])
def test_w_z_and_one_w_for_all_styles_are_edited_to_the_same_bits(
    kids: tuple[Group, Group], tmp_path: Path, count: int
) -> None:
    begun, expected = kids
    w = begun.w[:count].numpy()
    for name, array in (
        ("w.npy", w),
        ("z.npy", begun.latents[:count].numpy()),
        ("wp.npy", np.repeat(w[:, None], 18, axis=1)),
    ):
        found = edited(from_file(tmp_path / name, array))
        assert torch.equal(found.w, expected.w[:count]), name
        assert found.latents.shape == (count, 8)
        assert bool(found.latents.isnan().all()) == (name != "z.npy")


def test_w_is_taken_as_it_is_and_z_is_truncated(model: TinyModel, tmp_path: Path) -> None:
    array = np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 8)
    for name, factor in (("w.npy", 1.0), ("z.npy", 0.5)):
        idle = evolve(
            from_file(tmp_path / name, array, psi=0.5),
            steps=(ir.EditStep(evolve(GLASSES_1, weight=0.0)),),
        )
        expected = torch.from_numpy(np.repeat(factor * array[:, None], 3, axis=1))
        assert torch.equal(edited(idle).w, expected)


def test_styles_by_layer_are_kept_and_a_film_begins_with_their_picture(
    model: TinyModel, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    styles = rng.normal(size=(5, 3, 8)).astype(np.float32)
    statement = from_file(tmp_path / "wp.npy", styles)
    found = edited(statement, tmp_path / "out")
    (given,) = model.decode(styles[1:2])
    assert np.array_equal(np.asarray(found.films[1][0]), given)
    # The lines replace the first two of three styles.
    assert np.array_equal(found.w[:, 2].numpy(), styles[:, 2])
    edit_path = found.rows.rows(slice(None)).edit_path
    assert edit_path is not None
    moved = edit_path.w[:, -1] - edit_path.w[:, 0]
    assert np.abs(moved).max() > 0.1
    np.testing.assert_allclose(found.w[:, 0].numpy(), styles[:, 0] + moved, atol=1e-6)
    # What is on disk goes on as what is in memory, and is known when it is run again.
    kept = latents_of(load_file(tmp_path / "out" / "edited" / "latents-000000.safetensors"))
    assert kept is not None
    assert kept.z is None
    assert np.array_equal(kept.w, found.w)
    again = edited(statement, tmp_path / "out")
    assert torch.equal(again.w, found.w)
    assert len(list((tmp_path / "out" / "edited" / "edits").glob("*.png"))) == 5

    onwards = program(statement, edit("edited", "twice")).run()["twice"]
    saved = tmp_path / "out" / "edited"
    on_disk = ir.Saved(saved, 0.7, 7, again.record.fingerprint)
    alone = program(edit(str(saved), "twice", saved=on_disk)).run()["twice"]
    assert torch.equal(alone.w, onwards.w)
    file = saved / "latents-000000.safetensors"
    alone = program(edit(str(file), "twice", saved=ir.Saved(file, 0.7, 7))).run()["twice"]
    assert torch.equal(alone.w, onwards.w)


def test_where_nothing_is_wanted_no_style_moves(model: TinyModel, tmp_path: Path) -> None:
    styles = np.random.default_rng(1).normal(size=(3, 3, 8)).astype(np.float32)
    idle = evolve(
        from_file(tmp_path / "wp.npy", styles),
        steps=(ir.EditStep(evolve(GLASSES_1, weight=0.0)),),
    )
    assert np.array_equal(edited(idle).w.numpy(), styles)


def test_how_a_file_is_read_is_part_of_what_a_group_is_made_of(
    model: TinyModel, tmp_path: Path
) -> None:
    array = np.ones((2, 8), np.float32)
    known = {
        edited(from_file(tmp_path / name, array, psi)).record.fingerprint
        for name, psi in (("w.npy", 0.7), ("w.npy", 0.5), ("z.npy", 0.7), ("w2.npy", 0.7))
    }
    assert len(known) == 3


def test_numbers_of_any_size_end_without_a_traceback(model: TinyModel, tmp_path: Path) -> None:
    for size in (1e-30, 1e4, 1e20, 3e38):
        array = np.full((2, 8), size, np.float32)
        assert len(edited(from_file(tmp_path / "w.npy", array), tmp_path / "out")) == 2

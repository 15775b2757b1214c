"""Edited groups: what is made of them, what is kept, and what goes on from what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attrs import evolve
from made_runs import read_run
from PIL import Image
from safetensors.numpy import load_file, save_file
from tiny import AGE, AGE_40, GLASSES_1, TinyModel, edit, program, statement
from torch import Tensor

from lacelang import ir
from lacelang.errors import ResourceError
from lacelang.samplers.solution import Status
from lacelang.storage.latents import Latents, arrays_of, latents_of

PLAIN = statement(where=None)


def pixels(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.png"))}


def test_each_line_comes_to_hold_and_the_trail_says_how(model: TinyModel) -> None:
    run = program(PLAIN, edit()).run()
    kids, edited = run["kids"], run["edited"]
    assert edited.status == (Status.converged,) * 5
    assert (edited.readings["glasses=1"] > 0.9).all()
    assert ((edited.readings["age=40"] - 40).abs() < 1).all()
    assert edited.energy.shape == (5,)
    edit_path = edited.rows.edit_path
    assert edit_path is not None
    assert edit_path.w.shape == (5, 3, 8)
    # The first line replaces the first style, the second the first two.
    assert edit_path.taken.tolist() == [[0, 0, 0], [1, 0, 0], [2, 2, 0]]
    assert edited.w.shape == (5, 3, 8)
    assert np.array_equal(edited.w[:, 0].numpy(), edit_path.w[:, 2])
    assert torch.equal(edited.w[:, 2], kids.w)
    for sample in edited.record.samples:
        start, first, last = sample.steps
        assert (start.nfe, start.status) == (0, "converged")
        assert sample.nfe == first.nfe + last.nfe
        assert last.readings == sample.readings
        assert set(start.readings) == {"glasses=1", "age=40"}
    assert [len(film) for film in edited.films] == [3] * 5
    assert np.array_equal(np.asarray(edited.films[1][-1]), np.asarray(edited.images[1]))
    assert np.array_equal(np.asarray(edited.films[1][0]), np.asarray(kids.images[1]))


def test_where_nothing_is_wanted_nothing_moves(model: TinyModel) -> None:
    idle = (ir.EditStep(evolve(GLASSES_1, weight=0.0)), ir.EditStep(evolve(AGE_40, weight=0.0)))
    run = program(PLAIN, edit(steps=idle, held="all")).run()
    assert torch.equal(run["edited"].w, run["kids"].w[:, None].expand(-1, 3, -1))


def moved_to(age: ir.Equals, stay: float, typical: float) -> Tensor:
    """Edit coordinates (N, 8) before and after an edit of the age alone: (2, N, 8)."""
    options = {"tolerance": 1e-3, "typical": typical, "time": 2.0}
    line = edit(
        steps=(ir.EditStep(age),),
        stay=stay,
        hold=0.0,
        sampler=ir.SamplerChoice("exponential", options),
    )
    edited = program(PLAIN, line).run()["edited"]
    assert edited.status == (Status.converged,) * 5
    edit_path = edited.rows.edit_path
    assert edit_path is not None
    return torch.from_numpy(edit_path.w).double().transpose(0, 1) / PLAIN.truncation


# Of a step that wants an age: the weight of a number over twice the square of its spread, and the
# change of the age with an edit coordinate.
WANTED, SLOPE = 10.0 / (2 * 4.0**2), 10.0 * PLAIN.truncation
# A coordinate that moves by x moves w by 0.7 x, and both count.
BOTH = 1.0 + PLAIN.truncation**2
STAY = 3.0


@pytest.mark.parametrize("stay", [0.0, STAY, 10.0])
def test_stay_holds_back_by_its_share_and_only_what_is_wanted_moves(
    model: TinyModel, stay: float
) -> None:
    """The minimum of WANTED (SLOPE x - 5)^2 + stay BOTH (x - x_0)^2."""
    before, after = moved_to(AGE_40, stay, typical=0.0)
    spring = WANTED * SLOPE**2
    share = spring / (spring + stay * BOTH)
    expected = before.clone()
    # Age is read from the second coordinate alone: nothing pulls at the others.
    expected[:, 1] += share * (5.0 / SLOPE - before[:, 1])
    assert torch.allclose(after, expected, rtol=0, atol=0.02)


def test_the_bound_of_an_edit_is_as_soft_as_is_said(model: TinyModel) -> None:
    """Half the square of what is beyond the bound, over 0.05; a start beyond it is the bound."""
    typical = 1.2
    far = ir.Equals(AGE, 65.0, text="age=65")
    before, after = moved_to(far, STAY, typical)

    assert 0 < (before.square().mean(dim=1) > typical).sum() < 5

    def minimum(softness: float) -> Tensor:
        u = before.clone().requires_grad_()
        bound = before.square().mean(dim=1).clamp_min(typical)

        def energy() -> Tensor:
            beyond = (u.square().mean(dim=1) - bound).clamp_min(0.0) / softness
            missed = WANTED * (SLOPE * u[:, 1] - 30.0).square()
            rest = STAY * BOTH * (u - before).square().sum(dim=1)
            return (missed + rest + 0.5 * beyond.square()).sum()

        def closure() -> Tensor:
            optimizer.zero_grad()
            value = energy()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer = torch.optim.LBFGS(
            [u], max_iter=2000, tolerance_grad=1e-10, line_search_fn="strong_wolfe"
        )
        optimizer.step(closure)
        return u.detach()

    assert torch.allclose(after, minimum(0.05), rtol=0, atol=0.02)
    for other in (0.025, 0.1):
        assert (minimum(other) - after).abs().max() > 0.05


def test_a_later_line_supersedes_an_earlier_one_on_its_attribute(model: TinyModel) -> None:
    young = ir.Equals(AGE, 25.0, text="age=25")
    lines = tuple(map(ir.EditStep, (AGE_40, GLASSES_1, young)))
    edited = program(PLAIN, edit(steps=lines)).run()["edited"]
    assert set(edited.readings) == {"glasses=1", "age=25"}
    assert ((edited.readings["age=25"] - 25).abs() < 1).all()
    reached = [sample.steps[1].readings["age=40"] for sample in edited.record.samples]
    assert all(value is not None and abs(value - 40) < 1 for value in reached)


def test_a_folder_holds_faces_films_and_the_whole_way(model: TinyModel, tmp_path: Path) -> None:
    run = program(PLAIN, edit()).run(out=tmp_path)
    names = [p.relative_to(tmp_path / "edited") for p in (tmp_path / "edited").rglob("*.*")]
    assert sorted(map(str, names)) == [
        *(f"000{i}.png" for i in range(5)),
        *(f"edits/000{i}.png" for i in range(5)),
        "images.jsonl",
        "latents-000000.safetensors",
        "samples.jsonl",
        "sheet.png",
    ]
    record = read_run(tmp_path)
    assert record is not None
    assert record.complete
    group = record.groups[1]
    assert group == run["edited"].record
    assert [step.text for step in group.steps] == ["glasses=1", "age=40"]
    assert [step.layers for step in group.steps] == [(0, 5), (4, 8)]
    assert [[atom.text for atom in step.atoms] for step in group.steps] == [
        ["glasses=1"],
        ["glasses=1", "age=40"],
    ]
    with Image.open(tmp_path / "edited" / "edits" / "0000.png") as film:
        assert film.width == 2 * 28 + 3 * (256 + 16) - 16
    written = latents_of(load_file(tmp_path / "edited" / "latents-000000.safetensors"))
    assert written is not None
    assert written.edit_path is not None
    assert np.array_equal(written.edit_path.styles()[:, 0], written.w)


def test_an_interrupted_edit_goes_on_to_the_same_pixels(model: TinyModel, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    both = program(PLAIN, edit())
    both.run(out=whole)
    # Five faces of `kids`, then three pictures for each edited face.
    generator: Any = model.generator
    generator.decoded, generator.fail_at = 0, 5 + 3 + 2
    with pytest.raises(RuntimeError, match="decoder"):
        both.run(out=broken)
    generator.fail_at = None
    assert len(pixels(broken)) < len(pixels(whole))
    both.run(out=broken)
    assert pixels(broken) == pixels(whole)


def test_only_what_is_missing_is_painted_again(model: TinyModel, tmp_path: Path) -> None:
    both = program(PLAIN, edit())
    both.run(out=tmp_path)
    before = pixels(tmp_path)
    (tmp_path / "edited" / "edits" / "0003.png").unlink()
    (tmp_path / "edited" / "0001.png").unlink()
    generator: Any = model.generator
    generator.decoded = 0
    both.run(out=tmp_path)
    assert generator.decoded == 2 * 3
    assert pixels(tmp_path) == before


def test_fewer_samples_and_other_groups_delete_nothing(model: TinyModel, tmp_path: Path) -> None:
    program(PLAIN, edit()).run(out=tmp_path)
    films = tmp_path / "edited" / "edits"
    fewer = program(evolve(PLAIN, count=2), edit()).run(out=tmp_path)
    assert len(fewer["edited"]) == 2
    program(evolve(PLAIN, count=2)).run(out=tmp_path)
    assert len(list(films.glob("*.png"))) == 5


def test_an_edit_is_known_by_what_it_begins_from(model: TinyModel, tmp_path: Path) -> None:
    def known(*statements: ir.Statement) -> str:
        run = program(*statements).run(out=tmp_path)
        return run["edited"].record.fingerprint

    first = known(PLAIN, edit())
    assert known(evolve(PLAIN, name="men"), edit("men")) == first
    assert known(evolve(PLAIN, seed=8), edit()) != first
    assert known(PLAIN, edit(stay=0.1)) != first
    assert known(PLAIN, edit(steps=(ir.EditStep(GLASSES_1), ir.EditStep(AGE_40)))) != first


def test_an_edit_begins_from_a_saved_run(model: TinyModel, tmp_path: Path) -> None:
    together = program(PLAIN, edit(), edit("edited", "twice")).run(out=tmp_path / "first")

    def onwards(group: str) -> ir.EditStatement:
        folder = tmp_path / "first" / group
        fingerprint = together[group].record.fingerprint
        return edit(str(folder), "twice", saved=ir.Saved(folder, 0.7, 7, fingerprint))

    for group in ("kids", "edited"):
        alone = program(onwards(group)).run(out=tmp_path / group)["twice"]
        expected = together["edited" if group == "kids" else "twice"]
        assert torch.equal(alone.w, expected.w)
        assert alone.record.seed == 7
        assert len(list((tmp_path / group / "twice" / "edits").glob("*.png"))) == 5


def test_latents_of_another_kind_are_refused(model: TinyModel, tmp_path: Path) -> None:
    file = tmp_path / "latents-000000.safetensors"
    begun = program(edit("x", saved=ir.Saved(file, 0.7, 0)))
    with pytest.raises(ResourceError, match="no such file"):
        begun.run()
    z = np.zeros((2, 8), np.float32)
    save_file(arrays_of(Latents(z, np.zeros((2, 4), np.float32))), file)
    with pytest.raises(ResourceError, match="w has 8 numbers"):
        begun.run()

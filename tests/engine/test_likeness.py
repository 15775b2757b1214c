"""The part of an edit that keeps identity: what it gains, what it may not spend, row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tiny import TinyModel, edit, program, statement
from torch import Tensor
from torch.nn import functional as F

from lacelang.engine.likeness import STEPS, resembling
from lacelang.engine.loading import Model

PLAIN = statement(where=None)
DIRECTIONS = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


def who(styles: Tensor) -> Tensor:
    """A descriptor (N, 4) of styles (N, 3, 8): it sees the first style most."""
    seen = (styles * torch.tensor([1.0, 0.5, 0.1])[:, None]).sum(dim=1)
    return F.normalize(torch.tanh(seen @ DIRECTIONS), dim=1)


def said(u: Tensor) -> Tensor:
    """What is to stay, (N, 2) of coordinates (N, 8): one that is straight and one that is not."""
    return torch.stack([3.0 * u[:, 0], u[:, 1:4].square().sum(dim=1)], dim=1)


def goals(count: int) -> Tensor:
    return who(torch.randn(count, 3, 8, generator=torch.Generator().manual_seed(2)))


def toy(count: int, strength: float = 1.0, spoilt: int | None = None) -> tuple[Tensor, Tensor]:
    """Starts (N, 8) and where they move, (N, 3, 8)."""
    start = torch.randn(count, 8, generator=torch.Generator().manual_seed(1))
    goal = goals(count)

    def unlike(row: int) -> Callable[[Tensor], Tensor]:
        spoil = torch.nan if row == spoilt else 1.0
        return lambda u: (1.0 - (who(u[None]) * goal[row]).sum()) * spoil

    return start, resembling(start, 3, strength, said, unlike)


def test_faces_come_to_look_like_themselves_and_what_is_said_of_each_style_stays() -> None:
    start, moved = toy(6)
    begun = start[:, None].repeat(1, 3, 1)
    goal = goals(6)
    assert ((who(moved) * goal).sum(dim=1) > (who(begun) * goal).sum(dim=1) + 0.05).all()
    before, after = said(begun.flatten(0, 1)), said(moved.flatten(0, 1))
    assert (moved - begun).norm(dim=2).mean() > 0.5
    assert (after - before).abs().max() < 0.05


def test_styles_move_by_themselves() -> None:
    _, moved = toy(4)
    assert ((moved[:, 0] - moved[:, 2]).norm(dim=1) > 0.1).all()


def test_a_stronger_wish_goes_further() -> None:
    gone = []
    for strength in (0.0, 0.3, 1.0):
        start, moved = toy(6, strength)
        gone.append(float((moved - start[:, None]).norm(dim=2).mean()))
    assert gone[0] < 1e-6
    assert gone[0] < gone[1] < gone[2]


def test_a_sample_does_not_depend_on_its_neighbours() -> None:
    assert torch.equal(toy(5)[1][:2], toy(2)[1])


def test_a_sample_whose_gradient_is_not_finite_stays() -> None:
    start, moved = toy(3, spoilt=1)
    assert torch.equal(moved[1], start[1].expand(3, -1))
    assert torch.equal(moved[0], toy(3)[1][0])


def test_where_nothing_is_to_stay_the_same_or_nothing_may_move() -> None:
    start = torch.randn(2, 8, generator=torch.Generator().manual_seed(1))

    def unlike(row: int) -> Callable[[Tensor], Tensor]:
        return lambda u: (u[0] - 5.0).square().sum()

    free = resembling(start, 2, 1.0, lambda u: 0.0 * u[:, :1], unlike)
    assert ((free[:, 0] - 5.0).norm(dim=1) < (start - 5.0).norm(dim=1)).all()
    assert resembling(start, 0, 1.0, said, unlike).shape == (2, 0, 8)


@pytest.fixture
def seen(model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> TinyModel:
    """The tiny model with a network of identity."""

    def unlike(
        self: Model, before: Tensor, after: Tensor, said: Callable[[Tensor], Tensor]
    ) -> Callable[[Tensor], Tensor]:
        assert before.shape == after.shape == (1, 3, 8)
        # What the classifiers say of a w that somebody sees in an image.
        assert said(after[0]).shape[0] == 3
        return lambda styles: (1.0 - who(styles) @ who(before)[0]).sum()

    monkeypatch.setattr(Model, "unlike", unlike, raising=True)
    return model


def alike(run: Any) -> Tensor:
    edited, kids = run["edited"], run["kids"]
    first = kids.w[:, None].expand(-1, 3, -1)
    return (who(edited.w) * who(first)).sum(dim=1)


def test_an_edit_that_keeps_identity(seen: TinyModel) -> None:
    plain = program(PLAIN, edit()).run()
    kept = program(PLAIN, edit(keep=0.3)).run()
    assert (alike(kept) > alike(plain) - 1e-3).all()
    assert alike(kept).mean() > alike(plain).mean()
    edited = kept["edited"]
    assert (edited.readings["glasses=1"] > 0.8).all()
    assert ((edited.readings["age=40"] - 40).abs() < 2).all()
    path = edited.rows.rows(slice(None)).edit_path
    other = plain["edited"].rows.rows(slice(None)).edit_path
    assert path is not None
    assert other is not None
    # Only where the last line ends is another place, for every style that any line replaces.
    assert np.array_equal(path.w[:, :2], other.w[:, :2])
    assert path.taken.tolist() == [[0, 0, 0], [1, 0, 0], [2, 3, 0]]
    assert not np.array_equal(path.w[:, 2], path.w[:, 3])
    assert np.allclose(path.w[:, 4], path.w[:, 2:4].mean(axis=1), atol=1e-5)
    assert torch.equal(edited.w[:, 2], kept["kids"].w)
    for one, two in zip(edited.record.samples, plain["edited"].record.samples, strict=True):
        assert one.nfe == two.nfe + STEPS
    assert edited.record.settings["keep"] == {"identity": 0.3}
    assert "keep" not in plain["edited"].record.settings


def test_a_later_edit_keeps_what_sets_styles_apart(seen: TinyModel) -> None:
    run = program(PLAIN, edit(keep=1.0), edit("edited", "again")).run()
    before, after = run["edited"].w, run["again"].w
    assert not torch.equal(before, after)
    apart = before[:, 0] - before[:, 1]
    assert (apart.norm(dim=1) > 1e-3).all()
    assert torch.allclose(after[:, 0] - after[:, 1], apart, atol=1e-5)


def test_kept_samples_do_not_depend_on_how_many_there_are(seen: TinyModel) -> None:
    whole = program(PLAIN, edit(keep=1.0)).run()["edited"].w
    few = program(statement(where=None, count=2), edit(keep=1.0)).run()["edited"].w
    assert torch.equal(whole[:2], few)


def test_its_strength_is_part_of_what_a_group_depends_on(seen: TinyModel) -> None:
    prints = {
        program(PLAIN, edit(keep=keep)).run()["edited"].record.fingerprint
        for keep in (0.0, 1.0, 2.0)
    }
    assert len(prints) == 3

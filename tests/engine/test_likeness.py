"""The part of an edit that keeps identity: what it gains, what it may not spend, row by row."""

from __future__ import annotations

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
    """A descriptor (1, 4) of styles (1, 3, 8): it sees the first style most."""
    seen = (styles * torch.tensor([1.0, 0.5, 0.1])[:, None]).sum(dim=1)
    return F.normalize(torch.tanh(seen @ DIRECTIONS), dim=1)


def toy(count: int, strength: float = 1.0, spoilt: int | None = None) -> tuple[Tensor, Tensor]:
    """Starts (N, 8) and where they move, with an energy that wants the first coordinate kept."""
    start = torch.randn(count, 8, generator=torch.Generator().manual_seed(1))
    before = torch.randn(count, 3, 8, generator=torch.Generator().manual_seed(2))

    def energy(u: Tensor, row: int) -> Tensor:
        if row == spoilt:
            return u.sum(dim=1) * torch.nan
        return 50.0 * (u[:, 0] - start[row, 0]).square()

    def styles(u: Tensor, row: int) -> Tensor:
        return u[:, None].expand(-1, 3, -1)

    return start, resembling(start, strength, energy, styles, who, before)


def test_faces_come_to_look_like_themselves_and_conditions_hold() -> None:
    start, moved = toy(6)
    before = torch.randn(6, 3, 8, generator=torch.Generator().manual_seed(2))
    goal = who(before)

    def likeness(u: Tensor) -> Tensor:
        return (who(u[:, None].expand(-1, 3, -1)) * goal).sum(dim=1)

    assert (likeness(moved) > likeness(start)).all()
    assert (moved[:, 0] - start[:, 0]).abs().max() < 0.1 * (moved - start).abs().max()


def test_a_stronger_wish_costs_more_of_the_condition() -> None:
    spent = []
    for strength in (0.0, 1.0, 30.0):
        start, moved = toy(6, strength)
        spent.append(float((moved[:, 0] - start[:, 0]).abs().mean()))
    assert spent[0] < 1e-6
    assert spent[0] < spent[1] < spent[2]


def test_a_sample_does_not_depend_on_its_neighbours() -> None:
    assert torch.equal(toy(5)[1][:2], toy(2)[1])


def test_a_sample_whose_energy_is_not_finite_stays() -> None:
    start, moved = toy(3, spoilt=1)
    assert torch.equal(moved[1], start[1])
    assert torch.equal(moved[0], toy(3)[1][0])


@pytest.fixture
def seen(model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> TinyModel:
    """The tiny model with a network of identity."""
    monkeypatch.setattr(Model, "identified", lambda self, styles: who(styles), raising=True)
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
    assert not np.array_equal(path.w[:, 2], other.w[:, 2])
    assert path.taken.tolist() == [[0, 0, 0], [1, 0, 0], [2, 2, 0]]
    assert torch.equal(edited.w[:, 2], kept["kids"].w)
    for one, two in zip(edited.record.samples, plain["edited"].record.samples, strict=True):
        assert one.nfe == two.nfe + STEPS
    assert edited.record.settings["keep"] == {"identity": 0.3}
    assert "keep" not in plain["edited"].record.settings


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

"""The suite of sequential editing: what it edits, and how the baseline's frames come about."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from lacelang.evaluate.editing import DEFAULT, LINES, ORDERS, VARIANTS, _followed, _name, _program
from lacelang.evaluate.films import Film
from lacelang.program import compile
from lacelang.semantics import ir


def edits() -> dict[str, ir.EditStatement]:
    statements = compile(_program(4, 2)).checked.statements
    return {s.name: s for s in statements if isinstance(s, ir.EditStatement)}


def test_every_variant_is_an_edit_in_both_orders() -> None:
    found = edits()
    assert len(found) == len(ORDERS) * len(VARIANTS)
    for order, names in ORDERS.items():
        for variant in VARIANTS:
            edit = found[_name(order, variant)]
            spoken = [
                atom.attribute.name for s in edit.steps for atom in ir.comparisons(s.predicate)
            ]
            assert tuple(spoken) == names
            assert edit.group == ("people" if variant == DEFAULT else "fewer")
        paper = found[_name(order, "hold as in the paper")]
        assert (paper.held, paper.hold) == ("later", 0.01)
        assert not found[_name(order, "no reweighting")].reweight
        assert {s.replaced for s in found[_name(order, "all style layers")].steps} == {None}


class Straight:
    """Directions that move every face by one, and remember what for."""

    def __init__(self) -> None:
        self.followed: list[tuple[str, tuple[str, ...]]] = []

    def move(self, w: Tensor, where: ir.Predicate, held: tuple[str, ...]) -> Tensor:
        self.followed.append((where.text, held))
        return w + 1


def test_the_baseline_goes_on_from_where_each_line_ended_in_all_styles() -> None:
    order = next(iter(ORDERS))
    edit = edits()[_name(order, DEFAULT)]
    directions = Straight()
    begun = np.zeros((2, 3, 5), np.float32)
    frames = _followed(cast(Any, directions), edit, begun)
    assert frames.shape == (2, len(LINES), 3, 5)
    assert [frame.tolist() for frame in frames[0, :, 0, 0]] == [1.0, 2.0, 3.0, 4.0]
    assert torch.from_numpy(frames).std(dim=2).max() == 0
    assert [text for text, _ in directions.followed] == list(LINES.values())
    assert {held for _, held in directions.followed} == {tuple(LINES)}


def test_films_are_joined_moment_by_moment() -> None:
    def film(*moments: float) -> Film:
        column = np.tile(np.array(moments, np.float32), (3, 1))
        return Film(column[:, :, None, None], {"age": column}, column[..., None], column[..., None])

    whole = film(20).first(2).followed(film(30, 40).first(2))
    assert len(whole) == 2
    assert whole.at(0)["age"].tolist() == [20, 20]
    assert whole.at(2)["age"].tolist() == [40, 40]
    assert whole.identity.shape == (2, 3, 1)

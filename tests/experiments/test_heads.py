"""Separate networks taken apart, and codes that some labelled face shows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from experiments.specs.heads import CODES, ORDER, only, row_codes
from experiments.statements import named
from lacelang.api import compile
from lacelang.classifiers import labels
from lacelang.classifiers.classifier import Heads
from lacelang.engine.loading import labels_of
from lacelang.engine.truth import truth
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ContinuousAttribute

ATTRIBUTES = (
    BinaryAttribute("smile"),
    ChoiceAttribute("hair", ("black", "brown", "red")),
    ContinuousAttribute("yaw", low=-45, high=45),
)
SPEC = compile("sample from ffhq").samples[0].model


@pytest.mark.parametrize("names", [["hair"], ["smile", "yaw"], ["yaw"], ["smile", "hair", "yaw"]])
def test_some_of_the_networks_judge_as_among_the_others(names: list[str]) -> None:
    random = torch.Generator().manual_seed(0)
    heads = Heads(ATTRIBUTES, arrangement="separate", inputs=7)
    heads.initialise(random)
    for buffer in (heads.mean, heads.std, heads.gain, heads.shift):
        buffer.copy_(torch.rand(buffer.shape, generator=random) + 0.5)
    heads.sigma["yaw"] = 2.0
    w = torch.randn(9, 7, generator=random)
    part, whole = only(heads, names), heads(w)
    found = part(w)
    assert sorted(found) == sorted(names)
    for name in names:
        assert torch.allclose(found[name], whole[name], atol=1e-6)
    assert part.sigma == ({"yaw": 2.0} if "yaw" in names else {})


def test_every_code_is_shown_by_a_labelled_face() -> None:
    table = labels.load(labels_of(SPEC))
    codes = row_codes(SPEC, table, len(ORDER), faces=3)
    assert len(codes.codes) == CODES
    statements = compile(named(dict(enumerate(codes.statements("", 0))))).samples
    for statement in statements:
        assert statement.where is not None
        assert truth(statement.where, table.columns).any()


def test_fewer_attributes_are_the_first_of_the_same_faces() -> None:
    table = labels.load(labels_of(SPEC))
    two = row_codes(SPEC, table, 2, faces=1).codes
    five = row_codes(SPEC, table, 5, faces=1).codes
    assert all(b.condition.startswith(a.condition) for a, b in zip(two, five, strict=True))
    assert np.unique([code.condition for code in five]).size == CODES

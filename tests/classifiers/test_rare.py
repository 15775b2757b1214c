"""Rare combinations: drawn at random, kept if few rows show them."""

from __future__ import annotations

import numpy as np

from lacelang.classifiers.rare import Kind, combinations
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ContinuousAttribute

ANY = Kind(sizes=(2, 3), rare=0.01)

ATTRIBUTES = (
    BinaryAttribute("smile"),
    ChoiceAttribute("hair", ("black", "blond", "gray")),
    ContinuousAttribute("age", low=0, high=70, unit="years"),
    ContinuousAttribute("yaw", low=-45, high=45, unit="deg"),
)


def _columns(count: int = 2000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "smile": rng.integers(0, 2, count).astype(np.float32),
        "hair": rng.choice(3, count, p=[0.7, 0.29, 0.01]).astype(np.float32),
        "age": rng.normal(32, 13, count).astype(np.float32),
        "yaw": rng.normal(0, 12, count).astype(np.float32),
    }


def test_all_are_rare_and_different() -> None:
    columns = _columns()
    found = combinations(ATTRIBUTES, columns, 40, ANY, seed=1)
    assert len({str(c) for c in found}) == 40
    assert all(c.share(columns) < ANY.rare for c in found)
    assert {len(c.wanted) for c in found} == {2, 3}
    assert combinations(ATTRIBUTES, columns, 40, ANY, seed=1) == found


def test_energy_prefers_what_is_wanted() -> None:
    import torch

    (combination,) = combinations(ATTRIBUTES[:3], _columns(), 1, ANY, seed=2)
    wanted = {a.name: v for a, v in combination.wanted}
    node = combination.node({"age": 5.0})
    right = {
        "smile": torch.eye(2)[[int(wanted.get("smile", 0))]] * 5,
        "hair": torch.eye(3)[[int(wanted.get("hair", 0))]] * 5,
        "age": torch.tensor([float(wanted.get("age", 0.0))]),
    }
    wrong = {
        "smile": 5 - right["smile"],
        "hair": 5 - right["hair"],
        "age": right["age"] + 30,
    }
    assert node(right).item() < node(wrong).item()


def test_only_the_named_attributes_are_asked_for() -> None:
    kind = Kind(sizes=(2,), rare=0.05, among=("smile", "age"))
    found = combinations(ATTRIBUTES, _columns(), 5, kind, seed=3)
    assert found
    assert all([a.name for a, _ in c.wanted] == ["smile", "age"] for c in found)

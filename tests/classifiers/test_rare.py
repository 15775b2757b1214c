"""Rare combinations: drawn at random, kept if few rows show them."""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np
import torch

from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.rare import (
    EACH,
    Combination,
    Kind,
    Search,
    combinations,
    rounds,
)
from lacelang.generators import Layout
from lacelang.generators.generator import Generator
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ContinuousAttribute
from lacelang.progress import Silent

TRUNCATION = 0.7
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


def test_rounds_suit_the_number_of_attributes() -> None:
    assert [kind.sizes for kind in rounds(ATTRIBUTES[1:2])] == [(1,), (1,)]
    assert [kind.sizes for kind in rounds(ATTRIBUTES)] == [(2, 3), (3,), (2, 3), (2, 3)]
    # Those that programs combine most are chosen from where a model has some of them.
    assert not any(kind.among for kind in rounds(ATTRIBUTES))
    faces = tuple(map(BinaryAttribute, ("smile", "glasses", "gender", "hat")))
    assert {kind.among for kind in rounds(faces)} == {(), ("smile", "glasses", "gender")}


class _Signs:
    """A class with the logit 4 x, x the first number of w, and a number that is the second."""

    sigma: ClassVar = {"age": 5.0}

    def __call__(self, w: torch.Tensor) -> dict[str, torch.Tensor]:
        smile = torch.stack([torch.zeros(len(w)), 4 * w[:, 0]], dim=1)
        return {"smile": smile, "age": 35 + 15 * w[:, 1]}


def test_exact_draws_follow_the_posterior() -> None:
    generator = Generator(Layout(latent_dim=2, w_dim=2, style_layers=((0,),)), torch.nn.Identity())
    smile, _, age, _ = ATTRIBUTES
    often = Combination(((smile, 1.0), (age, 35.0)))
    never = Combination(((smile, 1.0), (age, 300.0)))
    search = Search(generator, cast(Heads, _Signs()), 1, Silent(), TRUNCATION, pool=4000)
    found = search.chosen([often] * 50 + [never], 51 * EACH)
    z = found.z * TRUNCATION  # w
    # Age is a normal prior of deviation 15 * 0.7 = 10.5 times a normal likelihood of 5.
    drawn = z[: 50 * EACH, 1]
    assert abs(drawn.std() * 15 - (10.5**-2 + 5.0**-2) ** -0.5) < 0.4
    assert (z[: 50 * EACH, 0] > 0).mean() > 0.8
    # What no draw shows is answered with those that come nearest, and not with fewer.
    assert len(found) == 51 * EACH
    assert z[50 * EACH :, 1].min() > z[: 50 * EACH, 1].max() - 1.0


def test_flows_end_at_the_combination() -> None:
    generator = Generator(Layout(latent_dim=2, w_dim=2, style_layers=((0,),)), torch.nn.Identity())
    smile, _, age, _ = ATTRIBUTES
    wanted = [Combination(((smile, v), (age, 40.0))) for v in (0.0, 1.0)]
    found = Search(generator, cast(Heads, _Signs()), 1, Silent(), TRUNCATION).moved(
        wanted, 2 * EACH
    )
    first = found.z[:, 0].reshape(2, EACH)
    assert (first[0] < 0).mean() > 0.9
    assert (first[1] > 0).mean() > 0.9

"""Latent-JEM: its chains sample the energy that they should, and its training flattens it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from attrs import evolve
from torch import Tensor

from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.labels import Examples
from lacelang.classifiers.latent_jem import Chains, Likelihood, marginal, train
from lacelang.classifiers.training import PAPER
from lacelang.classifiers.training import train as train_classifiers
from lacelang.ir import BinaryAttribute, ContinuousAttribute

DIM = 4
ATTRIBUTES = (BinaryAttribute("smile"), ContinuousAttribute("yaw", low=-45, high=45))


class Plain:
    """A generator whose w is its z, and that truncates nothing."""

    latent_dim = DIM

    def mapping(self, z: Tensor) -> Tensor:
        return z

    def truncate(self, w: Tensor, psi: Tensor) -> Tensor:
        return w


class Slope:
    """Two logits, 0 and a times the first coordinate."""

    def __init__(self, a: float) -> None:
        self.a = a

    def __call__(self, w: Tensor) -> dict[str, Tensor]:
        return {"smile": torch.stack([torch.zeros(len(w)), self.a * w[:, 0]], dim=1)}


def test_marginal_is_minus_the_sum_of_logsumexp_over_discrete_heads() -> None:
    outputs = {"a": torch.tensor([[0.0, 1.0]]), "b": torch.tensor([[2.0, 2.0, 2.0]])}
    expected = -(math.log(1 + math.e) + 2 + math.log(3))
    assert marginal({**outputs, "yaw": torch.tensor([7.0])}).item() == pytest.approx(expected)


def test_chains_sample_the_energy() -> None:
    # (1 + e^(a z)) N(0, 1) is a mixture of N(0, 1) and N(a, 1) with odds 1 to e^(a^2 / 2).
    a = 1.5
    share = 1 / (1 + math.exp(-(a**2) / 2))
    chains = Chains(step=0.05, steps=60, count=3000, buffer=3000, renewed=0.0)
    likelihood = Likelihood(Plain(), 0, chains)
    for _ in range(3):
        likelihood(Slope(a))
    z = likelihood._z
    # Four standard errors, and what steps of 0.05 add to a variance.
    spread = math.sqrt(1 + share * (1 - share) * a**2)
    assert z[:, 0].mean().item() == pytest.approx(share * a, abs=4 * spread / math.sqrt(3000))
    assert z[:, 0].std().item() == pytest.approx(spread, rel=0.08)
    assert z[:, 1].std().item() == pytest.approx(1.0, rel=0.08)


def test_the_loss_rises_with_what_the_logits_add_to_the_prior() -> None:
    # Chains go where logsumexp is large, draws from the prior do not.
    chains = Chains(step=0.05, steps=60, count=1000, buffer=1000, renewed=0.0)
    steep = Likelihood(Plain(), 0, chains)(Slope(1.5)).item()
    flat = Likelihood(Plain(), 0, chains)(Slope(0.0)).item()
    assert flat == pytest.approx(0.0, abs=1e-6)
    assert steep > 0.5


def labelled(count: int) -> Examples:
    rng = np.random.default_rng(0)
    w = rng.standard_normal((count, DIM)).astype(np.float32)
    columns = {"smile": (w[:, 0] > 0).astype(np.float32), "yaw": 10 * w[:, 1]}
    return Examples(w, columns, np.zeros(count, bool))


def unevenness(heads: Heads) -> float:
    w = torch.randn(2000, DIM, generator=torch.Generator().manual_seed(5))
    return float(marginal(heads(w)).std())


def test_training_learns_and_flattens_the_marginal() -> None:
    recipe = evolve(PAPER, epochs=10)
    plain = train_classifiers(labelled(800), ATTRIBUTES, recipe=evolve(recipe, calibrate=False))
    chains = Chains(steps=5, count=64, buffer=500)
    result = train(labelled(800), ATTRIBUTES, Plain(), recipe, chains=chains)
    assert unevenness(result.heads) < 0.7 * unevenness(plain.heads)
    assert result.report["attributes"]["smile"]["prior"]["accuracy"] > 0.9
    assert torch.equal(result.heads.gain[:2], torch.ones(2))
    assert json.loads(json.dumps(result.report))["latent_jem"]["buffer"] == 500

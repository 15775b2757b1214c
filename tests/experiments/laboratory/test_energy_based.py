"""Losses of energy-based models against formulas, and chains on energies that are known."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from experiments.laboratory import train_energies
from experiments.laboratory.data import Pictures
from experiments.laboratory.energy_based import (
    EnergyNetwork,
    Replay,
    conditional_loss,
    jem_loss,
    joint_energy,
    langevin,
    marginal_energy,
)
from experiments.laboratory.train_energies import Model, Training, generated, main, trained
from lacelang.progress import Silent

RANDOM = torch.Generator().manual_seed(0)
REAL, FAKE = (3 * torch.randn(5, 10, generator=RANDOM) for _ in range(2))
CLASSES, ASKED = torch.tensor([0, 3, 9, 3, 1]), torch.tensor([2, 2, 0, 7, 8])


def logsumexp(row: Tensor) -> float:
    return math.log(sum(math.exp(float(f)) for f in row))


def test_jem_s_loss_is_cross_entropy_and_the_contrast_of_marginal_energies() -> None:
    total = 0.0
    for n in range(5):
        total += logsumexp(REAL[n]) - float(REAL[n, CLASSES[n]])
        total += -logsumexp(REAL[n]) + logsumexp(FAKE[n])
    assert float(jem_loss(REAL, CLASSES, FAKE)) == pytest.approx(total / 5, rel=1e-5)


def test_the_conditional_loss_is_the_contrast_of_energies_kept_small() -> None:
    total = 0.0
    for n in range(5):
        low, high = -float(REAL[n, CLASSES[n]]), -float(FAKE[n, ASKED[n]])
        total += low - high + 0.3 * (low**2 + high**2)
    found = conditional_loss(REAL, CLASSES, FAKE, ASKED, small=0.3)
    assert float(found) == pytest.approx(total / 5, rel=1e-5)


def test_energies_of_shifted_logits_are_shifted() -> None:
    for energy in (marginal_energy, lambda f: joint_energy(f, CLASSES)):
        torch.testing.assert_close(energy(REAL + 2.0), energy(REAL) - 2.0)


def test_a_chain_without_noise_descends() -> None:
    """x ← x − step/2 · 2 (x − 0.5): the distance shrinks by 1 − step with each of three steps."""
    x = torch.zeros(2, 1, 3, 3)
    found = langevin(lambda x: (x - 0.5).square().flatten(1).sum(1), x, 3, step=0.2, noise=0.0)
    torch.testing.assert_close(found, torch.full_like(x, 0.5 - 0.5 * 0.8**3))


def test_chains_of_matched_noise_sample_the_energy() -> None:
    """Noise √step is Langevin dynamics of temperature 1: deviation 0.2 of (x / 0.2)² / 2."""
    torch.manual_seed(0)

    def energy(x: Tensor) -> Tensor:
        return 0.5 * (x / 0.2).square().flatten(1).sum(1)

    found = langevin(energy, torch.zeros(500, 1, 4, 4), 200, step=4e-3, noise=4e-3**0.5)
    assert float(found.std()) == pytest.approx(0.2, rel=0.05)
    assert float(found.mean()) == pytest.approx(0, abs=0.02)


def test_chains_stay_within_images() -> None:
    found = langevin(lambda x: -100 * x.flatten(1).sum(1), torch.zeros(1, 1, 2, 2), 3)
    assert torch.equal(found, torch.ones(1, 1, 2, 2))


def test_the_replay_buffer_keeps_where_chains_ended() -> None:
    torch.manual_seed(0)
    replay = Replay(1, kept=40)
    rows, begun, classes = replay.begin(16)
    assert len(rows.unique()) == 16
    assert torch.equal(classes, rows % 10)
    same = (begun == replay.images[rows]).flatten(1).all(1)
    assert 8 < int(same.sum()) <= 16
    replay.end(rows, torch.full_like(begun, 0.25), torch.full_like(classes, 4))
    assert (replay.images[rows] == 0.25).all()
    left = torch.tensor([k for k in range(40) if k not in rows.tolist()])
    assert not (replay.images[left] == 0.25).all(dim=(1, 2, 3)).any()
    of_four = replay.of(torch.full((50,), 4))
    fours = replay.images[replay.classes == 4]
    assert all((image == fours).flatten(1).all(1).any() for image in of_four)


def test_a_class_of_which_the_buffer_has_none_begins_anywhere() -> None:
    replay = Replay(1, kept=20)
    replay.classes.fill_(3)
    assert replay.of(torch.tensor([5, 5, 3])).shape == (3, 1, 32, 32)


@pytest.fixture
def data() -> Pictures:
    pixels = torch.zeros(20, 1, 32, 32, dtype=torch.uint8)
    pixels[::2, :, :16] = 255
    return Pictures(pixels, torch.arange(20) % 2)


def test_the_command_trains_both_once(
    data: Pictures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    monkeypatch.setattr(train_energies, "pictures", lambda *_: data)
    monkeypatch.setattr(train_energies, "BATCH", 4)
    assert main(["--steps", "2"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "JEM",
        "Cond-EBM",
    ]
    monkeypatch.setattr(train_energies, "pictures", None)
    model, _ = trained("JEM", "fashion", Silent(), steps=2)
    images, classes = generated(model, 2, chain=2, seed=0)
    assert images.shape == (20, 1, 32, 32)
    assert images.abs().max() <= 1
    assert torch.equal(images, generated(model, 2, chain=2, seed=0)[0])
    assert classes.bincount().tolist() == [2] * 10


@pytest.mark.parametrize("name", train_energies.NAMES)
def test_a_step_changes_the_network_and_the_buffer(name: str, data: Pictures) -> None:
    training = Training(name, data, batch=4)
    before = (
        training.model.network.head.weight.detach().clone(),
        training.model.replay.images.clone(),
    )
    training.step()
    assert not torch.equal(before[0], training.model.network.head.weight)
    changed = (before[1] != training.model.replay.images).flatten(1).any(1)
    assert int(changed.sum()) == 4


def test_networks_take_grey_and_coloured_images() -> None:
    for channels in (1, 3):
        assert EnergyNetwork(channels)(torch.zeros(2, channels, 32, 32)).shape == (2, 10)
        assert Model(channels).replay.images.shape[1] == channels

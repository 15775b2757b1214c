"""LACE and Latent-JEM on an unconditional generator: the loss, the energies, the samplers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from experiments.laboratory import train_latent, train_style_gan
from experiments.laboratory.data import Pictures
from experiments.laboratory.judges import Judge, Judges, Reader
from experiments.laboratory.latent import (
    METHODS,
    Latents,
    StyleClassifier,
    jem_loss,
    latent_energy,
    named,
    walk,
)
from experiments.laboratory.style_gan import LATENT, StyleGenerator
from lacelang.progress import Silent


@pytest.fixture(scope="module")
def made_up() -> Latents:
    torch.manual_seed(0)
    generator, classifier = StyleGenerator(1).eval(), StyleClassifier().eval()
    with torch.no_grad():
        classifier.standardise_by(generator.styles(torch.randn(500, LATENT)))
        classifier.body[-1].weight.mul_(20)  # classes that differ
    return Latents(generator, classifier)


def logits_of(latents: Latents, z: Tensor) -> Tensor:
    with torch.no_grad():
        return latents.classifier(latents.generator.styles(z))


def test_latent_jem_s_loss_is_cross_entropy_and_the_contrast_of_energies() -> None:
    torch.manual_seed(0)
    logits, z = 2 * torch.randn(3, 10), torch.randn(3, LATENT)
    fake, chains = 2 * torch.randn(2, 10), torch.randn(2, LATENT)
    classes = torch.tensor([1, 5, 5])

    def energy(z: Tensor, f: Tensor) -> float:
        return 0.5 * float((z**2).sum()) - math.log(sum(math.exp(float(x)) for x in f))

    wanted = sum(energy(z[n], logits[n]) for n in range(3)) / 3
    wanted -= sum(energy(chains[n], fake[n]) for n in range(2)) / 2
    for n in range(3):
        total = math.log(sum(math.exp(float(x)) for x in logits[n]))
        wanted += (total - float(logits[n, classes[n]])) / 3
    assert float(jem_loss(logits, classes, z, fake, chains)) == pytest.approx(wanted, rel=1e-4)


def test_chains_of_constant_logits_keep_the_prior() -> None:
    torch.manual_seed(0)
    z = torch.randn(2000, 4)
    for _ in range(10):
        z = walk(lambda z: torch.zeros(len(z), 10), z, 0.05)
    assert float(z.std()) == pytest.approx(1, abs=0.04)
    assert float(latent_energy(torch.zeros(2000, 10), z).mean()) == pytest.approx(
        2 - math.log(10), abs=0.12
    )


def test_the_energy_of_a_class_is_its_surprisal_or_the_joint_s_conditional(
    made_up: Latents,
) -> None:
    z = torch.randn(5, LATENT)
    logits = logits_of(made_up, z)
    plain, _ = made_up.energy(3).value_and_grad(z)
    torch.testing.assert_close(plain, -logits.log_softmax(1)[:, 3], atol=1e-4, rtol=1e-4)
    joint = Latents(made_up.generator, made_up.classifier, joint=True)
    torch.testing.assert_close(
        joint.energy(3).value_and_grad(z)[0], -logits[:, 3], atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("how", ["LACE-ODE", "LACE-LD"])
def test_samples_of_a_class_are_of_that_class(
    how: str, made_up: Latents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "LACE-LD", named("langevin", steps=120, step=0.1, noise=0.01))
    seen = []
    monkeypatch.setattr(
        StyleGenerator, "forward", lambda self, z: seen.append(z) or torch.zeros(len(z), 1)
    )
    _, classes = made_up.sample(how, 1, seed=1)
    found = logits_of(made_up, seen[0]).argmax(1)
    assert (found == classes).float().mean() > 0.9


def test_every_method_is_a_sampler_that_runs(made_up: Latents) -> None:
    assert {name.split(",")[0] for name in METHODS} == {
        *("LACE-ODE", "LACE-euler", "LACE-LD", "LACE-PC", "Latent-JEM"),
    }


def test_the_command_trains_all_classifiers_once(
    data: Pictures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    monkeypatch.setattr(train_style_gan, "pictures", lambda *_: data)
    found = Judges(Judge(1).eval(), Reader(1).eval(), (0.0, 0.0))
    monkeypatch.setattr(train_latent, "judges", lambda *_: found)
    monkeypatch.setattr(train_latent, "LABELLED", 30)
    monkeypatch.setattr(train_latent, "STEPS", 3)
    monkeypatch.setattr(
        train_latent, "trained", lambda *_: train_style_gan.trained("fashion", Silent(), 1)
    )
    assert train_latent.main([]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        *("w", "joint", "z", "pixels"),
    ]
    monkeypatch.setattr(train_latent, "judges", None)
    one, seconds = train_latent.latents("fashion", "joint", Silent())
    assert one.joint
    assert seconds >= 0

"""Latent-JEM's joint energy, and what is said where its classifiers are not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from attrs import evolve
from torch import Tensor

from experiments import latent_jem
from lacelang.api import compile
from lacelang.energy import Outputs
from lacelang.errors import ResourceError

DIM = 5


class Linear:
    """A model whose heads are linear in z."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.sigma = {"age": 5.0}
        random = torch.Generator().manual_seed(0)
        self.smile, self.glasses = torch.randn(2, DIM, 2, generator=random)
        self.haircolor = torch.randn(DIM, 5, generator=random)
        self.generator = self
        self.latent_dim = DIM

    def features(self, truncation: float) -> Callable[[Tensor], Outputs]:
        return lambda z: {
            "smile": z @ self.smile,
            "glasses": z @ self.glasses,
            "haircolor": z @ self.haircolor,
            "age": 30 + 5 * z[:, 0],
        }


def test_attributes_that_are_asked_for_give_their_logit_and_the_others_are_summed_out() -> None:
    (statement,) = compile("sample 3 from ffhq where smile=1 and haircolor=gray and age=40").samples
    model = Linear()
    z = torch.randn(6, DIM, generator=torch.Generator().manual_seed(1))
    outputs = model.features(0.7)(z)
    expected = (
        -outputs["smile"][:, 1]
        - outputs["haircolor"][:, 3]
        - torch.logsumexp(outputs["glasses"], dim=1)
        + (outputs["age"] - 40) ** 2 / (2 * 5.0**2)
    )
    energy = latent_jem.joint_energy(statement, model)
    assert torch.allclose(energy(z).float(), expected, atol=1e-4)
    _, gradient = energy.value_and_grad(z)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0.1


def test_a_draw_is_a_function_of_seed_and_index() -> None:
    (few,) = compile("sample 2 from ffhq where smile=1 seed 4").samples
    many = evolve(few, count=3)
    model = Linear()
    short, long = (latent_jem.solve(each, model, 0.1) for each in (few, many))
    assert torch.allclose(short.z, long.z[:2], atol=1e-5)


def test_missing_classifiers_say_how_to_train_them(tmp_path: Path) -> None:
    spec = evolve(compile("sample from ffhq").samples[0].model, path=tmp_path)
    with pytest.raises(ResourceError, match="Latent-JEM") as caught:
        latent_jem.with_jem(spec)
    assert "lacelang train ffhq --latent-jem --out ffhq.jem.safetensors" in str(caught.value)

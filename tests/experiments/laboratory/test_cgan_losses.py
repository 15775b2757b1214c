"""The terms of the unified objective, against their formulas written out image by image."""

from __future__ import annotations

import math

import pytest
import torch
from attrs import evolve
from torch import Tensor
from torch.nn import functional as F

from experiments.laboratory.cgan import (
    FAMILY,
    Objective,
    contrastive,
    discriminator_loss,
    generator_loss,
)
from experiments.laboratory.dcgan import CLASSES, EMBEDDING, LATENT, Discriminator, Generator, Seen

COUNT = 12


def seen(seed: int) -> tuple[Seen, Tensor]:
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    anchors = F.normalize(
        torch.randn(CLASSES, EMBEDDING, generator=torch.Generator().manual_seed(0))
    )
    found = Seen(
        2 * normal(COUNT, CLASSES),
        2 * normal(COUNT),
        F.normalize(normal(COUNT, EMBEDDING)),
        anchors,
    )
    return found, torch.randint(4, (COUNT,), generator=random)


REAL, REAL_CLASSES = seen(1)
FAKE, FAKE_CLASSES = seen(2)


def hinge(on_real: list[float], on_fake: list[float]) -> float:
    pairs = zip(on_real, on_fake, strict=True)
    return sum(max(0.0, 1 - r) + max(0.0, 1 + f) for r, f in pairs) / COUNT


def joint(one: Seen, classes: Tensor) -> list[float]:
    """f(x)[y], image by image."""
    return [float(one.joint[n, int(classes[n])]) for n in range(COUNT)]


def marginal(one: Seen) -> list[float]:
    """log Σ_k exp f(x)[k], image by image."""
    return [math.log(sum(math.exp(float(f)) for f in row)) for row in one.joint]


def own(one: Seen) -> list[float]:
    return [float(value) for value in one.own]


def projected(one: Seen, classes: Tensor) -> list[float]:
    return [a + b for a, b in zip(own(one), joint(one, classes), strict=True)]


def missed(one: Seen, classes: Tensor) -> float:
    """−log softmax f(x)[y], the mean."""
    pairs = zip(joint(one, classes), marginal(one), strict=True)
    return sum(m - j for j, m in pairs) / COUNT


def contrasted(one: Seen, classes: Tensor) -> float:
    total = 0.0
    for i in range(COUNT):
        anchor = math.exp(float(one.embedding[i] @ one.anchors[int(classes[i])]))
        pairs = {
            k: math.exp(float(one.embedding[i] @ one.embedding[k])) for k in range(COUNT) if k != i
        }
        alike = sum(value for k, value in pairs.items() if classes[k] == classes[i])
        total -= math.log((anchor + alike) / (anchor + sum(pairs.values())))
    return total / COUNT


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


EXPECTED = {
    "ACGAN": (
        hinge(own(REAL), own(FAKE)) + missed(REAL, REAL_CLASSES) + missed(FAKE, FAKE_CLASSES),
        -mean(own(FAKE)) + missed(FAKE, FAKE_CLASSES),
    ),
    "ProjGAN": (
        hinge(projected(REAL, REAL_CLASSES), projected(FAKE, FAKE_CLASSES)),
        -mean(projected(FAKE, FAKE_CLASSES)),
    ),
    "ContraGAN": (
        hinge(own(REAL), own(FAKE)) + contrasted(REAL, REAL_CLASSES),
        -mean(own(FAKE)) + contrasted(FAKE, FAKE_CLASSES),
    ),
}
_JOINT = (
    hinge(joint(REAL, REAL_CLASSES), joint(FAKE, FAKE_CLASSES)),
    -mean(joint(FAKE, FAKE_CLASSES)),
)
_MARGINAL = hinge(marginal(REAL), marginal(FAKE)), -mean(marginal(FAKE))
EXPECTED["ECGAN-U"] = _JOINT[0] + _MARGINAL[0], _JOINT[1] + _MARGINAL[1]
EXPECTED["ECGAN-UC"] = EXPECTED["ECGAN-U"][0] + missed(REAL, REAL_CLASSES), EXPECTED["ECGAN-U"][1]
EXPECTED["ECGAN-UCE"] = (
    EXPECTED["ECGAN-UC"][0] + contrasted(REAL, REAL_CLASSES),
    EXPECTED["ECGAN-UC"][1] + contrasted(FAKE, FAKE_CLASSES),
)


@pytest.mark.parametrize("name", sorted(FAMILY))
def test_each_name_is_its_published_objective(name: str) -> None:
    of_discriminator, of_generator = EXPECTED[name]
    found = discriminator_loss(FAMILY[name], REAL, REAL_CLASSES, FAKE, FAKE_CLASSES)
    assert float(found) == pytest.approx(of_discriminator, rel=1e-5)
    found = generator_loss(FAMILY[name], FAKE, FAKE_CLASSES)
    assert float(found) == pytest.approx(of_generator, rel=1e-5)


def test_each_term_counts_by_its_weight() -> None:
    whole = FAMILY["ECGAN-UCE"]
    nothing = Objective(0, 0, 0, 0)

    def loss(objective: Objective) -> float:
        return float(discriminator_loss(objective, REAL, REAL_CLASSES, FAKE, FAKE_CLASSES))

    assert loss(nothing) == 0
    terms = ("conditional", "unconditional", "classifier", "contrastive")
    alone = {term: loss(evolve(nothing, **{term: 1.0})) for term in terms}
    assert sum(alone.values()) == pytest.approx(loss(whole), rel=1e-5)
    for term in terms:
        more = loss(evolve(whole, **{term: 3.0})) - loss(whole)
        assert more == pytest.approx(2 * alone[term], rel=1e-4)


def test_the_contrastive_term_is_finite_where_cosines_are_divided_by_little() -> None:
    assert torch.isfinite(contrastive(REAL, REAL_CLASSES, temperature=1e-3))


def test_the_classifier_term_teaches_only_acgan_s_generator() -> None:
    assert [name for name, each in FAMILY.items() if each.on_generated] == ["ACGAN"]
    assert generator_loss(FAMILY["ECGAN-UC"], FAKE, FAKE_CLASSES) == generator_loss(
        FAMILY["ECGAN-U"], FAKE, FAKE_CLASSES
    )


def test_shapes_and_ranges_of_the_networks() -> None:
    torch.manual_seed(0)
    classes = torch.arange(4)
    for channels in (1, 3):
        images = Generator(channels)(torch.randn(4, LATENT), classes)
        assert images.shape == (4, channels, 32, 32)
        assert images.abs().max() <= 1
        found = Discriminator(channels)(images)
        assert found.joint.shape == (4, CLASSES)
        assert found.own.shape == (4,)
        torch.testing.assert_close(found.embedding.norm(dim=1), torch.ones(4))
        torch.testing.assert_close(found.anchors.norm(dim=1), torch.ones(CLASSES))


def test_the_class_changes_the_image_of_the_same_latent() -> None:
    torch.manual_seed(0)
    generator = Generator(1)
    for norm in generator.norms:
        torch.nn.init.normal_(norm.shift.weight)
    z = torch.randn(1, LATENT).expand(2, -1)
    first, second = generator.eval()(z, torch.tensor([3, 4]))
    assert not torch.allclose(first, second)

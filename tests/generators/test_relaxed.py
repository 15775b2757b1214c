from __future__ import annotations

import pytest
import torch

from lacelang.generators.relaxed import RelaxedClass


@pytest.mark.parametrize("classes", [1, 2, 8, 10, 1000])
def test_weights_of_classes(classes: int) -> None:
    g = torch.randn(64, classes, generator=torch.Generator().manual_seed(1))
    weights = RelaxedClass(classes)(g)
    assert weights.shape == g.shape
    assert (weights >= 0).all()
    assert torch.allclose(weights.sum(1), torch.ones(64))
    assert torch.equal(weights.argmax(1), g.argmax(1))


def test_classes_are_equally_frequent_and_nearly_certain() -> None:
    g = torch.randn(20_000, 10, generator=torch.Generator().manual_seed(2))
    weights = RelaxedClass(10)(g)
    assert (weights.mean(0) - 0.1).abs().max() < 0.01
    assert (weights.amax(1) > 0.95).float().mean() == pytest.approx(0.735, abs=0.02)


def test_a_gradient_changes_the_class() -> None:
    g = torch.zeros(1, 3, requires_grad=True)
    torch.log(RelaxedClass(3)(g)[0, 2]).backward()
    assert g.grad is not None
    assert g.grad[0, 2] > 0 > g.grad[0, 0]

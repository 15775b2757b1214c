"""What every generator promises, as checks: each takes an `Architecture`, raises AssertionErrors.

For an architecture that has weights, take the checks from `with_weights`.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from lacelang.generators import Architecture
from lacelang.generators.declaration import Weights
from lacelang.generators.generator import Generator
from lacelang.testing import Check, Contract, refused

CONTRACT = Contract()

SEED = 7


def with_weights(weights: Weights) -> dict[str, Check]:
    """Return the checks of an architecture that is loaded from these weights."""
    return {name: partial(check, weights=weights) for name, check in CONTRACT.items()}


def _loaded(architecture: Architecture, weights: Weights) -> tuple[Generator, Tensor]:
    """The generator on a CPU, and three w."""
    generator = architecture.load(weights, torch.device("cpu"), threads=1)
    random = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        w = generator.mapping(torch.randn(3, generator.latent_dim, generator=random))
    return generator, w


@CONTRACT
def it_is_what_its_layout_says(architecture: Architecture, weights: Weights = None) -> None:
    """Sizes of z, w and styles are those declared; w is differentiable in z."""
    layout = architecture.layout_for(weights)
    assert layout is not None
    generator, w = _loaded(architecture, weights)
    assert architecture.name.isidentifier()
    assert architecture.doc
    assert generator.latent_dim == layout.latent_dim
    assert generator.style_layers == layout.style_layers
    assert generator.style_count == len(layout.style_layers)
    assert w.shape == (3, layout.w_dim)
    assert generator.w_mean.shape == generator.deviations.shape == (layout.w_dim,)
    z = torch.zeros(1, layout.latent_dim).requires_grad_()
    assert generator.mapping(z + 0.1).sum().requires_grad


@CONTRACT
def truncation_goes_to_the_mean(architecture: Architecture, weights: Weights = None) -> None:
    """ψ = 1 leaves w as it is, ψ = 0 gives its mean, and each row may have its own.

    It may leave some columns as they are, such as a class, but not all.
    """
    generator, w = _loaded(architecture, weights)
    assert torch.allclose(generator.truncate(w, 1.0), w, atol=1e-5)
    least = generator.truncate(w, 0.0)
    to_mean = torch.isclose(least, generator.w_mean.expand_as(w)).all(dim=0)
    assert to_mean.any()
    assert torch.equal(least[:, ~to_mean], w[:, ~to_mean])
    rows = generator.truncate(w, torch.tensor([[0.0], [0.5], [1.0]]))
    assert torch.allclose(rows[1], (w[1] + least[1]) / 2, atol=1e-5)
    assert torch.allclose(generator.untruncate(generator.truncate(w, 0.5), 0.5), w, atol=1e-4)


@CONTRACT
def colour_inverts_whiten(architecture: Architecture, weights: Weights = None) -> None:
    """`colour` is the inverse of `whiten`, and whitened draws of the prior have variance 1."""
    generator, w = _loaded(architecture, weights)
    assert torch.allclose(generator.colour(generator.whiten(w)), w, atol=1e-3)
    random = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        many = generator.mapping(torch.randn(4096, generator.latent_dim, generator=random))
    assert 0.5 < generator.whiten(many).square().mean() < 2.0


@CONTRACT
def images_are_the_same_in_any_batch(architecture: Architecture, weights: Weights = None) -> None:
    """In order, uint8 (H, W, 3), the same bits alone, among others and again, of w and of w+."""
    generator, w = _loaded(architecture, weights)
    whole = list(generator.decode(w))
    assert len(whole) == 3
    for image in whole:
        assert image.dtype == np.uint8
        assert image.shape == (*whole[0].shape[:2], 3)
    assert not np.array_equal(whole[0], whole[1])
    (alone,) = generator.decode(w[2:])
    assert np.array_equal(alone, whole[2])
    styles = w[:, None].repeat(1, generator.style_count, 1)
    assert all(map(np.array_equal, generator.decode(styles), whole))
    assert list(generator.decode(w[:0])) == []


@CONTRACT
def another_shape_of_w_is_refused(architecture: Architecture, weights: Weights = None) -> None:
    """A w that is not of the layout is a ValueError."""
    generator, w = _loaded(architecture, weights)
    with refused(ValueError, "w of twice the length"):
        list(generator.decode(torch.cat([w, w], dim=1)))

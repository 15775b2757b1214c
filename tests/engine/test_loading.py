"""A loaded model, whatever the caller was doing when it was first asked something."""

from __future__ import annotations

import torch
from tiny import TinyGenerator

import lacelang
from lacelang.engine.loading import Model


def test_classifiers_first_used_without_gradients_have_some_later() -> None:
    spec = lacelang.compile("sample from ffhq").samples[0].model
    model = Model(spec, TinyGenerator(), torch.device("cpu"))
    w = torch.zeros(2, 512)
    with torch.inference_mode():
        model.judge(w, w)
    w.requires_grad_()
    model.judge(w, w)["age"].sum().backward()
    assert w.grad is not None
    assert w.grad.any()


def test_edits_move_halfway_between_w_and_whitened_w() -> None:
    generator = TinyGenerator()
    generator.deviations = torch.tensor([4.0, 4.0, 4.0, 4.0, 1.0, 1.0, 1.0, 0.25])
    generator.w_mean = torch.linspace(-1.0, 1.0, 8)
    model = Model(
        lacelang.compile("sample from ffhq").samples[0].model, generator, torch.device("cpu")
    )
    w = torch.randn(5, 8, generator=torch.Generator().manual_seed(2))
    u = model.place(w, 0.5)
    assert torch.allclose(model.placed(u, 0.5), w, atol=1e-5)
    untruncated = generator.w_mean + (w - generator.w_mean) / 0.5
    assert torch.allclose(model.whitened(u), generator.whiten(untruncated), atol=1e-5)
    # Between 1 and the whitened unit, s, in w's own: their geometric mean, but for one scale.
    units = (model.placed(torch.eye(8), 1.0) - generator.w_mean).diagonal()
    scale = generator.deviations.square().mean().sqrt()
    assert torch.allclose(units.square(), generator.deviations * scale, rtol=1e-5)


def test_coordinates_first_used_without_gradients_have_some_later() -> None:
    spec = lacelang.compile("sample from ffhq").samples[0].model
    model = Model(spec, TinyGenerator(), torch.device("cpu"))
    with torch.inference_mode():
        model.place(torch.zeros(2, 8), 0.5)
    u = torch.zeros(2, 8, requires_grad=True)
    model.placed(u, 0.5).sum().backward()
    assert u.grad is not None
    assert u.grad.all()

"""A loaded model, whatever the caller was doing when it was first asked something."""

from __future__ import annotations

import torch
from tiny import TinyGenerator

import lacelang
from lacelang.runtime.loading import Model


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

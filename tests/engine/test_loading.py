"""A loaded model, whatever the caller was doing when it was first asked something."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from tiny import TinyGenerator, TinyModel

import lacelang
from lacelang.engine import loading
from lacelang.engine.loading import Model
from lacelang.progress import Silent


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
    u = model.to_edit_coordinates(w, 0.5)
    assert torch.allclose(model.from_edit_coordinates(u, 0.5), w, atol=1e-5)
    untruncated = generator.w_mean + (w - generator.w_mean) / 0.5
    assert torch.allclose(model.whitened(u), generator.whiten(untruncated), atol=1e-5)
    # Between 1 and the whitened unit, s, in w's own: their geometric mean, but for one scale.
    units = (model.from_edit_coordinates(torch.eye(8), 1.0) - generator.w_mean).diagonal()
    scale = generator.deviations.square().mean().sqrt()
    assert torch.allclose(units.square(), generator.deviations * scale, rtol=1e-5)


def test_coordinates_first_used_without_gradients_have_some_later() -> None:
    spec = lacelang.compile("sample from ffhq").samples[0].model
    model = Model(spec, TinyGenerator(), torch.device("cpu"))
    with torch.inference_mode():
        model.to_edit_coordinates(torch.zeros(2, 8), 0.5)
    u = torch.zeros(2, 8, requires_grad=True)
    model.from_edit_coordinates(u, 0.5).sum().backward()
    assert u.grad is not None
    assert u.grad.all()


def test_results_are_made_once_and_the_oldest_goes_first() -> None:
    model, made = TinyModel(), []

    def get(key: int, of: Model = model) -> str:
        return of.remembered(key, lambda: made.append(key) or str(key))  # type: ignore[func-returns-value]

    assert [get(k) for k in (0, 1, 0)] == ["0", "1", "0"]
    assert made == [0, 1]
    for key in range(2, 9):
        get(key)
    get(8)
    assert made == list(range(9))
    get(0)
    assert made[-1] == 0
    get(8, of=TinyModel())
    assert made[-1] == 8


def test_what_fails_is_not_remembered() -> None:
    model = TinyModel()

    def broken() -> int:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        model.remembered("a", broken)
    assert model.remembered("a", lambda: 5) == 5


def test_a_model_is_loaded_once_and_goes_when_it_is_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = lacelang.compile("sample from ffhq").samples[0].model
    models: list[weakref.ref[Model]] = []

    def load(*_: object) -> Model:
        model = TinyModel()
        models.append(weakref.ref(model))
        return model

    monkeypatch.setattr(loading, "_load", load)
    lacelang.release()
    assert loading.load(spec, "cpu", Silent()) is loading.load(spec, "cpu", Silent())
    assert len(models) == 1
    lacelang.release()
    gc.collect()
    assert models[0]() is None
    loading.load(spec, "cpu", Silent())
    assert len(models) == 2
    lacelang.release()

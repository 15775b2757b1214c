"""StyleFlow: the gated layer, the density, the inverse, attributes as rows, training."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from experiments.laboratory.loop import resumable
from experiments.styleflow import flow as flows
from experiments.styleflow import sampling
from experiments.styleflow.flow import Attributes, Gated, MovingNorm, StyleFlow
from experiments.styleflow.train import Faces, Training
from lacelang import ir
from lacelang.api import compile
from lacelang.errors import UsageError
from lacelang.progress import Silent

ATTRIBUTES = (
    ir.BinaryAttribute("smile"),
    ir.ChoiceAttribute("haircolor", ("black", "blond", "gray")),
    ir.ContinuousAttribute("age", 0.0, 70.0, "years"),
)
COLUMNS = {
    "smile": torch.tensor([0.0, 1.0, 1.0, 1.0]),
    "haircolor": torch.tensor([0.0, 1.0, 2.0, math.nan]),
    "age": torch.tensor([7.0, 35.0, 35.0, 63.0]),
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "WIDTH", 8)
    torch.manual_seed(0)


def small(size: int = 3, given: int = 2) -> StyleFlow:
    found = StyleFlow(size, given).eval()
    with torch.no_grad():
        for each in found.dynamics.parameters():
            each.mul_(1.5)
        found.norm.mean.copy_(torch.randn(size))
        found.norm.deviation.copy_(0.5 + torch.rand(size))
    return found


def test_a_gated_layer_is_its_formula() -> None:
    layer = Gated(3, 4, 2)
    x, c = torch.randn(5, 3), torch.randn(5, 2)
    gate = 1 / (1 + torch.exp(-(c @ layer.gate.weight.T + layer.gate.bias)))
    wanted = (x @ layer.linear.weight.T + layer.linear.bias) * gate + c @ layer.shift.weight.T
    torch.testing.assert_close(layer(x, c), wanted)


def test_backwards_is_the_inverse_of_forwards() -> None:
    flow = small()
    u, rows = torch.randn(20, 3), torch.randn(20, 2)
    z = flow.forwards(u, rows)
    assert (z - u).abs().mean() > 0.1
    torch.testing.assert_close(flow.backwards(z, rows), u, atol=2e-3, rtol=1e-3)


def test_the_density_is_that_of_the_jacobian(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = small()
    u, rows = torch.randn(1, 3), torch.randn(1, 2)

    def forwards(x: Tensor) -> Tensor:
        # As `forwards`, differentiably: RK4 of many steps.
        at = flow.norm(x[None])[0]
        steps = 200
        for k in range(steps):
            t, h = torch.tensor(k / steps), 1 / steps
            a = flow.dynamics(t, at, rows)
            b = flow.dynamics(t + h / 2, at + h / 2 * a, rows)
            c = flow.dynamics(t + h / 2, at + h / 2 * b, rows)
            d = flow.dynamics(t + h, at + h * c, rows)
            at = at + h / 6 * (a + 2 * b + 2 * c + d)
        return at[0]

    jacobian = torch.autograd.functional.jacobian(forwards, u[0])
    z = forwards(u[0])
    wanted = -0.5 * float((z @ z).detach()) - 1.5 * math.log(2 * math.pi)
    wanted += float(torch.linalg.slogdet(jacobian)[1])
    # With the unit vectors as directions, their mean times d is the trace itself.
    found = []
    for k in range(3):
        probe = math.sqrt(3) * torch.eye(3)[k : k + 1]
        monkeypatch.setattr(torch, "randn_like", lambda _, p=probe: p)
        monkeypatch.setattr(flows, "half_precision", lambda: torch.autocast("cpu", enabled=False))
        found.append(float(flow.log_likelihood(u.clone(), rows, steps=50)[0].detach()))
    assert sum(found) / 3 == pytest.approx(wanted, abs=2e-3)


def test_the_norm_follows_what_it_sees_and_is_inverted() -> None:
    norm = MovingNorm(2).train()
    x = torch.tensor([5.0, -3.0]) + torch.tensor([2.0, 0.1]) * torch.randn(4000, 2)
    for _ in range(1500):
        y, det = norm(x)
    torch.testing.assert_close(norm.inverse(y), x, atol=1e-4, rtol=1e-4)
    assert float(y.mean()) == pytest.approx(0, abs=0.02)
    assert float(det) == pytest.approx(-math.log(2.0) - math.log(0.1), abs=0.1)


def test_attributes_are_standardised_rows_and_what_was_not_seen_is_the_mean() -> None:
    attributes = Attributes(ATTRIBUTES, COLUMNS)
    rows = attributes.rows(COLUMNS)
    assert rows.shape == (4, 1 + 3 + 1)
    torch.testing.assert_close(rows.mean(0), torch.zeros(5), atol=1e-6, rtol=0)
    assert rows[3, attributes.place("haircolor")].tolist() == [0.0, 0.0, 0.0]
    assert attributes.place("age") == slice(4, 5)
    with pytest.raises(KeyError):
        attributes.place("hat")


def test_what_is_asked_for_replaces_what_the_labels_had() -> None:
    spec = compile("sample 1 from ffhq").samples[0].model
    columns = {each.name: torch.rand(50).round() for each in spec.attributes}
    attributes = Attributes(spec.attributes, columns)
    (statement,) = compile("sample 2 from ffhq where smile=1 and age=35").samples
    rows = attributes.rows(columns)[:2]
    assert isinstance(statement.where, ir.And)
    found = attributes.asked(rows, list(statement.where.terms))
    smile, age = attributes.place("smile"), attributes.place("age")
    raw = found * attributes.deviation + attributes.mean
    assert raw[:, smile].flatten().tolist() == pytest.approx([1.0, 1.0])
    assert raw[:, age].flatten().tolist() == pytest.approx([0.5, 0.5], abs=1e-5)
    others = [k for k in range(attributes.size) if k not in (smile.start, age.start)]
    torch.testing.assert_close(found[:, others], rows[:, others])


def test_only_conjunctions_of_values_can_be_asked_for() -> None:
    (statement,) = compile("sample 2 from ffhq where smile=1 or age=35").samples
    with pytest.raises(UsageError, match="conjunctions"):
        sampling.sampled(statement, SimpleNamespace())  # type: ignore[arg-type]


def test_an_edit_replaces_the_published_layers_alone() -> None:
    layers = [(0,), (1, 2), (4,), (5, 6), (9,)]
    assert sampling.replaced(layers, ["smile"]).tolist() == [False, False, True, True, False]
    assert sampling.replaced(layers, ["yaw", "smile"]).tolist() == [True, True, True, True, False]
    assert sampling.replaced(layers, ["width"]).all()


def test_a_resumed_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    faces = Faces(torch.randn(40, 3), torch.randn(40, 2))

    def run(path: Path, steps: int) -> list[Tensor]:
        torch.manual_seed(1)
        training = Training(StyleFlow(3, 2), faces, batch=8)
        resumable(path, training.parts, training.step, steps, Silent(), every=2)
        return [each.clone() for each in training.result.state_dict().values()]

    whole = run(tmp_path / "whole", 4)
    run(tmp_path / "stopped", 2)
    for one, other in zip(whole, run(tmp_path / "stopped", 4), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.slow
def test_training_finds_what_attributes_say() -> None:
    """u = (a, noise): the flow's density of u under the right attribute is higher."""
    a = torch.randn(2000, 1)
    u = torch.cat([2 * a + 0.3 * torch.randn(2000, 1), torch.randn(2000, 1)], dim=1)
    training = Training(StyleFlow(2, 1), Faces(u, a), batch=128)
    for number in range(400):
        training.step(number)
    flow = training.network.eval()
    right = flow.log_likelihood(u[:500].clone(), a[:500]).mean()
    wrong = flow.log_likelihood(u[:500].clone(), -a[:500]).mean()
    assert float(right - wrong) > 1
    found = flow.backwards(torch.randn(500, 2), a[:500])
    assert float(torch.corrcoef(torch.stack([found[:, 0], a[:500, 0]]))[0, 1]) > 0.9

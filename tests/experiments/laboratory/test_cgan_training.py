"""Training that is stopped and resumed, and a training of five minutes that must learn."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.laboratory import loop, train_cgan
from experiments.laboratory.cgan import FAMILY
from experiments.laboratory.data import Pictures
from experiments.laboratory.loop import Stateful, resumable
from experiments.laboratory.measures import measures
from experiments.laboratory.train_cgan import Training, generated, main, trained
from lacelang.errors import ResourceError
from lacelang.progress import Silent


def weights(training: Training) -> list[torch.Tensor]:
    return [each.clone() for each in training.result.state_dict().values()]


def test_a_resumed_training_ends_with_the_same_weights(data: Pictures, tmp_path: Path) -> None:
    def run(path: Path, steps: int) -> Training:
        training = Training("ECGAN-UCE", data, seed=1, batch=4)
        resumable(path, training.parts, training.step, steps, Silent(), every=2)
        return training

    whole = run(tmp_path / "whole", 4)
    run(tmp_path / "stopped", 2)
    torch.manual_seed(99)
    resumed = run(tmp_path / "stopped", 4)
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    # Nothing is left to do.
    for one, other in zip(weights(resumed), weights(run(tmp_path / "stopped", 4)), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_parts_may_have_any_name(tmp_path: Path) -> None:
    def run(path: Path, steps: int) -> float:
        torch.manual_seed(0)
        layer = torch.nn.Linear(1, 1)
        optimiser = torch.optim.Adam(layer.parameters(), lr=0.1)

        def step(_: int) -> None:
            optimiser.zero_grad()
            (layer(torch.ones(1, 1)) - torch.randn(())).square().sum().backward()
            optimiser.step()

        parts: dict[str, Stateful] = {"steps": optimiser, "seconds": layer}
        resumable(path, parts, step, steps, Silent(), every=2)
        return float(layer.weight.detach())

    whole = run(tmp_path / "whole", 4)
    run(tmp_path / "stopped", 2)
    assert run(tmp_path / "stopped", 4) == whole


def test_a_damaged_checkpoint_is_named(data: Pictures, tmp_path: Path) -> None:
    path = tmp_path / "bad.checkpoint"
    path.write_bytes(b"no checkpoint")
    training = Training("ACGAN", data, seed=1, batch=4)
    with pytest.raises(ResourceError, match=r"bad\.checkpoint"):
        resumable(path, training.parts, training.step, 1, Silent())


def test_the_command_trains_what_is_named_once(
    data: Pictures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    monkeypatch.setattr(train_cgan, "pictures", lambda *_: data)
    assert main(["ProjGAN", "--seeds", "1", "2", "--steps", "1"]) == 0
    assert capsys.readouterr().out.count("ProjGAN, seed") == 2
    files = sorted(path.name for path in (tmp_path / "laboratory" / "cgan").glob("[!.]*"))
    assert files == ["fashion-ProjGAN-1-1.safetensors", "fashion-ProjGAN-2-1.safetensors"]
    monkeypatch.setattr(train_cgan, "pictures", None)
    generator, seconds = trained("ProjGAN", "fashion", 1, Silent(), steps=1)
    images, classes = generated(generator, 2, seed=0)
    assert images.shape == (20, 1, 32, 32)
    assert classes.tolist() == [k for k in range(10) for _ in range(2)]
    assert seconds > 0


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("name", sorted(FAMILY))
def test_five_minutes_teach_classes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six tenths of the budget: far closer to real images than an untrained generator. Classes
    are obeyed more than by chance where the conditional term is, which is learned first.
    """
    monkeypatch.delenv("LACELANG_DATA", raising=False)
    monkeypatch.setattr(loop, "cache_dir", lambda: tmp_path)
    of = measures("fashion").of
    untrained = of(*generated(trained(name, "fashion", 1, Silent(), steps=1)[0], 50, seed=0))
    found = of(*generated(trained(name, "fashion", 1, Silent(), steps=600)[0], 50, seed=0))
    assert found.fid < 0.6 * untrained.fid
    if FAMILY[name].conditional:
        assert found.acc is not None
        assert found.acc > 0.2

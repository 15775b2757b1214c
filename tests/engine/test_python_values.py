"""What comes from Python: values of other number types."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TinyModel, program, statement

from lacelang import UsageError
from lacelang.engine import loading
from lacelang.storage.provenance import read


@pytest.mark.parametrize(
    "seed", [5, np.int64(5), np.uint8(5), np.array(5), torch.tensor(5)], ids=repr
)
def test_a_seed_of_any_whole_number_type(model: TinyModel, seed: object, tmp_path: Path) -> None:
    plain = program(statement()).run(seed=5)["kids"]
    same = program(statement()).run(seed=seed, out=tmp_path)["kids"]  # type: ignore[arg-type]
    assert torch.equal(same.latents, plain.latents)
    assert same.record.fingerprint == plain.record.fingerprint


@pytest.mark.parametrize("seed", [True, np.True_, 5.0, "5", -1, 2**63, np.array([5]), [5], {}])
def test_another_seed_is_refused(model: TinyModel, seed: object) -> None:
    with pytest.raises(UsageError, match="seed"):
        program(statement()).run(seed=seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [("out", ""), ("out", 3), ("out", b"x"), ("device", "gpu"), ("device", 3), ("only", 5)],
)
def test_other_arguments_are_refused_by_name(model: TinyModel, name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        program(statement()).run(**{name: value})  # type: ignore[arg-type]


def test_energies_of_any_float_type(model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "load", lambda spec, device, progress: model)
    energy = program(statement()).energy("kids")
    z = torch.randn(3, 8, generator=torch.Generator().manual_seed(0)).half()
    expected = energy(z.float())
    for dtype in (torch.float16, torch.float32, torch.float64):
        given = z.to(dtype).clone().requires_grad_()
        found = energy(given)
        assert torch.allclose(found.float(), expected, rtol=1e-5)
        (gradient,) = torch.autograd.grad(found.sum(), given)
        assert gradient.dtype == dtype
        assert energy.prior(given).shape == (3,)
    assert torch.equal(energy(z.float().numpy()), expected)
    assert energy(torch.zeros(0, 8)).shape == (0,)
    wrong = [torch.zeros(8), torch.zeros(2, 7), torch.zeros(2, 8, dtype=torch.int64), [[0.0] * 8]]
    for z_wrong in (
        *wrong,
        None,
        np.zeros((2, 8), np.int64),
        torch.zeros(2, 8, dtype=torch.cfloat),
    ):
        for function in (energy, energy.prior, energy.value_and_grad):
            with pytest.raises(UsageError):
                function(z_wrong)


class Unhashable(str):
    """A text that is no key of a mapping, and cannot be shown."""

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_a_group_by_any_text_and_nothing_else(model: TinyModel) -> None:
    run = program(statement()).run()
    for text in ("kids", np.str_("kids"), np.array("kids"), Unhashable("kids")):
        assert run[text] is run.groups["kids"]  # type: ignore[index]
    wrong = [
        None, 0, b"kids", ["kids"], ("kids",), slice(1), np.array(["kids"]), 10**5000,
        torch.tensor(0), Unhashable("men"), np.nan, {},
    ]  # fmt: skip
    for name in wrong:
        with pytest.raises(UsageError, match=r"the run has no group .*; its groups: kids"):
            run[name]  # type: ignore[index]


@pytest.mark.parametrize("size", [1, 300_000])
def test_a_program_with_halves_of_characters_in_a_comment(
    model: TinyModel, tmp_path: Path, size: int
) -> None:
    source = "sample from ffhq where glasses=1  # \ud800" + "\udfff" * size
    made = program(statement(count=1), source=source)
    made.run(out=tmp_path)
    assert "?" in json.loads((tmp_path / "run.json").read_text())["program"]["source"]
    said = read(tmp_path / "kids" / "0000.png")
    assert said is not None
    assert str(said.program).rstrip("\n").endswith("??")
    made.run(out=tmp_path)

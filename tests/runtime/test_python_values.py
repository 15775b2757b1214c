"""What comes from Python: values of other number types, pickles and copies."""

from __future__ import annotations

import copy
import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TinyModel, program, statement

import lacelang
from lacelang import LaceError, UsageError, errors
from lacelang.runtime import loading

KINDS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LaceError)
]


def made(kind: type[LaceError]) -> LaceError:
    if issubclass(kind, errors.ProgramError):
        with pytest.raises(errors.ProgramError) as caught:
            lacelang.compile("sample from ffhq where frown=1 and smile=3", "p.lace")
        return caught.value
    if issubclass(kind, errors.ResourceError):
        return kind("no space", "free some")  # type: ignore[arg-type]
    return kind("wrong")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_errors_are_pickled_and_copied_whole(kind: type[LaceError]) -> None:
    error = made(kind)
    copies = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(2, 6)]
    for other in (*copies, copy.copy(error), copy.deepcopy(error)):
        assert type(other) is kind
        assert str(other) == str(error)
        assert other.__dict__ == error.__dict__
        assert other.exit_code == error.exit_code


def test_programs_conditions_and_groups_are_pickled(model: TinyModel, tmp_path: Path) -> None:
    compiled = lacelang.compile("sample 3 from ffhq where glasses=1 seed 2 as g")
    group = compiled.run(out=tmp_path)["g"]
    for make in (copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))):
        again = make(compiled).run()["g"]
        assert torch.equal(again.latents, group.latents)
        kept = make(group)
        assert torch.equal(kept.w, group.w)
        assert kept.record == group.record
        assert np.array_equal(np.asarray(kept.images[0]), np.asarray(group.images[0]))
        run = make(compiled.run())
        assert list(run) == ["g"]
        condition = lacelang.attr("glasses") == 1
        assert repr(make(condition)) == repr(condition)
    in_memory = pickle.loads(pickle.dumps(compiled.run()["g"]))
    with pytest.raises(UsageError, match="run its program again"):
        _ = in_memory.images
    assert len(copy.deepcopy(compiled.run()["g"]).images) == 3


def test_an_energy_says_why_it_is_not_pickled(
    model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "load", lambda spec, device, progress: model)
    energy = program(statement()).energy("kids")
    assert copy.deepcopy(energy) is energy
    with pytest.raises(TypeError, match="pickle its program"):
        pickle.dumps(energy)


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

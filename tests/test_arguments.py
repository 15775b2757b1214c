"""Every argument of the public functions: as the plain value, or refused by its name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import torch

import lacelang
from lacelang import LaceError, UsageError, arguments, attr
from lacelang.api import Program
from lacelang.energy import ConditionalEnergy
from lacelang.errors import ProgramError


class OfAnotherMind:
    """A value that fails at whatever it is asked."""

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("no words")


class Lost:
    """A path that is none."""

    def __fspath__(self) -> Any:
        return 3


NAN = [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), np.float16("inf")]
HUGE = [10**5000, -(10**400), Fraction(10**400), Decimal("1e999")]
ARRAYS = [np.zeros(2), np.array([5]), np.array(["a", "b"]), torch.zeros(3), np.zeros((0, 2))]
ODD = [
    None, True, np.True_, torch.tensor(True), 5, -1, 0.5, np.int64(5), np.float32(0.5), 1j, "x",
    "", "a b", "two\nlines", "\0", "\ud800", b"x", bytearray(b"x"), [], ["x"], [3], (), {}, {3: 4},
    {"x": None}, object(), int, Lost(), OfAnotherMind(), torch.tensor(5, device="meta"),
    torch.device("cpu"), torch.device("cuda:1"), np.datetime64(5, "s"), np.timedelta64(5, "s"),
    np.array(5, object), torch.tensor(1j), Path("x"), lambda: 3, iter(["x"]),
    *NAN, *HUGE, *ARRAYS,
]  # fmt: skip

a = attr("age") > 60
WHAT: dict[str, tuple[Callable[..., object], dict[str, object]]] = {
    "compile": (lacelang.compile, {"source": "sample from ffhq"}),
    "sampling": (lacelang.sampling, {"model": "ffhq", "sampler": "heun"}),
    "condition": (lacelang.condition, {"text": "age > 60"}),
    "attr": (attr, {"name": "age"}),
    "between": (attr("age").between, {"low": 1, "high": 2}),
    "isin": (attr("age").isin, {"values": [1]}),
    "degree": (attr("smile").degree, {"degree": 0.5}),
    "weight": (a.weight, {"weight": 2}),
    "temp": (a.temp, {"temp": 2}),
    "logit_temp": (a.logit_temp, {"temp": 2}),
    "implies": (a.implies, {"other": a}),
}


def refusal(function: Callable[[Any], object], value: object) -> LaceError | None:
    """What a value is refused with, if it is."""
    try:
        function(value)
    except LaceError as error:
        return error
    return None


EACH = [
    pytest.param(name, parameter, id=f"{name}-{parameter}")
    for name, (function, _) in WHAT.items()
    for parameter in inspect.signature(function).parameters
]


@pytest.mark.parametrize(("name", "parameter"), EACH)
def test_any_value_works_or_is_refused_by_name(name: str, parameter: str) -> None:
    function, plain = WHAT[name]
    for value in ODD:
        error = refusal(lambda given: function(**{**plain, parameter: given}), value)
        # Where the program that was printed is wrong, it says so itself.
        assert (
            error is None or isinstance(error, ProgramError) or parameter.rstrip("s") in str(error)
        ), error


RUN = [p for p in inspect.signature(Program.run).parameters if p != "self"]


@pytest.mark.parametrize("parameter", RUN)
def test_a_run_refuses_by_name(
    parameter: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from lacelang.engine import execute

    monkeypatch.setattr(execute, "execute", lambda *_: "done")
    monkeypatch.chdir(tmp_path)
    program = lacelang.compile("sample from ffhq as x")
    for value in ODD:
        error = refusal(lambda given: program.run(**{parameter: given}), value)
        assert error is None or f"`{parameter}`" in str(error), error


@pytest.mark.parametrize("parameter", ["name", "device"])
def test_an_energy_refuses_by_name(parameter: str) -> None:
    program = lacelang.compile("sample from ffhq where smile=1 as g")
    for value in (v for v in ODD if not isinstance(v, torch.device)):
        with pytest.raises(UsageError, match=f"`{parameter}`"):
            program.energy(**{"name": "g", parameter: value})


def test_the_energy_of_a_condition_refuses_by_name() -> None:
    for parameter in inspect.signature(lacelang.energy_of).parameters:
        value = {"path": 3, "imports": 3, "device": "tpu"}.get(parameter, [])
        with pytest.raises(LaceError, match=parameter):
            lacelang.energy_of(**{"where": a, "model": "ffhq", parameter: value})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="`where`"):
        lacelang.energy_of(None, "ffhq")  # type: ignore[arg-type]


WHOLE = [
    np.int8(5), np.uint64(5), np.array(5), torch.tensor(5), torch.tensor([5], dtype=torch.int8),
]  # fmt: skip
REAL = [
    0.5, np.float16(0.5), np.float32(0.5), np.longdouble(0.5), np.array(0.5), torch.tensor(0.5),
    torch.tensor([0.5], dtype=torch.bfloat16), Fraction(1, 2), Decimal("0.5"),
    torch.tensor(0.5, requires_grad=True),
]  # fmt: skip
TEXT = ["men", np.str_("men"), np.array("men")]


@pytest.mark.parametrize("value", WHOLE, ids=repr)
def test_whole_numbers(value: Any) -> None:
    plain = lacelang.sampling("ffhq", count=5, seed=5, sampler="heun", options={"max_steps": 5})
    made = lacelang.sampling(
        "ffhq", count=value, seed=value, sampler="heun", options={"max_steps": value}
    )
    assert made.source == plain.source
    assert arguments.whole(value, "seed", 0, 9, "from 0 to 9") == 5
    assert (attr("age") > value) == (attr("age") > 5)
    assert (value < attr("age")) == (attr("age") > 5)


@pytest.mark.parametrize("value", REAL, ids=repr)
def test_real_numbers(value: Any) -> None:
    def made(x: Any) -> list[str]:
        return [
            lacelang.sampling(
                "ffhq",
                a,
                truncation=x,
                temp=x,
                contrast=x,
                sampler="heun",
                options={"tolerance": x},
            ).source,
            lacelang.compile("sample from ffhq", definitions={"x": x}).source,
            str(a.weight(x).temp(x)),
            str(a.logit_temp(x)),
            str(attr("smile").degree(x)),
            str(attr("age").between(x, x)),
            str(attr("age").isin([x])),
            str(attr("age").isin({0.25, 7, "old"})),
        ]

    assert made(value) == made(0.5)


@pytest.mark.parametrize("value", TEXT, ids=repr)
def test_texts(value: Any) -> None:
    made = lacelang.sampling("ffhq", name=value)
    assert made.groups == ("men",)
    assert type(made.groups[0]) is str
    assert type(attr(value).name) is str
    assert (
        arguments.texts([value], "only", "a name") == arguments.texts(value, "only", "") == ("men",)
    )


def test_truth_is_no_number_and_no_number_is_truth() -> None:
    for truth in (True, np.True_, np.array(True), torch.tensor(True)):
        assert arguments.flag(truth, "images") is True
        assert str(attr("smile") == truth) == "smile=1"
        for refused in (
            lambda t: a.weight(t),
            lambda t: attr("age") > t,
            lambda t: attr("age").between(0, t),
            lambda t: lacelang.sampling("ffhq", count=t),
            lambda t: lacelang.compile("sample from ffhq", definitions={"x": t}),
        ):
            with pytest.raises(UsageError, match="number"):
                refused(truth)
    for number in (0, 1, np.int64(1), 1.0, "yes", None):
        with pytest.raises(UsageError, match="`images` is True or False"):
            arguments.flag(number, "images")


def test_paths_and_devices() -> None:
    for path in ("a/b", Path("a/b"), np.str_("a/b"), PurePosixPath("a/b")):
        assert arguments.path(path, "out") == Path("a/b")
    known = ("auto", "cpu", "cuda")
    for device in ("cpu", np.str_("cpu"), torch.device("cpu"), torch.device("cpu", 0)):
        assert arguments.device(device, known) == "cpu"


def features(z: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"smile": torch.stack([-z[:, 0], z[:, 0]], dim=1)}


FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.float8_e4m3fn]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_gradients_come_back_in_the_type_of_the_latents(dtype: torch.dtype) -> None:
    from lacelang.energy import Surprisal

    energy = ConditionalEnergy(features, Surprisal("smile", {1}), 3)
    z = torch.tensor([[0.5, 1, 2], [1, 0, -1]]).to(dtype)
    values, gradients = energy.value_and_grad(z)
    expected = energy.value_and_grad(z.float())
    assert gradients.dtype == dtype
    assert torch.allclose(values.float(), expected[0])
    assert torch.allclose(gradients.float(), expected[1], rtol=0.1)
    if dtype.itemsize > 1:
        for function in (energy, energy.prior):
            (own,) = torch.autograd.grad(function(leaf := z.clone().requires_grad_()).sum(), leaf)
            assert own.dtype == dtype
        mapped = torch.func.vmap(torch.func.grad(lambda row: energy(row[None])[0]))(z)
        assert mapped.dtype == dtype
    assert energy.value_and_grad(z[:0])[1].shape == (0, 3)
    assert energy(z[:0]).shape == energy.prior(z[:0]).shape == (0,)


def test_latents_in_arrays_and_what_is_refused() -> None:
    from lacelang.energy import Surprisal

    energy = ConditionalEnergy(features, Surprisal("smile", {1}), 3)
    z = np.array([[0.5, 1, 2], [1, 0, -1]])
    expected = energy(torch.from_numpy(z)).float()
    read_only = z.copy()
    read_only.flags.writeable = False
    for same in (
        z, z.astype(np.float16), z.astype(np.longdouble), z.astype(">f4"), z[::-1][::-1], read_only
    ):  # fmt: skip
        assert torch.allclose(energy(same).float(), expected)
        assert energy.value_and_grad(same)[1].shape == (2, 3)
    tensor = torch.from_numpy(z)
    wrong: list[Any] = [
        None, 3, "z", [[0.0] * 3], z[0], z[:, :2], z.astype(int), z.astype(complex), z > 0,
        z.astype(object), tensor[0], tensor[None], tensor.long(), tensor.cfloat(), tensor > 0,
        tensor.to("meta"), tensor.to_sparse(), torch.zeros(()), OfAnotherMind(),
    ]  # fmt: skip
    for value in wrong:
        for function in (energy, energy.prior, energy.value_and_grad):
            with pytest.raises(UsageError, match=r"`z`.*\(N, 3\)"):
                function(value)

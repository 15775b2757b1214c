"""A run means the same whatever torch and numpy are set to, and leaves their settings alone."""

from __future__ import annotations

import contextlib
import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from real_size import RealSizeModel
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import lacelang
from lacelang.engine import loading, plan
from lacelang.engine.result import Run
from lacelang.system.torch_state import isolated, one_thread

SOURCE = """
sample 3 from ffhq where glasses=1 or age > 50 seed 3 disjunction balanced as a
  with heun(tolerance=0.2)
edit a { smile=1 } with exponential(max_steps=4) as e
sample 2 from ffhq where not glasses=1 with mala(steps=2, warmup=2) as m
"""
Z = torch.randn(3, 512, generator=torch.Generator().manual_seed(0))


class LoudFunctions(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"saw {func}")


class LoudDispatch(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"saw {func}")


def in_half(x: torch.Tensor) -> torch.Tensor:
    """Pack less than what was saved."""
    return x.half()


def setting(
    read: Callable[[], Any], write: Callable[[Any], object], value: Any
) -> Callable[[], AbstractContextManager[None]]:
    """A setting of the process as a context manager, which checks that it is still there."""

    @contextmanager
    def chosen() -> Iterator[None]:
        before = read()
        write(value)
        try:
            yield
            assert read() == value
        finally:
            write(before)

    return chosen


def new_precision(value: str) -> Callable[[], AbstractContextManager[None]]:
    return setting(
        lambda: torch.backends.mkldnn.matmul.fp32_precision,
        lambda v: setattr(torch.backends.mkldnn.matmul, "fp32_precision", v),
        value,
    )


@contextmanager
def warned_is_raised() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextmanager
def transformed() -> Iterator[None]:
    """As if the run were made by a function that `torch.func` is about to differentiate."""
    from torch._functorch.eager_transforms import grad_increment_nesting

    with grad_increment_nesting():
        yield


def seeded() -> AbstractContextManager[None]:
    torch.manual_seed(7)
    np.random.seed(7)
    return contextlib.nullcontext()


AROUND: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "grad disabled": lambda: torch.set_grad_enabled(False),
    "float64": setting(torch.get_default_dtype, torch.set_default_dtype, torch.float64),
    "bfloat16": setting(torch.get_default_dtype, torch.set_default_dtype, torch.bfloat16),
    "tensor type": setting(
        torch.get_default_dtype,
        lambda dtype: torch.set_default_tensor_type(
            torch.DoubleTensor if dtype == torch.float64 else torch.FloatTensor
        ),
        torch.float64,
    ),
    "meta device": lambda: torch.device("meta"),
    "default device": setting(
        torch.get_default_device, torch.set_default_device, torch.device("meta")
    ),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "medium": setting(
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "medium"
    ),
    "high": setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "high"),
    "deterministic": setting(
        torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms, True
    ),
    "anomalies": lambda: torch.autograd.set_detect_anomaly(True, check_nan=True),
    "flush denormals": lambda: flushed(),
    "one thread": setting(torch.get_num_threads, torch.set_num_threads, 1),
    "three threads": setting(torch.get_num_threads, torch.set_num_threads, 3),
    "no mkldnn": setting(
        torch._C._get_mkldnn_enabled, torch._C._set_mkldnn_enabled, False
    ),
    "a function mode": LoudFunctions,
    "a dispatch mode": LoudDispatch,
    "fake tensors": FakeTensorMode,
    "torch.func": transformed,
    "fork_rng": lambda: torch.random.fork_rng(devices=[]),
    "seeds": seeded,
    "numpy raises": lambda: np.errstate(all="raise"),
    "warnings raise": warned_is_raised,
    "saved in half": lambda: torch.autograd.graph.saved_tensors_hooks(in_half, torch.Tensor.float),
    "nothing packed": lambda: torch.autograd.graph.disable_saved_tensors_hooks("not here"),
}  # fmt: skip
if hasattr(torch._C, "_get_fp32_precision_getter"):
    AROUND["bf16 products"] = new_precision("bf16")
    AROUND["bf16 everywhere"] = setting(
        lambda: torch.backends.fp32_precision,
        lambda v: setattr(torch.backends, "fp32_precision", v),
        "bf16",
    )


def is_flushing() -> bool:
    return not sys.float_info.min / 2.0


@contextmanager
def flushed() -> Iterator[None]:
    torch.set_flush_denormal(True)
    try:
        yield
        assert is_flushing()
    finally:
        torch.set_flush_denormal(False)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> list[RealSizeModel]:
    """A model of which nothing is computed yet; another one in the place of the first."""
    models = [RealSizeModel()]
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: models[0])
    monkeypatch.setattr(loading, "load", lambda spec, device, progress: models[0])
    return models


def run() -> Run:
    return lacelang.compile(SOURCE).run()


@cache
def expected() -> Run:
    """A run under no mode at all, its pictures decoded."""
    found = run()
    for group in found.groups.values():
        assert group.images
    return found


def assert_same(mine: Run, theirs: Run) -> None:
    for name in theirs:
        for field in ("latents", "w", "energy"):
            one, other = getattr(mine[name], field), getattr(theirs[name], field)
            assert one.device.type == "cpu"
            assert one.dtype == other.dtype
            assert not one.is_inference()
            assert np.array_equal(one.numpy(), other.numpy()), (name, field)
        for one, other in zip(mine[name].images, theirs[name].images, strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(other))


def settings() -> list[Any]:
    """What a run must leave as it was."""
    return [
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_default_dtype(),
        torch.is_autocast_enabled("cpu"),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_anomaly_enabled(),
        is_flushing(),
        torch._C._len_torch_dispatch_stack(),
        torch._C._len_torch_function_stack(),
        np.geterr(),
        list(warnings.filters),
        random.getstate(),
    ]


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
def test_a_run_is_the_same_inside_of(
    around: Callable[[], AbstractContextManager[Any]],
) -> None:
    plain = expected()
    states = torch.get_rng_state(), np.random.get_state()
    with around():
        if around is seeded:
            states = torch.get_rng_state(), np.random.get_state()
        before = settings()
        inside = run()
        for name in inside:
            for mine, theirs in zip(inside[name].images, plain[name].images, strict=True):
                assert np.array_equal(np.asarray(mine), np.asarray(theirs))
        assert settings() == before
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1][1])
    assert_same(inside, plain)
    if around is torch.inference_mode:
        # What it left behind serves others as well.
        assert_same(run(), plain)


QUIET = {"a function mode", "a dispatch mode", "fake tensors", "meta device", "torch.func"}
# Of these, a run passes through the same guard as an energy.
_REPEATED = {
    "grad disabled", "tensor type", "medium", "high", "deterministic", "anomalies", "three threads",
    "fork_rng", "seeds", "numpy raises", "warnings raise", "nothing packed", "bf16 everywhere",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in _REPEATED else ())
        for name in AROUND
        if name not in QUIET
    ],
)
def test_an_energy_is_the_same_inside_of(name: str, fresh: list[RealSizeModel]) -> None:
    program = lacelang.compile(SOURCE)
    energy = program.energy("a")
    whole, (values, gradients) = energy(Z), energy.value_and_grad(Z)
    fresh[0] = RealSizeModel()
    with AROUND[name]():
        inner = program.energy("a")
        inside, (both, slopes) = inner(Z), inner.value_and_grad(Z)
        latents = Z.clone()
        slopes_there = inner.value_and_grad(latents)[1]
    assert np.array_equal(inside.numpy(), whole.numpy())
    assert np.array_equal(both.numpy(), values.numpy())
    assert np.array_equal(slopes.numpy(), gradients.numpy())
    assert np.array_equal(slopes_there.numpy(), gradients.numpy())
    z = Z.clone().requires_grad_()
    (own,) = torch.autograd.grad(inner(z).sum(), z)
    assert torch.equal(own, gradients)


@pytest.mark.parametrize("name", ["meta device", "default device", "a dispatch mode"])
def test_an_energy_can_be_had_inside_of(name: str) -> None:
    plain = lacelang.compile(SOURCE).energy("a")(Z)
    with AROUND[name]():
        energy = lacelang.compile(SOURCE).energy("a")
    assert torch.equal(energy(Z), plain)


def test_pictures_one_by_one_leave_no_mode_behind() -> None:
    group = run()["a"]
    for image in group.each_image():
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()
        assert image.size == (8, 8)


def test_runs_side_by_side_under_different_modes() -> None:
    plain = expected()
    threads_before = torch.get_num_threads()
    torch.set_num_threads(2)
    before = settings()
    found: dict[str, Run] = {}
    errors: list[BaseException] = []

    def work(name: str, around: Callable[[], AbstractContextManager[Any]], threads: int) -> None:
        try:
            torch.set_num_threads(threads)
            with around():
                here = torch.get_num_threads(), torch.is_grad_enabled()
                found[name] = run()
                assert (torch.get_num_threads(), torch.is_grad_enabled()) == here
        except BaseException as error:
            errors.append(error)

    modes = {
        "inference": torch.inference_mode,
        "no grad": torch.no_grad,
        "autocast": AROUND["autocast"],
        "nothing": contextlib.nullcontext,
    }
    torch.set_default_dtype(torch.float64)
    try:
        threads = [
            threading.Thread(target=work, args=(name, around, 1 + i % 2))
            for i, (name, around) in enumerate(modes.items())
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert not errors, errors
    assert settings() == before
    torch.set_num_threads(threads_before)
    for other in found.values():
        assert_same(other, plain)


def test_one_thread_is_of_the_calling_thread_alone() -> None:
    def elsewhere() -> int:
        counts: list[int] = []
        thread = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        return counts[0]

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread():
            assert (torch.get_num_threads(), elsewhere()) == (1, 3)
            with isolated():
                assert (torch.get_num_threads(), elsewhere()) == (1, 3)
        assert (torch.get_num_threads(), elsewhere()) == (3, 3)
    finally:
        torch.set_num_threads(before)


def test_a_run_that_fails_puts_everything_back(
    fresh: list[RealSizeModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        assert torch.zeros(1).device.type == "cpu"
        raise RuntimeError("broke")

    monkeypatch.setattr(RealSizeModel, "styles", broken)
    with torch.inference_mode(), torch.device("meta"):
        before = settings()
        with pytest.raises(RuntimeError, match="broke"):
            run()
        assert settings() == before
        assert torch.zeros(1).device.type == "meta"


def test_transforms_pass_through_an_energy() -> None:
    energy = lacelang.compile(SOURCE).energy("a")
    values, gradients = energy.value_and_grad(Z)

    def one(z: torch.Tensor) -> torch.Tensor:
        return energy(z[None])[0]

    close = {"rtol": 1e-3, "atol": 1e-3}
    torch.testing.assert_close(torch.func.vmap(one)(Z), values, **close)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(one))(Z), gradients, **close)
    tangent = torch.func.jvp(energy, (Z,), (gradients,))[1]
    torch.testing.assert_close(tangent, gradients.square().sum(dim=1), **close)
    assert torch.func.hessian(one)(Z[0]).isfinite().all()


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiler_passes_through_an_energy(backend: str) -> None:
    torch.compiler.reset()
    energy = lacelang.compile(SOURCE).energy("a")
    # These trace the energy as any backend does, and need no compiler of C++.
    compiled = torch.compile(energy, backend=backend, fullgraph=True)
    torch.testing.assert_close(compiled(Z), energy(Z), rtol=1e-3, atol=1e-3)


@pytest.mark.weights
def test_real_weights_are_loaded_and_decoded_apart_from_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    source = "sample 2 from ffhq where glasses=1 seed 11 as a\nedit a { smile=1 } as e"
    lacelang.release()
    with (
        torch.inference_mode(),
        AROUND["float64"](),
        AROUND["medium"](),
        torch.autocast("cpu", dtype=torch.bfloat16),
        torch.device("meta"),
        np.errstate(all="raise"),
        warned_is_raised(),
    ):
        states = torch.get_rng_state(), np.random.get_state(), random.getstate()
        inside = lacelang.compile(source).run()
        images = inside["e"].images
        assert torch.equal(torch.get_rng_state(), states[0])
        assert np.array_equal(np.random.get_state()[1], states[1][1])
        assert random.getstate() == states[2]
        assert lacelang.compile(source).energy("a") is not None
    outside = lacelang.compile(source).run()
    assert_same(inside, outside)
    lacelang.release()
    anew = lacelang.compile(source).run()
    assert_same(inside, anew)
    assert len(images) == 2

"""What the checker accepts can be run, however large or small its numbers are."""

from __future__ import annotations

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from real_size import RealSizeModel

import lacelang
from lacelang.engine import loading, plan
from lacelang.samplers import SAMPLERS, Option
from lacelang.semantics.values import STRONGEST, WEAKEST

MODEL = RealSizeModel()

usual = st.floats(-9, 9).map(lambda power: repr(10**power))
numbers = st.one_of(
    *(usual,) * 4,
    st.floats(-330, 308).map(lambda power: f"1e{power:.0f}"),
    st.sampled_from(["0", "1", "0.1", "-1", repr(WEAKEST), repr(STRONGEST), "5e-324", "1e400"]),
)
ages = st.one_of(st.floats(0, 70).map(repr), st.sampled_from(["0", "70", "1e-300", "30"]))


def _some(text: str) -> st.SearchStrategy[str]:
    """`text` with a number in the place of {n}, or nothing."""
    return st.one_of(st.just(""), numbers.map(lambda number: text.format(n=number)))


SETTINGS = st.one_of(
    *(st.just(""),) * 4,
    numbers.map(lambda n: f" [weight {n}]"),
    numbers.map(lambda n: f" [temp {n}]"),
    st.tuples(numbers, numbers).map(lambda two: f" [weight {two[0]}, temp {two[1]}]"),
)
ATOMS = st.one_of(
    st.sampled_from(["glasses=1", "beard != 1", "gender=male", "haircolor in {black, gray}"]),
    numbers.map(lambda n: f"smile ~ {n}"),
    ages.map(lambda age: f"age = {age}"),
    ages.map(lambda age: f"age > {age}"),
    st.tuples(ages, ages).map(lambda two: f"age in {two[0]}..{two[1]}"),
    numbers.map(lambda n: f"light0 < {n}"),
    numbers.map(lambda n: f"yaw = {n} deg"),
)


def _grown(below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    tuned = st.tuples(below, SETTINGS).map("({0[0]}){0[1]}".format)
    joined = st.tuples(
        st.lists(tuned, min_size=2, max_size=3), st.sampled_from([" and ", " or ", " xor "])
    )
    return st.one_of(joined.map(lambda made: made[1].join(made[0])), tuned.map("not {}".format))


conditions = st.tuples(st.recursive(ATOMS, _grown, max_leaves=5), SETTINGS).map(
    "({0[0]}){0[1]}".format
)
CLAUSES = (
    _some("temp {n}"),
    _some("temp logit({n})"),
    _some("negation contrast({n})"),
    _some("truncation {n}"),
    st.sampled_from(["", "disjunction balanced", "disjunction exact"]),
    st.sampled_from(["", "sigma paper", "sigma residual"]),
)
EDIT_CLAUSES = (_some("stay {n}"), _some("hold {n}"), _some("hold all({n})"), *CLAUSES[:3])


def _together(parts: tuple[str, ...]) -> str:
    return " ".join(part for part in parts if part)


# One or two clauses that are out of the ordinary: with more, hardly a program is accepted.
def _few(clauses: tuple[st.SearchStrategy[str], ...]) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(*clauses), max_size=2).map(lambda parts: _together(tuple(parts)))


def _setting(option: Option) -> st.SearchStrategy[str]:
    """A value at one of the option's ends, of a budget the lower one."""
    if option.whole:
        values = [option.low, option.low + 1, min(option.low + 3, option.high)]
    else:
        least = option.least or (option.low + 1e-9 if option.above else option.low)
        values = [max(least, 1e-3), option.high]
        values += [] if option.default is None else [option.default]
    return st.sampled_from(values).map(lambda value: f"{option.name}={value!r}")


# What torchdiffeq's solvers take for their finest settings has a test of its own.
BUDGETS = {"max_steps": 4, "max_tries": 40, "steps": 4, "warmup": 2, "particles": 4, "moves": 1}
BUDGETED = tuple(name for name in SAMPLERS if any(each.whole for each in SAMPLERS[name].options))


@st.composite
def samplers(draw: st.DrawFn, names: tuple[str, ...]) -> str:
    table = SAMPLERS[draw(st.sampled_from(names))]
    options = []
    for option in table.options:
        if option.name in BUDGETS:
            options.append(f"{option.name}={max(BUDGETS[option.name], int(option.low))}")
        elif not option.whole and draw(st.booleans()):
            options.append(draw(_setting(option)))
    return f"{table.name}({', '.join(options)})" if options else table.name


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: MODEL)
    monkeypatch.setattr(loading, "load", lambda spec, device, progress: MODEL)


def _accepted(source: str) -> lacelang.Program | None:
    try:
        return lacelang.compile(source)
    except lacelang.ProgramError:
        return None


@settings(max_examples=150, deadline=None)
@given(where=conditions, clauses=_few(CLAUSES), scale=st.sampled_from([1.0, 30.0]))
def test_energies_and_gradients_are_finite(where: str, clauses: str, scale: float) -> None:
    program = _accepted(f"sample 1 from ffhq where {where} {clauses} as a")
    if program is None:
        return
    random = torch.Generator().manual_seed(3)
    z = (scale * torch.randn(3, 512, generator=random)).requires_grad_()
    energy = program.energy("a")(z)
    assert energy.isfinite().all()
    (gradient,) = torch.autograd.grad(energy.sum(), z, allow_unused=True)
    assert gradient is None or gradient.isfinite().all()


@settings(max_examples=40, deadline=None)
@given(
    where=conditions,
    clauses=_few(CLAUSES),
    sampler=samplers(BUDGETED),
    line=conditions,
    edited=_few(EDIT_CLAUSES),
)
def test_they_run(where: str, clauses: str, sampler: str, line: str, edited: str) -> None:
    program = _accepted(
        f"sample 1 from ffhq where {where} {clauses} with {sampler} as a\n"
        f"edit a {{ {line} }} {edited} with exponential(max_steps=4) as e"
    )
    if program is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = program.run()
    for group in run.groups.values():
        assert len(group.status) == 1
        assert group.latents.isfinite().all()

"""Options and conditions at the bounds of what the checker lets through, with small budgets.

Whatever is asked for, a run ends soon: without an error or a warning, with finite samples, and a
status for each.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from tiny import TinyModel, edit, program, statement

import lacelang
from lacelang import ir
from lacelang.engine.result import Run
from lacelang.samplers import SAMPLERS, Option, Sampler
from lacelang.samplers.solution import Status

BUDGET = {
    "max_steps": 3, "steps": 2, "max_tries": 3, "warmup": 2, "particles": 2, "leapfrog": 2,
    "moves": 1, "corrector_steps": 0,
}  # fmt: skip
STIFF = "glasses=1 [weight 1e9] and age=40"
CONDITIONS = (
    STIFF,
    "glasses=1 [temp 1e-9] or age=40 [weight 1e9]",
    "not (glasses=1 [temp 1e-9] and age > 30)",
    "glasses=1 [temp 1e9]",
    "glasses=1 [weight 1e-9] and age > 30 [temp 1e9]",
)


def fine_or_default(table: Sampler, option: Option) -> float | int | None:
    """The least value; the default of what no budget bounds, for 10 000 steps take seconds."""
    endless = option.name == "rtol" or (option.name == "step" and table.option("steps") is None)
    return option.default if endless else option.least or option.default


def settings(table: Sampler) -> Iterator[str]:
    """The sampler with its usual, its least and its greatest options, and little to spend."""
    budget = {o.name: max(int(o.low), BUDGET[o.name]) for o in table.options if o.name in BUDGET}
    others = [o for o in table.options if o.name not in BUDGET and o.default is not None]
    usual = {o.name: o.default for o in others}
    finest = {o.name: fine_or_default(table, o) for o in others}
    coarsest = {o.name: o.high for o in others}
    for values in (usual, finest, coarsest):
        chosen = ", ".join(f"{name}={value!r}" for name, value in {**budget, **values}.items())
        yield f"{table.name}({chosen})"


def made(source: str) -> Run:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return lacelang.compile(source).run()


# They differ from `dopri5` and `euler` by the solver of torchdiffeq alone.
_ALIKE = ("adaptive_heun", "bosh3", "dopri8", "heun2", "heun3", "midpoint", "rk4")


def assert_ended(run: Run) -> None:
    for name, group in run.groups.items():
        assert all(isinstance(status, Status) for status in group.status), name
        failed = [status is Status.non_finite for status in group.status]
        whole = group.latents.isfinite().all(dim=1) & group.energy.isfinite()
        # What is not finite is marked, and nothing else is.
        assert (~whole).tolist() == failed, name


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(table, id=name, marks=pytest.mark.slow if name in _ALIKE else ())
        for name, table in SAMPLERS.items()
    ],
)
def test_samplers_at_the_bounds_of_their_options(model: TinyModel, table: Sampler) -> None:
    source = "\n".join(
        f"sample 2 from ffhq where {STIFF} seed 3 with {chosen} as a{i}"
        for i, chosen in enumerate(settings(table))
    )
    assert_ended(made(source))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_at_the_bounds_of_their_strength(model: TinyModel, condition: str) -> None:
    source = "\n".join(
        f"sample 2 from ffhq where {condition} seed 3 with {next(settings(table))} as {name}_a"
        for name, table in SAMPLERS.items()
        if name not in _ALIKE
    )
    assert_ended(made(source))


@pytest.mark.parametrize(
    "fields",
    [{"hold": 1e-9}, {"hold": 1e9}, {"stay": 1e-9}, {"stay": 1e9}, {"temp": 1e-9}, {"temp": 1e9}],
    ids=str,
)
def test_edits_at_the_bounds(model: TinyModel, fields: dict[str, float]) -> None:
    few = ir.SamplerChoice("exponential", SAMPLERS["exponential"].complete({"max_steps": 3}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = program(statement(sampler=few), edit(sampler=few, **fields)).run()
    assert_ended(run)


@pytest.mark.parametrize(
    "beyond",
    [
        "where glasses=1 [weight 1.1e9]",
        "where glasses=1 [temp 0.9e-9]",
        "where glasses=1 with exponential(tolerance=1e-10)",
        "where glasses=1 with exponential(time=0.0009)",
        "where glasses=1 with langevin(step=10.1)",
        "where glasses=1 with langevin(step=1e-10)",
    ],
)
def test_what_lies_beyond_the_bounds_is_refused(beyond: str) -> None:
    with pytest.raises(lacelang.ProgramError, match=r"LACE20\d|LACE211"):
        lacelang.compile(f"sample 2 from ffhq {beyond}")

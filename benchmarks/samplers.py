"""The speed and accuracy of the flow samplers, compared with the paper's setting.

    python benchmarks/samplers.py [--json FILE] [--quick] [--only NAME] [--sigma residual]
    python benchmarks/samplers.py --quick --samples 1024 [--rounds 1]
    python benchmarks/samplers.py --sweep [--json FILE] [--picture FILE]

A batch of 64 on the mapping network and the trained heads of `ffhq`, on one thread, as in a
run. For each condition it prints the seconds of the paper's setting
(`experiments.published` on separate heads) and of each sampler with default options,
their ratio, and the error: the median over the first 16 samples of |z - z*| / |z* - z0|, where z*
is a solution of dopri5 at 1e-7 in double precision, or with `--quick` one of `exponential` at 1e-5,
which differs from it by 0.003. All samplers integrate
the same energy, with the paper's sigma of a tenth of a range and, as published, no bound on
atypicality. Seconds are processor times, the best of several alternating rounds; a sampler that
takes longer than `PATIENCE` seconds runs once.

With `--samples` it measures only `exponential`, for so many samples in the batches of a run. All
seconds are then per 64 samples.

Solutions at 1e-7 take up to an hour, quick ones a minute; both are kept in the cache. With
`--sweep` it measures error against seconds at several tolerances on one condition, and `--picture`
plots them.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from attrs import evolve
from numpy.typing import NDArray
from torch import Tensor

import lacelang
from experiments.plot import scatter
from experiments.published import paper as published
from experiments.published import separate
from experiments.statements import loaded_model
from lacelang.energy import ConditionalEnergy
from lacelang.engine.loading import Model, load
from lacelang.engine.sampling import aims_of, compile_condition
from lacelang.engine.tasks import batches
from lacelang.evaluate.report import Picture
from lacelang.ir import SampleStatement
from lacelang.progress import shown
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import prior
from lacelang.storage.cache import cache_dir, kept_arrays

BATCH = 64
SOLVED = 16
SEED = 0
PATIENCE = 20.0
TIGHT = 1e-7
QUICK = 1e-5

#: Five conditions, then the most common values of the other seven attributes.
FIVE = "yaw=20 and gender=female and smile=1 and age=55 and glasses=1"
REST = (
    "beard=0 and haircolor=brown and pitch=0 and bald=0.35 and width=0.45 and light0=0.5 "
    "and light3=0.5"
)
CONDITIONS = {
    "glasses": "glasses=1",
    "gender, smile, age": "gender=female and smile=1 and age=55",
    "yaw, gender, smile, age, glasses": FIVE,
    "all twelve": f"{FIVE} and {REST}",
}
SWEPT = "gender, smile, age"

Sampler = Callable[[ConditionalEnergy, Tensor], Solution]


def paper(energy: ConditionalEnergy, z0: Tensor) -> Solution:
    return published(separate(energy), z0)


COMPARED: dict[str, Sampler] = {
    "paper": paper,
    **{name: SAMPLERS[name] for name in ("exponential", "heun", "dopri5", "euler")},
}

SWEEPS: dict[str, tuple[str, Sequence[float]]] = {
    "exponential": ("tolerance", (3e-2, 1e-2, 3e-3, 1e-3, 3e-4)),
    "heun": ("tolerance", (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4)),
    "dopri5": ("tolerance", (1e-2, 1e-3, 1e-4)),
    "bosh3": ("tolerance", (1e-2, 1e-3, 1e-4)),
    "euler": ("step", (0.02, 0.01, 0.005, 0.002)),
    "midpoint": ("step", (0.02, 0.01, 0.005)),
    "rk4": ("step", (0.05, 0.02, 0.01)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="save the figures here")
    parser.add_argument("--sweep", action="store_true", help="several tolerances, one condition")
    parser.add_argument("--picture", type=Path, help="with --sweep, draw it as a PNG here")
    parser.add_argument("--typical", type=float, default=0.0, help="bound on atypicality")
    parser.add_argument("--sigma", choices=("paper", "residual"), default="paper")
    parser.add_argument("--quick", action="store_true", help="a truth of less digits, sooner")
    parser.add_argument("--only", choices=CONDITIONS, action="append", help="of the conditions")
    parser.add_argument("--samples", type=int, help="of a run, in its batches")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    model = loaded_model(lacelang.compile("sample from ffhq").samples[0], "cpu")
    z0 = prior(SEED, range(BATCH), model.generator.latent_dim)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, condition in CONDITIONS.items():
        if name not in ([SWEPT] if options.sweep else options.only or CONDITIONS):
            continue
        tight = QUICK if options.quick else TIGHT
        energy, truth = problem(condition, options.sigma, options.typical, z0, tight)
        if options.samples:
            runs = {"paper": paper, "exponential": in_batches(options.samples)}
        else:
            runs = sweep() if options.sweep else COMPARED
        found[name] = measure(runs, energy, z0, truth, options.rounds, options.samples)
        show(name, condition, found[name])
    if len(found) == len(CONDITIONS):
        ours = [rows["exponential"]["seconds"] for rows in found.values()]
        theirs = [rows["paper"]["seconds"] for rows in found.values()]
        print(
            f"from 1 to 12 attributes: exponential x {ours[-1] / ours[0]:.1f}, "
            f"paper x {theirs[-1] / theirs[0]:.1f}"
        )
    if options.sweep and options.picture:
        work_precision(found[SWEPT]).draw().save(options.picture, "PNG")
    if options.json:
        settings = {"batch": BATCH, "solved": SOLVED, "seed": SEED, "sigma": options.sigma}
        settings |= {"typical": options.typical, "threads": options.threads}
        settings["truth"] = QUICK if options.quick else TIGHT
        saved = {"settings": settings, "conditions": CONDITIONS, "figures": found}
        options.json.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")


def in_batches(count: int) -> Sampler:
    """Return `exponential` for so many samples, of which it gives the first."""

    def run(energy: ConditionalEnergy, z0: Tensor) -> Solution:
        z = prior(SEED, range(count), z0.shape[1])
        parts = [SAMPLERS["exponential"](energy, z[each]) for each in map(of, batches(0, count))]
        return parts[0]

    def of(rows: range) -> slice:
        return slice(rows.start, rows.stop)

    return run


def sweep() -> dict[str, Sampler]:
    """Return every sampler at every value of its option, by `name(option=value)`."""
    runs: dict[str, Sampler] = {"paper": paper}
    for name, (option, values) in SWEEPS.items():
        for value in values:
            runs[f"{name}({option}={value:g})"] = with_option(name, option, value)
    return runs


def with_option(name: str, option: str, value: float) -> Sampler:
    if name in ("exponential", "heun"):
        chosen = {option: value, "max_steps": 100_000}
    else:
        chosen = {"step": value} if option == "step" else {"atol": value, "rtol": value}
    return lambda energy, z0: SAMPLERS[name](energy, z0, **chosen)


def target(statement: SampleStatement, model: Model, typical: float) -> ConditionalEnergy:
    """Return the energy that flows descend."""
    sampler = evolve(statement.sampler, options={"typical": typical})
    statement = evolve(statement, sampler=sampler)
    return aims_of(statement, model)(compile_condition(statement, model)).regularised


def problem(
    condition: str, sigma: str, typical: float, z0: Tensor, tight: float
) -> tuple[ConditionalEnergy, Tensor]:
    """Return a condition's energy, and the ends of its flow from the first rows of z0, float64."""
    source = f"sample from ffhq where {condition} sigma {sigma} as benchmark"
    (statement,) = lacelang.compile(source).samples
    with shown() as progress:
        model = load(statement.model, "cpu", progress)
        energy = target(statement, model, typical)
        key = json.dumps([source, typical, SOLVED, SEED, tight, model.weights(conditioned=True)])
        name = f"flow-{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"
        path = cache_dir() / "benchmarks" / name

        def solved() -> dict[str, NDArray[np.float64]]:
            with progress.stage(f"solving at {tight:g}: {condition}", 1.0) as stage:
                twin = target(statement, double(model), typical)
                return {"z": solve(twin, z0[:SOLVED].double(), tight, stage.advance).numpy()}

        ends = kept_arrays(path, f"solving {condition}", solved)["z"]
    return energy, torch.from_numpy(ends)


def solve(
    energy: ConditionalEnergy, z0: Tensor, tight: float, advance: Callable[[float], None]
) -> Tensor:
    done = 0.0

    def on_step(share: float) -> None:
        nonlocal done
        advance(share - done)
        done = share

    if tight == QUICK:
        solution = SAMPLERS["exponential"](
            energy, z0, tolerance=tight, max_steps=1_000_000, on_step=on_step
        )
    else:
        solution = SAMPLERS["dopri5"](
            energy,
            z0,
            atol=tight,
            rtol=tight,
            max_evaluations=10_000_000,
            on_step=on_step,
        )
    assert set(solution.status) == {Status.converged}
    return solution.z


def double(model: Model) -> Model:
    """Return a copy of a model that computes in float64."""
    twin = copy.copy(model)
    twin.heads = copy.deepcopy(model.heads).double()
    twin.generator = copy.copy(model.generator)
    for name, value in vars(model.generator).items():
        if isinstance(value, Tensor | torch.nn.Module):
            setattr(twin.generator, name, copy.deepcopy(value).double())
    return twin


def measure(
    runs: Mapping[str, Sampler],
    energy: ConditionalEnergy,
    z0: Tensor,
    truth: Tensor,
    rounds: int,
    samples: int | None = None,
) -> dict[str, dict[str, float]]:
    """Return seconds, error, energy and evaluations of each sampler."""
    SAMPLERS["exponential"](energy, z0[:2])  # the first of a process pays for torch's start
    found: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name, run in runs.items():
            if name in found and found[name]["seconds"] > PATIENCE:
                continue
            begun, wall = time.process_time(), time.perf_counter()
            solution = run(energy, z0)
            seconds, wall = time.process_time() - begun, time.perf_counter() - wall
            share = len(z0) / samples if samples and name != "paper" else 1.0
            seconds, wall = share * seconds, share * wall
            figures = found.setdefault(name, figures_of(solution, z0, truth))
            figures["seconds"] = min(seconds, figures.get("seconds", seconds))
            figures["wall"] = min(wall, figures.get("wall", wall))
    return found


def figures_of(solution: Solution, z0: Tensor, truth: Tensor) -> dict[str, float]:
    moved = (truth - z0[:SOLVED]).norm(dim=1)
    errors = (solution.z[:SOLVED] - truth).norm(dim=1) / moved
    return {
        "error": errors.median().item(),
        "error90": errors.quantile(0.9).item(),
        "energy": solution.energy.mean().item(),
        "nfe": mean(solution.stats.nfe.tolist()),
        "moved": moved.median().item(),
        "converged": mean(status == Status.converged for status in solution.status),
    }


def work_precision(rows: Mapping[str, Mapping[str, float]]) -> Picture:
    """Plot error against seconds: a line per sampler, and a point for the paper's setting."""
    points: dict[str, list[tuple[float, float]]] = {}
    for run, row in rows.items():
        name = "the paper's setting" if run == "paper" else run.partition("(")[0]
        points.setdefault(name, []).append((row["seconds"], row["error"]))
    return scatter(
        "work_precision",
        f"{SWEPT}: {BATCH} samples",
        "seconds of one core",
        "median relative error of the end",
        points,
        log="xy",
        lines=True,
    )


def show(name: str, condition: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    print(f"\n{name}: {condition}")
    print(f"  {'sampler':28} {'seconds':>8} {'ratio':>7} {'error':>7} {'energy':>8} {'nfe':>7}")
    for sampler, row in rows.items():
        ratio = rows["paper"]["seconds"] / row["seconds"]
        print(
            f"  {sampler:28} {row['seconds']:8.2f} {ratio:7.1f} {row['error']:7.3f} "
            f"{row['energy']:8.4f} {row['nfe']:7.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""A GPU against the CPU: whether samples and images agree, and how many there are in a second.

    python benchmarks/gpu.py [--device cuda|mps|cpu] [--out gpu.json] [--seconds 450] [--quick]

`parity` compares energies, gradients, latents and images with those of the CPU, and samples alone
with samples in a batch. `passes`, `sampling` and `decoding` measure rates: eager in blocks as a run
makes them (`rows.OTHER_ROWS`), eager in one block, with `torch.compile`, and with CUDA graphs. On
the device `cpu` the comparison is with another size of batch.

Every part has a share of `--seconds`. What its share does not suffice for is left out, and listed.
The figures are written after every measurement, as JSON and as a table beside it, `gpu.md`.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import evolve, frozen
from figures import Record
from torch import Tensor

import lacelang
from lacelang import rows
from lacelang.energy import ConditionalEnergy
from lacelang.energy.reduced import Pull, Reduced
from lacelang.engine.loading import Model, load
from lacelang.engine.sampling import aims_of, compile_condition
from lacelang.generators.declaration import choose_device
from lacelang.generators.generator import to_pixels
from lacelang.progress import Silent
from lacelang.samplers import SAMPLERS
from lacelang.samplers.problem import Target
from lacelang.samplers.solution import Solution
from lacelang.samplers.streams import Streams, prior
from lacelang.system.torch_state import isolated

SEED = 0
TRUNCATION = 0.7
CONDITION = "yaw=20 and gender=female and smile=1 and age=55 and glasses=1"
COMPARED = {
    "exponential": {},
    "heun": {},
    "dopri5": {},
    "langevin": {"steps": 20},
    "mala": {"steps": 10, "warmup": 10},
}
SHARES = {"parity": 0.25, "passes": 0.15, "sampling": 0.35, "decoding": 0.25}
"""Of the seconds; what a part leaves over goes to those after it."""


@frozen(eq=False)
class Problem:
    """The condition on one device."""

    model: Model
    target: Target

    @classmethod
    def on(cls, device: str) -> Problem:
        (statement,) = lacelang.compile(f"sample from ffhq where {CONDITION} as it").samples
        model = load(statement.model, device, Silent())
        return cls(model, aims_of(statement, model)(compile_condition(statement, model)))

    @property
    def device(self) -> torch.device:
        return self.model.latents_device

    def draws(self, count: int) -> Tensor:
        return prior(SEED, range(count), self.model.generator.latent_dim).to(self.device)

    def solve(self, sampler: str, z: Tensor, target: Target | None = None) -> Solution:
        streams = Streams(SEED, range(len(z)))
        options = COMPARED.get(sampler, {})
        return SAMPLERS[sampler](target or self.target, z, **options, streams=streams)

    def wait(self) -> None:
        """Wait until the device has done what it was asked for."""
        kind = self.model.device.type
        if kind != "cpu":
            getattr(torch, kind).synchronize()

    def seconds(self, run: Callable[[], object], rounds: int) -> float:
        """The median time of a function, after a first call."""
        run()
        times = []
        for _ in range(rounds):
            self.wait()
            begun = time.perf_counter()
            run()
            self.wait()
            times.append(time.perf_counter() - begun)
        return statistics.median(times)


def parity(record: Record, here: Problem, there: Problem, count: int, images: int) -> None:
    record.begin("parity")
    z = here.draws(count)

    def energies() -> dict[str, Any]:
        e, slope = here.target.regularised.value_and_grad(z)
        pairs = there.target.regularised.value_and_grad(z.to(there.device))
        e2, slope2 = (x.cpu() for x in pairs)
        error = (slope2 - slope).norm(dim=1) / slope.norm(dim=1)
        return {"energy": _most(e2 - e), "gradient, relative": _most(error)}

    def latents(sampler: str) -> dict[str, Any]:
        first = here.solve(sampler, z)
        second = _in_batches(there, sampler, z, count if there is not here else 3)
        moved = (first.z - z).norm(dim=1).clamp_min(1e-9)
        error = (second - first.z).norm(dim=1) / moved
        return {"of the move, median": error.median().item(), "most": _most(error)}

    def alone() -> dict[str, Any]:
        whole = there.solve("exponential", there.draws(count)).z
        single = there.solve("exponential", there.draws(1)).z
        return {
            "same bits": torch.equal(single[0], whole[0]),
            "difference": _most(single - whole[:1]),
        }

    def pictures() -> dict[str, Any]:
        with torch.no_grad():
            w = here.model.styles(z[:images], TRUNCATION)
        one = np.stack(list(here.model.decode(w)))
        parts = [w] if there is not here else torch.split(w, 1)
        two = np.concatenate([np.stack(list(there.model.decode(part))) for part in parts])
        levels = np.abs(one.astype(int) - two)
        return {"levels, most": int(levels.max()), "share that differs": float((levels > 0).mean())}

    record.measure(f"energies, {count} latents", energies)
    record.measure("a sample alone and in a batch", alone)
    record.measure(f"images, {images}", pictures)
    for sampler in COMPARED:
        record.measure(f"latents, {sampler}", partial(latents, sampler))


def _most(x: Tensor) -> float:
    return x.abs().max().item()


def _in_batches(problem: Problem, sampler: str, z: Tensor, size: int) -> Tensor:
    options, found = COMPARED[sampler], []
    for first in range(0, len(z), size):
        part = z[first : first + size].to(problem.device)
        streams = Streams(SEED, range(first, first + len(part)))
        found.append(SAMPLERS[sampler](problem.target, part, **options, streams=streams).z.cpu())
    return torch.cat(found)


@contextmanager
def blocks(size: int) -> Iterator[None]:
    """Evaluate so many rows at once."""
    before = rows.OTHER_ROWS
    rows.OTHER_ROWS = size
    try:
        yield
    finally:
        rows.OTHER_ROWS = before


@frozen
class Faster(Reduced):
    """Evaluates by a faster form of the features, but for the Jacobian at the start."""

    fast: Any = None

    def vjp(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Pull]:
        fields = (self.node, self.widths, self.blocks, self.places, self.seeds)
        return Reduced(self.fast, *fields).vjp(z, *args)


@frozen
class FasterEnergy(ConditionalEnergy):
    """An energy whose flow takes a faster form of the features."""

    fast: Any = None

    def reduced(self, z: Tensor, *args: Tensor) -> Reduced:
        plain = super().reduced(z, *args)
        fields = (plain.node, plain.widths, plain.blocks, plain.places, plain.seeds)
        return Faster(plain.features, *fields, self.fast)


def faster(problem: Problem, how: str, size: int) -> Target:
    """The target with compiled features, or with graphs of blocks of so many rows."""
    energy = problem.target.regularised
    assert isinstance(energy, ConditionalEnergy)
    z = problem.draws(size)
    names = list(energy.features(z))

    def columns(z: Tensor) -> tuple[Tensor, ...]:
        return tuple(energy.features(z).values())

    if how == "graphs":
        made: Any = torch.cuda.make_graphed_callables(columns, (z.requires_grad_(),))
    else:
        backend = "inductor" if problem.device.type != "cpu" else "aot_eager"
        made = torch.compile(columns, backend=backend, dynamic=False)
    fast = FasterEnergy(
        energy.features,
        energy.node,
        fast=lambda z: dict(zip(names, made(z), strict=True)),
    )
    return evolve(problem.target, regularised=fast)


def forms(problem: Problem, size: int) -> Iterator[tuple[str, int, str]]:
    """Ways to evaluate a batch: a name, rows in a block, and how."""
    yield "as in a run", rows.OTHER_ROWS, ""
    if problem.device.type != "cpu":
        yield "one block", size, ""
    yield "compiled", size, "compile"
    if problem.device.type == "cuda":
        yield "CUDA graphs", size, "graphs"


def passes(record: Record, problem: Problem, sizes: list[int], rounds: int) -> None:
    record.begin("passes")

    def rate(size: int, block: int, how: str) -> dict[str, Any]:
        with blocks(block):
            target = faster(problem, how, block) if how else problem.target
            z = problem.draws(size)
            reduced = target.regularised.reduced(z[:1])  # type: ignore[attr-defined]

            def both() -> None:
                for part, count in rows.blocks_of(z):
                    o, back = reduced.vjp(*part)
                    back(torch.ones_like(o))[:count]

            seconds = problem.seconds(both, rounds)
        return {"ms": 1e3 * seconds, "rows a second": size / seconds}

    for size in sizes:
        for name, block, how in forms(problem, size):
            record.measure(f"{size}, {name}", partial(rate, size, block, how))


def sampling(record: Record, problem: Problem, sizes: list[int], rounds: int) -> None:
    record.begin("sampling")

    def rate(size: int, block: int, how: str) -> dict[str, Any]:
        with blocks(block):
            target = faster(problem, how, block) if how else problem.target
            z = problem.draws(size)
            nfe = 0.0

            def run() -> None:
                nonlocal nfe
                nfe = problem.solve("exponential", z, target).stats.nfe.double().mean().item()

            seconds = problem.seconds(run, rounds)
        figures = {"samples a second": size / seconds, "seconds": seconds, "evaluations": nfe}
        if problem.device.type == "cuda":
            figures["peak GB"] = torch.cuda.max_memory_allocated() / 1e9
            torch.cuda.reset_peak_memory_stats()
        return figures

    def drawing(size: int) -> dict[str, Any]:
        return {"prior draws a second": size / problem.seconds(lambda: problem.draws(size), 1)}

    for size in sizes:
        for name, block, how in forms(problem, size):
            record.measure(f"{size}, {name}", partial(rate, size, block, how))
    record.measure(f"{sizes[-1]}, prior", partial(drawing, sizes[-1]))


def decoding(record: Record, problem: Problem, batches: list[int], rounds: int) -> None:
    record.begin("decoding")
    model = problem.model

    def styles(count: int) -> Tensor:
        with torch.no_grad():
            w = model.styles(problem.draws(count), TRUNCATION).to(model.device)
        return w[:, None].expand(-1, model.generator.style_count, -1).contiguous()

    def as_in_a_run(count: int) -> dict[str, Any]:
        w = styles(count)[:, 0]
        seconds = problem.seconds(lambda: list(model.decode(w)), rounds)
        return {"images a second": count / seconds}

    def rate(count: int, how: str) -> dict[str, Any]:
        network, w = model.generator.synthesis(), styles(count)
        run: Any = lambda w: to_pixels(network(w))  # noqa: E731
        if how == "compiled":
            run = torch.compile(run, dynamic=False)
        kind = model.device.type
        with torch.no_grad(), torch.autocast(kind, torch.float16, enabled=how == "float16"):
            if how == "CUDA graphs":
                run = torch.cuda.make_graphed_callables(run, (w,))
            seconds = problem.seconds(lambda: run(w).cpu(), rounds)
        return {"images a second": count / seconds}

    kind = problem.model.device.type
    hows = ["eager"] if kind == "cpu" else ["eager", "float16", "CUDA graphs", "compiled"]
    if kind != "cuda" and "CUDA graphs" in hows:
        hows.remove("CUDA graphs")
    for count in batches:
        record.measure(f"{count}, as in a run", partial(as_in_a_run, count))
        for how in hows:
            record.measure(f"{count}, {how}", partial(rate, count, how))


def about(device: str) -> dict[str, Any]:
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or device
    return {
        "device": device,
        "name": name,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "condition": CONDITION,
        "block": rows.OTHER_ROWS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--seconds", type=float, default=450.0)
    parser.add_argument("--quick", action="store_true", help="small batches, once")
    options = parser.parse_args()

    device = choose_device(options.device).type
    record = Record(options.out, options.seconds, SHARES, about(device))
    here = Problem.on("cpu")
    there = here if device == "cpu" else Problem.on(device)
    quick, rounds = options.quick, 1 if options.quick else 3
    sizes, batches = ([64], [2]) if quick else ([64, 1024, 16384], [8, 64])
    with isolated():
        parity(record, here, there, 8 if quick else 64, 2 if quick else 16)
        passes(record, there, sizes, rounds)
        sampling(record, there, sizes, rounds)
        decoding(record, there, batches, rounds)
    print(record.table())
    print(f"{options.out} and {options.out.with_suffix('.md')} are written")


if __name__ == "__main__":
    main()

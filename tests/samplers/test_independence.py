"""Sample i depends on its start alone: on a network of the real size, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from doubles import RealSize

from lacelang import rows
from lacelang.energy import (
    ConditionalEnergy,
    NormalAt,
    Surprisal,
    conjunction,
    disjunction,
    negation,
)
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams, prior

dopri5 = SAMPLERS["dopri5"]
heun = SAMPLERS["heun"]
hmc = SAMPLERS["hmc"]
hybrid = SAMPLERS["hybrid"]
langevin = SAMPLERS["langevin"]
mala = SAMPLERS["mala"]
pc = SAMPLERS["pc"]
rejection = SAMPLERS["rejection"]
smc = SAMPLERS["smc"]

SEED = 3
COUNT = 64
CONDITION = conjunction(
    [
        disjunction([Surprisal("smile", {1}), NormalAt("age", 60.0, 5.0)]),
        negation(Surprisal("glasses", {1})),
        NormalAt("age", 45.0, 8.0),
    ]
)


@pytest.fixture(scope="module")
def energy() -> ConditionalEnergy:
    return ConditionalEnergy(RealSize(), CONDITION)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def run(
    sampler: Callable[..., Solution], energy: ConditionalEnergy, indices: range, threads: int = 1
) -> Solution:
    torch.set_num_threads(threads)
    z0 = prior(SEED, indices, 512)
    return sampler(energy, z0, streams=Streams(SEED, indices))


def short_heun(energy: ConditionalEnergy, z0: torch.Tensor, streams: Streams) -> Solution:
    # A limit that some samples exceed, so that statuses differ too.
    return heun(energy, z0, tolerance=3e-3, max_steps=60, streams=streams)


def short_langevin(energy: ConditionalEnergy, z0: torch.Tensor, streams: Streams) -> Solution:
    return langevin(energy, z0, steps=20, streams=streams)


def loose_dopri5(energy: ConditionalEnergy, z0: torch.Tensor, streams: Streams) -> Solution:
    return dopri5(energy, z0, atol=0.03, rtol=0.03, streams=streams)


SHORT: dict[str, Callable[..., Solution]] = {
    "heun": short_heun,
    "langevin": short_langevin,
    "pc": partial(pc, steps=20, corrector_steps=1),
    # Few enough tries that some samples find nothing.
    "rejection": partial(rejection, max_tries=60),
    "mala": partial(mala, steps=10, warmup=10),
    "hmc": partial(hmc, steps=3, warmup=4, leapfrog=3),
    "hybrid": partial(hybrid, tolerance=0.03, steps=5, warmup=5),
    "smc": partial(smc, particles=5, moves=1, ess=0.1),
}


@pytest.mark.parametrize("sampler", SHORT.values(), ids=SHORT.keys())
def test_alone_in_seven_in_sixty_four_with_one_thread_or_two(
    sampler: Callable[..., Solution], energy: ConditionalEnergy
) -> None:
    whole = run(sampler, energy, range(COUNT))
    if sampler is short_heun:
        assert set(whole.status) == {Status.converged, Status.max_steps}
    if sampler is SHORT["rejection"]:
        assert set(whole.status) == {Status.converged, Status.max_tries}
    others = {
        "the same again": (range(COUNT), run(sampler, energy, range(COUNT))),
        "two threads": (range(8), run(sampler, energy, range(8), threads=2)),
        "a batch of seven": (range(40, 47), run(sampler, energy, range(40, 47))),
        **{
            f"alone, {i}": (range(i, i + 1), run(sampler, energy, range(i, i + 1))) for i in (0, 63)
        },
    }
    for name, (indices, other) in others.items():
        expected = whole.z[indices.start : indices.stop]
        assert torch.equal(other.z, expected), name
        assert torch.equal(other.energy, whole.energy[indices.start : indices.stop]), name
        assert other.status == whole.status[indices.start : indices.stop], name
        for key, values in other.extra.items():
            expected = whole.extra[key][indices.start : indices.stop]
            assert torch.equal(values, expected), name


@pytest.mark.parametrize("sizes", [(rows.TILE, rows.TILE), (1, 1)])
def test_the_same_where_the_kernels_round_by_the_number_of_rows(
    energy: ConditionalEnergy, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int]
) -> None:
    """Blocks of one shape, or of a row, are what is left to a processor whose products do."""
    monkeypatch.setattr(rows, "_sizes", lambda dtype, threads: sizes)
    whole = run(short_heun, energy, range(40))
    alone = run(short_heun, energy, range(39, 40))
    assert torch.equal(alone.z[0], whole.z[39])


def test_dopri5_solves_every_sample_by_itself(energy: ConditionalEnergy) -> None:
    three = run(loose_dopri5, energy, range(3))
    last = run(loose_dopri5, energy, range(2, 3))
    assert torch.equal(last.z, three.z[2:])
    assert last.status == three.status[2:]
    assert len(set(three.stats.nfe.tolist())) > 1  # each has its own step sizes

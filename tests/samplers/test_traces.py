"""What samplers note of their steps: enough for a plot, and little."""

from __future__ import annotations

import math

import pytest
import torch

from lacelang.samplers import SAMPLERS
from lacelang.samplers.driver import Driver
from lacelang.samplers.solution import Solution
from lacelang.samplers.trace import Points, Trace, slot_of
from lacelang.testing.samplers import RIDGE, draw

# `rejection` has no way that leads anywhere: its draws are independent.
NOTING = sorted(set(SAMPLERS) - {"rejection"})


@pytest.mark.parametrize("name", NOTING)
def test_a_trace_leads_from_the_start_to_the_end(name: str) -> None:
    solution = draw(SAMPLERS[name], RIDGE.energy, range(3), RIDGE.dim)
    for row in range(3):
        energy, nfe, accepted, rejected = solution.trace.of_row(row)
        assert 2 <= len(energy) == len(nfe) == len(accepted) == len(rejected) <= 120
        for counts in (nfe, accepted, rejected):
            assert counts == sorted(counts)
        assert nfe[0] >= 1
        assert nfe[-1] == solution.stats.nfe[row]
        assert accepted[-1] == solution.stats.accepted[row]
        assert rejected[-1] == solution.stats.rejected[row]
        assert all(math.isfinite(e) for e in energy)


@pytest.mark.parametrize("name", ["heun", "exponential", "langevin", "dopri5", "euler"])
def test_a_flow_is_seen_to_descend(name: str) -> None:
    options = {"noise": 0.0} if name == "langevin" else {}
    solution = draw(SAMPLERS[name], RIDGE.energy, range(3), RIDGE.dim, **options)
    energy, *_ = solution.trace.of_row(0)
    assert min(energy) <= energy[0]
    assert energy[-1] == pytest.approx(float(solution.energy[0]), abs=1e-3)


def test_rejection_notes_no_way() -> None:
    solution = draw(SAMPLERS["rejection"], RIDGE.energy, range(2), RIDGE.dim)
    assert len(solution.trace.of_row(0)[0]) == 1


def test_the_kept_steps_are_bounded_and_the_first_are_all_kept() -> None:
    slots = [slot_of(step) for step in range(20_000)]
    assert slots[:16] == list(range(16))
    for octave in range(4, 14):
        kept = [slot for slot in slots[2**octave : 2 ** (octave + 1)] if slot is not None]
        assert len(kept) == 8
    # Each point has a place of its own, in the order of the steps.
    kept = [slot for slot in slots if slot is not None]
    assert kept == list(range(len(kept)))
    assert len(kept) < 110


def test_what_is_noted_is_not_what_happens_later() -> None:
    run = Driver(RIDGE.energy, torch.zeros(2, RIDGE.dim))
    run.evaluate(run.z)
    energy = torch.tensor([1.0, 2.0])
    run.note(energy)
    run.count(torch.tensor([True, False]))
    run.keep(torch.tensor([False, True]))
    run.note(torch.tensor([5.0]))
    trace = run.result().trace
    assert trace.of_row(0)[0][:1] == [1.0]
    assert trace.of_row(0)[2] == [0, 1]
    assert trace.of_row(1)[0][:2] == [2.0, 5.0]
    assert trace.of_row(1)[3] == [0, 1, 1]


def points(row: int, energies: list[float], size: int = 2) -> Trace:
    """The trace of one of `size` samples."""
    noted = Points(torch.zeros(size))
    for place, energy in enumerate(energies):
        counts = [torch.tensor([place])] * 3
        noted.note(place, torch.tensor([row]), torch.tensor([energy]), counts)
    return noted.trace()


def test_traces_of_parts_are_joined_by_position() -> None:
    whole = Trace.joined([(points(0, [1.0, 2.0], 1), [3]), (points(1, [5.0]), [0, 2])])
    assert whole.of_row(3)[0] == [1.0, 2.0]
    assert whole.of_row(2)[0] == [5.0]
    assert whole.of_row(0)[0] == whole.of_row(1)[0] == []
    assert Trace.joined([]).of_row(0)[0] == []


def test_one_sampler_after_another_counts_on() -> None:
    spent = torch.tensor([10, 20])
    both = points(1, [1.0]).then(points(1, [2.0, 3.0]), spent, spent, spent)
    assert both.of_row(1) == ([1.0, 2.0, 3.0], [0, 20, 21], [0, 20, 21], [0, 20, 21])


def test_a_sampler_of_ones_own_need_note_nothing() -> None:
    z = torch.zeros(2, 3)
    from lacelang.samplers.solution import unmoved

    solution: Solution = unmoved(z)
    assert solution.trace.of_row(0)[0] == []

"""How long sampling takes: the median of some rounds, after one that is not counted.

On a CPU what counts is the processor's time: sampling keeps one core busy, and other programs on
the machine hardly lengthen it. Other devices work apart from it, and are timed by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter, process_time
from typing import TypeVar

from lacelang.generators.declaration import choose_device

ROUNDS = 3
K = TypeVar("K")


def once(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    clock = process_time if choose_device("auto").type == "cpu" else perf_counter
    begun = clock()
    work()
    return clock() - begun


def medians(
    work: Mapping[K, Callable[[], object]], rounds: int = ROUNDS
) -> dict[K, tuple[float, float]]:
    """Time several pieces of work in turns, so that what slows the machine down slows all of them.

    By name the median, and the largest distance of a round from it, in seconds.
    """
    for one in work.values():
        one()
    taken = [{name: once(one) for name, one in work.items()} for _ in range(rounds)]
    found = {}
    for name in work:
        seconds = [each[name] for each in taken]
        middle = median(seconds)
        found[name] = (middle, max(abs(s - middle) for s in seconds))
    return found

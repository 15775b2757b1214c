"""The time of sampling: the median of several rounds after a warm-up round.

On a CPU, processor time is measured: sampling keeps one core busy, and other load has little effect
on it. Other devices run asynchronously and are measured by wall-clock time.
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
    """Return the seconds that a function takes."""
    clock = process_time if choose_device("auto").type == "cpu" else perf_counter
    begun = clock()
    work()
    return clock() - begun


def medians(
    work: Mapping[K, Callable[[], object]], rounds: int = ROUNDS
) -> dict[K, tuple[float, float]]:
    """Time several functions alternately, so that other load affects all of them equally.

    Returns by name the median and the largest deviation of a round from it, in seconds.
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

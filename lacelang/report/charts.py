"""Numbers as shapes: where the bars of a histogram and the lines of a trace are drawn.

A chart is `WIDTH` by `HEIGHT` units; the templates write it as SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.text.numerals import number_text

WIDTH, HEIGHT = 320, 120
BINS = 20
#: Bars that are lower are not drawn.
_SEEN = 0.05


@frozen
class Histogram:
    """Shares of a group's samples, and of draws from the prior where there are any.

    Attributes:
        bars: of the group, as the data of an SVG path.
        prior: of the prior, on the same scale; empty where it is not known.
        ticks: labels below, each with its place.
        summary: the chart in words.
    """

    title: str
    bars: str
    prior: str
    ticks: tuple[tuple[float, str], ...]
    summary: str


def of_classes(
    title: str, names: Sequence[str], group: Sequence[float], prior: Sequence[float]
) -> Histogram:
    """Return the histogram of classes from their shares, (k,) each, which sum to 1."""
    step = WIDTH / len(names)
    top = max(*group, *prior, 1e-9)
    inset = min(0.2 * step, 8.0)
    words = (
        f"{name} {own:.0%} (prior {other:.0%})"
        for name, own, other in zip(names, group, prior, strict=True)
    )
    return Histogram(
        title,
        _path([HEIGHT * share / top for share in group], step, 1.5 * inset),
        _path([HEIGHT * share / top for share in prior], step, 0.5 * inset),
        tuple(((k + 0.5) * step, name) for k, name in enumerate(names)),
        f"{title}: {', '.join(words)}",
    )


def of_values(
    title: str,
    group: NDArray[np.floating[Any]],
    prior: NDArray[np.floating[Any]] | None,
    unit: str | None = None,
    limits: tuple[float, float] | None = None,
) -> Histogram:
    """Return the histogram of values (n,), finite and at least one, and of the prior's (m,)."""
    both = group if prior is None else np.concatenate([group, prior])
    low, high = limits or (float(both.min()), float(both.max()))
    if not low < high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    shares = [
        np.histogram(each.clip(low, high), edges)[0] / len(each)
        for each in (group, prior)
        if each is not None
    ]
    top = max(float(each.max()) for each in shares)
    own, *others = (
        _path([HEIGHT * float(share) / top for share in each], WIDTH / BINS, inset)
        for each, inset in zip(shares, (1.0, 0.0), strict=False)
    )
    ends = f" {unit}" if unit else ""
    words = f"mean {_short(float(group.mean()))}{ends}, from {_short(float(group.min()))} to "
    words += f"{_short(float(group.max()))}"
    if prior is not None:
        words += f"; prior mean {_short(float(prior.mean()))}{ends}"
    ticks = ((WIDTH * (tick - low) / (high - low), text) for tick, text in round_ticks(low, high))
    return Histogram(title, own, "".join(others), tuple(ticks), f"{title}: {words}")


def _path(heights: Sequence[float], step: float, inset: float) -> str:
    """Bars from the bottom as the data of an SVG path."""
    width = step - 2 * inset
    return "".join(
        f"M{k * step + inset:.1f} {HEIGHT}v-{height:.1f}h{width:.1f}v{height:.1f}z"
        for k, height in enumerate(heights)
        if height >= _SEEN
    )


def round_ticks(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """Return up to `most` round numbers from `low` to `high`, 1, 2 or 5 times a power of ten apart.

    Of a range that has none, its ends.
    """
    exact = (high - low) / most
    power = 10.0 ** math.floor(math.log10(exact))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= exact)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    found = [(k * step, number_text(round(k * step, decimals))) for k in range(first, last + 1)]
    if len(found) > most + 1:
        found = found[::2]
    return found or [(low, _short(low)), (high, _short(high))]


@frozen
class Line:
    """Points of a line as SVG writes them: `x,y x,y …`."""

    points: str


@frozen
class Plot:
    """Lines of samples, and their middle.

    Attributes:
        lines: of single samples.
        middle: the median of all.
        x_ticks, y_ticks: labels, each with its place.
        summary: the plot in words.
    """

    title: str
    lines: tuple[Line, ...]
    middle: Line | None
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_label: str
    summary: str


Series: TypeAlias = tuple[Sequence[float], Sequence[float | None]]
"""x and y of a sample, (n,) each, x rising."""

MOST_LINES = 64
_MIDDLES = 48


def of_series(
    title: str, series: Sequence[Series], x_label: str, log: bool = False, unit: bool = False
) -> Plot | None:
    """Return a plot of lines; None if there is nothing to draw.

    Args:
        log: the vertical axis is logarithmic far from 0 and linear near it.
        unit: the vertical axis goes from 0 to 1.
    """
    known = [_finite(x, y) for x, y in series]
    known = [each for each in known if len(each[0]) > 1]
    if not known:
        return None
    scale = _symlog if log else float
    right = max(max(x) for x, _ in known) or 1.0
    scaled = [(x, [scale(value) for value in y]) for x, y in known]
    low, high = min(min(y) for _, y in scaled), max(max(y) for _, y in scaled)
    if unit:
        low, high = 0.0, 1.0
    elif log:
        low, high = min(low, 0.0), max(high, 1.0)
    if not low < high:
        low, high = low - 0.5, high + 0.5

    def line(x: Sequence[float], y: Sequence[float]) -> Line:
        places = (
            f"{WIDTH * a / right:.1f},{HEIGHT * (1 - (b - low) / (high - low)):.1f}"
            for a, b in zip(x, y, strict=True)
        )
        return Line(" ".join(places))

    grid = np.linspace(0.0, right, _MIDDLES)
    # Each sample stays where it ended.
    held = np.array([np.interp(grid, x, y) for x, y in scaled])
    middle = np.median(held, axis=0)
    first, last = (_unscaled(float(each), log) for each in (middle[0], middle[-1]))
    return Plot(
        title,
        tuple(line(x, y) for x, y in scaled[:MOST_LINES]),
        line(list(grid), list(middle)),
        tuple((WIDTH * tick / right, text) for tick, text in round_ticks(0.0, right)),
        tuple(
            (HEIGHT * (1 - (place - low) / (high - low)), text)
            for place, text in _y_ticks(low, high, log)
        ),
        x_label,
        f"{title}, {len(known)} samples: median from {_short(first)} to {_short(last)} "
        f"after {_short(right)} {x_label}",
    )


def _finite(x: Sequence[float], y: Sequence[float | None]) -> tuple[list[float], list[float]]:
    kept = [(a, b) for a, b in zip(x, y, strict=True) if b is not None and math.isfinite(b)]
    return [a for a, _ in kept], [b for _, b in kept]


def _symlog(value: float) -> float:
    return math.copysign(math.log10(1.0 + abs(value)), value)


def _unscaled(value: float, log: bool) -> float:
    return math.copysign(10.0 ** abs(value) - 1.0, value) if log else value


def _y_ticks(low: float, high: float, log: bool) -> list[tuple[float, str]]:
    if not log:
        return round_ticks(low, high, 3)
    values = [sign * 10**power for power in range(0, 12) for sign in (-1, 1)] + [0]
    inside = sorted((_symlog(v), number_text(v)) for v in values if low <= _symlog(v) <= high)
    every = max(1, len(inside) // 5)
    return inside[::every]


def _short(value: float) -> str:
    """A number to three digits."""
    return number_text(float(f"{value:.3g}"))

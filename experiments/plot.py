"""Figures: points of several series over two quantities."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from typing import Any

from PIL import Image

from lacelang.errors import ResourceError
from lacelang.evaluate.report import Picture
from lacelang.storage.cache import cache_dir

Points = Mapping[str, Sequence[tuple[float, ...]]]
"""By series: x, y and, if it has one, half the width of an interval around y."""

_MARKS = "osD^vPX*<>hd"
_INCHES = (8.4, 4.6)
_DPI = 110


def scatter(
    name: str, title: str, x: str, y: str, points: Points, *, log: str = "", lines: bool = False
) -> Picture:
    """A figure of points (x, y) by series, drawn when it is saved.

    `log` names the logarithmic axes; with `lines` the points of a series are joined. A third number
    of a point is half the width of an interval around its y.
    """
    data: dict[str, Any] = {"name": name, "title": title, "x": x, "y": y, "points": points}
    data |= {"log": list(log), "lines": lines}
    return Picture(name, title, partial(_draw, data), data)


@contextmanager
def _own_folder() -> Iterator[None]:
    """Let matplotlib keep its list of fonts in the cache, unless it is already imported."""
    name = "MPLCONFIGDIR"
    if name in os.environ or "matplotlib" in sys.modules:
        yield
        return
    os.environ[name] = str(cache_dir() / "matplotlib")
    try:
        yield
    finally:
        del os.environ[name]


def _draw(figure: Mapping[str, Any]) -> Image.Image:
    with _own_folder():
        return _drawn(figure)


def _drawn(figure: Mapping[str, Any]) -> Image.Image:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ResourceError(
            "drawing figures needs matplotlib", "install it: pip install 'lacelang[experiments]'"
        ) from error
    canvas = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    axes = canvas.subplots()
    for (name, points), mark in zip(figure["points"].items(), cycle(_MARKS), strict=False):
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        line = "-" if figure["lines"] and len(points) > 1 else ""
        axes.plot(xs, ys, marker=mark, linestyle=line, label=name, alpha=0.8, markersize=6)
        for x, y, half in (point for point in points if len(point) > 2):
            axes.plot([x, x], [y - half, y + half], color=axes.lines[-1].get_color(), alpha=0.5)
    for axis in figure["log"]:
        axes.set(**{f"{axis}scale": "log"})
    axes.set(xlabel=figure["x"], ylabel=figure["y"])
    axes.set_title(figure["title"], fontsize=11)
    axes.grid(alpha=0.25)
    canvas.legend(loc="outside right upper", fontsize=8)
    data = io.BytesIO()
    canvas.savefig(data, format="png")
    return Image.open(data)

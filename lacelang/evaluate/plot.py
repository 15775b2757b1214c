"""Figures as PNG files."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

from lacelang.errors import ResourceError
from lacelang.evaluate.report import Scatter
from lacelang.storage.cache import cache_dir

_MARKS = "osD^vPX*<>hd"
_INCHES = (8.4, 4.6)
_DPI = 110


def as_png(figure: Scatter) -> bytes:
    """Draw a figure.

    Raises:
        ResourceError: matplotlib is not installed.
    """
    with _own_folder():
        return _draw(figure)


@contextmanager
def _own_folder() -> Iterator[None]:
    """Let matplotlib, if nobody has imported it, keep its list of fonts in the cache."""
    name = "MPLCONFIGDIR"
    if name in os.environ or "matplotlib" in sys.modules:
        yield
        return
    os.environ[name] = str(cache_dir() / "matplotlib")
    try:
        yield
    finally:
        del os.environ[name]


def _draw(figure: Scatter) -> bytes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ResourceError(
            "drawing figures needs matplotlib", "install it: pip install 'lacelang[evaluate]'"
        ) from error
    canvas = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    axes = canvas.subplots()
    for (name, points), mark in zip(figure.points.items(), cycle(_MARKS), strict=False):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        line = "-" if figure.lines and len(points) > 1 else ""
        axes.plot(xs, ys, marker=mark, linestyle=line, label=name, alpha=0.8, markersize=6)
    if "x" in figure.log:
        axes.set_xscale("log")
    if "y" in figure.log:
        axes.set_yscale("log")
    axes.set_xlabel(figure.x)
    axes.set_ylabel(figure.y)
    axes.set_title(figure.title, fontsize=11)
    axes.grid(alpha=0.25)
    canvas.legend(loc="outside right upper", fontsize=8)
    data = io.BytesIO()
    canvas.savefig(data, format="png")
    return data.getvalue()

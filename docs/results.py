"""Measured tables beside the published ones: the made parts of results.md.

Every part reads what `python -m experiments NAME` has left in docs/MODEL/NAME/report.json, and says
which published orderings of two systems are found here as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from attrs import field, frozen

from lacelang.render.markdown import markdown_table

DOCS = Path(__file__).resolve().parent
#: Measures of which less is better; `s` and `min` are of time.
LOWER = {"FID", "intra-FID", "s", "min", "ID"}

Figures = Mapping[str, float]
"""By measure."""
Source = tuple[str, int]
"""The name of a report, and the number of a table in it, from 1."""


@frozen
class System:
    """One row: a system's name, its figures here and published; images judged, if known."""

    name: str
    found: Figures
    published: Figures
    images: int | None = None
    deviations: Figures = field(factory=dict)


@frozen
class Ordering:
    """In which measure a system is published as better than another, and what was found."""

    measure: str
    better: System
    worse: System

    @property
    def verdict(self) -> str:
        """`holds`, `reversed`, or `within noise`: below the deviations, or two standard errors."""
        ahead = self.better.found[self.measure] - self.worse.found[self.measure]
        ahead = -ahead if self.measure in LOWER else ahead
        if abs(ahead) <= self._noise():
            return "within noise"
        return "holds" if ahead > 0 else "reversed"

    def _noise(self) -> float:
        both = (self.better, self.worse)
        if all(self.measure in s.deviations for s in both):
            return math.hypot(*(s.deviations[self.measure] for s in both))
        if self.measure in LOWER or any(s.images is None for s in both):
            return 0.0
        return 2 * math.hypot(*(_share_error(s.found[self.measure], s.images or 1) for s in both))


def _share_error(share: float, count: int) -> float:
    """The standard error of a share; of none or all of them, as if one more were different."""
    near = (share * count + 1) / (count + 2)
    return math.sqrt(near * (1 - near) / count)


def orderings(systems: Sequence[System]) -> Iterator[Ordering]:
    """All orderings that are published of two systems and can be compared."""
    for one, other in combinations(systems, 2):
        for measure in one.published:
            if not all(measure in each for each in (other.published, one.found, other.found)):
                continue
            if one.published[measure] == other.published[measure]:
                continue
            ahead = (one.published[measure] > other.published[measure]) ^ (measure in LOWER)
            better, worse = (one, other) if ahead else (other, one)
            yield Ordering(measure, better, worse)


def part(systems: Sequence[System]) -> str:
    """A table, `here (published)`, and the verdict on its orderings."""
    if not systems:
        return "Not measured yet.\n"
    measures = list(dict.fromkeys(m for s in systems for m in (*s.found, *s.published)))
    rows = [[s.name, *(_cell(s, measure) for measure in measures)] for s in systems]
    table = markdown_table(["system", *measures], rows, [False, *(True for _ in measures)])
    return f"{table.rstrip()}\n\n{_said(list(orderings(systems)))}\n"


def _cell(system: System, measure: str) -> str:
    here, there = (figure(each.get(measure)) for each in (system.found, system.published))
    return f"{here or '–'} ({there})" if there else here


def _said(found: Sequence[Ordering]) -> str:
    if not found:
        return "Nothing here can be ordered as published."
    by: dict[str, list[Ordering]] = {"holds": [], "within noise": [], "reversed": []}
    for each in found:
        by[each.verdict].append(each)
    counts = f"Of {len(found)} published orderings, {len(by['holds'])} hold"
    if by["within noise"]:
        counts += f", {len(by['within noise'])} are within the noise"
    if not by["reversed"]:
        return f"{counts}, none is reversed."
    groups: dict[tuple[str, str], list[str]] = {}
    for each in by["reversed"]:
        groups.setdefault((each.measure, each.better.name), []).append(each.worse.name)
    listed = "\n".join(
        f"- {measure}: {better} is published as better than {'; '.join(worse)}"
        for (measure, better), worse in groups.items()
    )
    return f"{counts}, {len(by['reversed'])} are reversed:\n\n{listed}"


def figure(value: float | None) -> str:
    """Three figures that count, `0.998` and `20.9`."""
    if value is None:
        return ""
    return (
        f"{value:.3f}"
        if abs(value) < 2
        else f"{value:.1f}"
        if abs(value) < 1000
        else f"{value:.0f}"
    )


# Reading reports


def tables(name: str) -> list[dict[str, Any]]:
    """The tables of a report; none if it was not made."""
    for path in DOCS.glob(f"*/{name}/report.json"):
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["tables"]
        return found
    return []


def beside(
    sources: Sequence[Source],
    label: str,
    measures: Mapping[str, tuple[str, str]],
    noise: float = 0.0,
    images: int | None = None,
) -> list[System]:
    """Systems of tables whose columns pair a figure with the published one.

    `measures` has, by the name of a measure, the column here and the published one's. Rows of
    several tables with one label are one system; rows without any published figure are dropped.
    `noise` is the deviation of distances and seconds, as a share of a figure; `images` is how many
    were judged, where rows do not say.
    """
    merged: dict[str, dict[str, Any]] = {}
    for row in _rows(sources):
        merged.setdefault(str(row[label]), {}).update(row)
    found = []
    for name, row in merged.items():
        here = {m: v for m, (ours, _) in measures.items() if (v := _number(row.get(ours)))}
        there = {m: v[0] for m, (_, theirs) in measures.items() if (v := _number(row.get(theirs)))}
        deviations = {m: v[1] for m, v in here.items() if v[1] is not None}
        deviations |= {
            m: noise * v[0] for m, v in here.items() if noise and m in ("FID", "s", "min")
        }
        if there:
            figures = {m: v[0] for m, v in here.items()}
            seen = row.get("faces", row.get("images", images))
            found.append(System(_NAMES.get(name, name), figures, there, seen, deviations))
    return found


def rows_beside(
    sources: Sequence[Source], names: Mapping[str, tuple[str, str]], measures: Sequence[str]
) -> list[System]:
    """Systems of tables in which published systems have rows of their own.

    `names` has, by the name of a system, the label of its row here and that of the published one.
    """
    merged: dict[str, dict[str, Any]] = {}
    for row in _rows(sources):
        known = {key: value for key, value in row.items() if value is not None}
        merged.setdefault(str(next(iter(row.values()))), {}).update(known)
    found = []
    for name, labels in names.items():
        here, there = (
            {m: v[0] for m in measures if (v := _number(merged.get(label, {}).get(m)))}
            for label in labels
        )
        if here or there:
            found.append(System(name, here, there, merged.get(labels[0], {}).get("faces")))
    return found


def _rows(sources: Sequence[Source]) -> Iterator[dict[str, Any]]:
    for report, number in sources:
        every = tables(report)
        if number <= len(every):
            yield from every[number - 1]["rows"]


def _number(value: object) -> tuple[float, float | None] | None:
    """The figure of a cell and its deviation: of a number, or of text such as `18.0 ± 0.8`."""
    if isinstance(value, str):
        mean, _, deviation = value.partition("±")
        return float(mean), float(deviation) if deviation else None
    return None if value is None else (float(value), None)  # type: ignore[arg-type]


#: What the paper calls the samplers.
_NAMES = {
    "exponential": "LACE, `exponential`",
    "dopri5": "LACE-ODE (`dopri5`)",
    "langevin(preset=paper)": "LACE-LD",
    "pc": "LACE-PC",
}


# The parts

_GLASSES = {"glasses": ("glasses", "paper's glasses")}
_JOINT = {name: (name, f"paper's {name}") for name in ("gender", "smile", "age")}
_COSTS = {"FID": ("× unconditioned", "paper's FID"), "s": ("s for 64", "paper's s")}
_ORDERS = {"LACE": ("default", "paper: LACE-ODE"), "StyleFlow": ("StyleFlow", "paper: StyleFlow")}
_LINES = ("yaw", "smile", "age", "glasses")
_PIXELS = {
    "ACC": ("ACC", "paper's ACC"),
    "FID": ("FID", "paper's FID"),
    "s": ("s for 64", "paper's s"),
    "min": ("min to train", "paper's min"),
}
_SLIDES = {name: (name, f"slides' {name}") for name in ("FID", "IS", "intra-FID")}


def _of_faces(numbers: tuple[int, int], flow: int, accuracy: Mapping[str, tuple[str, str]]) -> str:
    sources = [*(("conditional", number) for number in numbers), ("styleflow", flow)]
    return part(beside(sources, "method", {**accuracy, **_COSTS}, 0.1))


def _of_edits(number: int, flow: int) -> str:
    sources = [("editing", number), ("styleflow", flow)]
    return part(rows_beside(sources, _ORDERS, ("DES", *_LINES)))


def _of_prior(number: int) -> str:
    return part(rows_beside([("editing_prior", number)], _ORDERS, ("DES", "ID", *_LINES)))


_DIGITS = {"ACC": ("ACC", "paper's ACC"), "FID": ("Fréchet", "paper's FID")}
PARTS: dict[str, Callable[[], str]] = {
    "beside_systems": lambda: part(beside([("systems", 1)], "system", _PIXELS, 0.1, 1000)),
    "beside_digits": lambda: part(beside([("digits", 2)], "method", _DIGITS, 0.1)),
    "beside_glasses": lambda: _of_faces((2, 3), 1, _GLASSES),
    "beside_joint": lambda: _of_faces((4, 5), 2, _JOINT),
    "beside_edits": lambda: _of_edits(1, 4),
    "beside_reordered": lambda: _of_edits(2, 5),
    "beside_prior": lambda: _of_prior(1),
    "beside_prior_reordered": lambda: _of_prior(3),
    "beside_cgan": lambda: part(beside([("cgan", 1)], "system", _SLIDES)),
}

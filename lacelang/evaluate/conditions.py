"""A suite that is a program: every condition it samples, judged beside the paper's figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lacelang.evaluate.judged import Judged, judge_groups
from lacelang.evaluate.report import Report, Table
from lacelang.evaluate.scores import Score, scores
from lacelang.evaluate.sheets import sheet_of

if TYPE_CHECKING:
    from lacelang.api import Program
    from lacelang.progress import Progress

#: The paper's figures by row and attribute (LACE-ODE; table 2 and section 4.1).
PAPER: dict[tuple[str, str], float] = {
    ("a", "smile"): 0.935,
    ("a", "glasses"): 0.982,
    ("b", "smile"): 0.906,
    ("b", "glasses"): 0.939,
    ("glasses", "glasses"): 0.998,
    ("codes", "gender"): 0.969,
    ("codes", "smile"): 0.982,
    ("codes", "age"): 0.914,
}


def evaluate(name: str, program: Program, progress: Progress) -> Report:
    """Sample a program's groups and judge every face from its image.

    Groups whose names begin with the same word are one row: they share a condition's shape.
    """
    rows: dict[str, list[Judged]] = {}
    for judged in judge_groups(program, progress):
        rows.setdefault(judged.statement.name.split()[0], []).append(judged)
    return Report(
        name,
        tuple(_table(row, members) for row, members in rows.items()),
        sheets=tuple(sheet_of(members[0]) for members in rows.values()),
    )


def _table(row: str, members: list[Judged]) -> Table:
    first = members[0]
    pairs = [(m.statement.where, m.columns) for m in members if m.statement.where is not None]
    faces = sum(len(m.features) for m in members)
    held = np.concatenate([m.satisfied for m in members]).mean()
    seconds = sum(m.group.stats.seconds for m in members)
    condition = first.group.record.condition or "no condition"
    more = f" and {len(members) - 1} more like it" if len(members) > 1 else ""
    return Table(
        title=f"{row}: {condition}{more}",
        columns=("comparison", "judged", "mean |Δ|", "unit", "paper"),
        rows=tuple(_cells(row, score) for score in scores(pairs)),
        note=f"{faces} faces; {held:.3f} show the whole condition; "
        f"{first.group.record.settings['sampler']}, sampling {seconds:.1f} s",
    )


def _cells(row: str, score: Score) -> tuple[str | float | None, ...]:
    paper = PAPER.get((row, score.attribute))
    return (score.wanted, score.accuracy, score.error, score.unit, paper)

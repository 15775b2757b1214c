"""Evaluation of any program: every condition that it samples, comparison by comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from lacelang import ir
from lacelang.api import Program
from lacelang.evaluate import reference
from lacelang.evaluate.judged import METRICS, Judged, judge_groups
from lacelang.evaluate.report import Report, Row, Table
from lacelang.evaluate.scores import scores
from lacelang.evaluate.sheets import sheet_of
from lacelang.progress import Progress
from lacelang.system.torch_state import isolated

#: Figures to set beside one's own: row → attribute → accuracy.
Published = Mapping[str, Mapping[str, float]]


def evaluate(
    program: Program,
    name: str,
    progress: Progress,
    faces: int | None = None,
    paper: Published | None = None,
) -> Report:
    """Sample a program's groups and judge every face from its image.

    Groups whose names begin with the same word become one table. At most `faces` of each are
    sampled. Figures of a paper get a column of their own.

    Raises:
        ResourceError: weights cannot be had.
    """
    rows: dict[str, list[Judged]] = {}
    with isolated(threads=False):
        shown = at_most(program, faces)
        if not shown.samples:
            return Report(name, [])
        by_row: dict[str, list[ir.SampleStatement]] = {}
        for statement in shown.samples:
            by_row.setdefault(statement.name.split()[0], []).append(statement)
        references = reference.statements([first for first, *_ in by_row.values()], progress)
        both = evolve(shown.checked, statements=(*shown.samples, *references), source="")
        judged = judge_groups(Program(both), progress)
        count = len(shown.samples)
        for one in judged[:count]:
            rows.setdefault(one.statement.name.split()[0], []).append(one)
        tables = [_table(row, groups, paper) for row, groups in rows.items()]
        *others, centre = judged[count:]
        compared = [
            (row, reference.Compared(groups, other, centre))
            for (row, groups), other in zip(rows.items(), others, strict=True)
        ]
        varied = reference.table(compared)
        pictures = [sheet_of(groups[0]) for groups in rows.values()]
        return Report(name, [*tables, *([] if varied is None else [varied])], pictures)


def at_most(program: Program, faces: int | None) -> Program:
    """Return the program with at most `faces` samples of each group, if that is not None."""
    return program if faces is None else Program(program.checked.at_most(faces))


def _table(row: str, groups: Sequence[Judged], paper: Published | None) -> Table:
    rows: list[Row] = []
    for score in scores(one.asked for one in groups):
        published = {} if paper is None else {"paper": paper.get(row, {}).get(score.attribute)}
        rows.append({"comparison": score.wanted, **score.judged, **published})
    first = groups[0].group.record
    more = f" and {len(groups) - 1} more like it" if len(groups) > 1 else ""
    metrics = ", ".join(f"{metric(groups):.3f} {said}" for said, metric in METRICS.items())
    seconds = sum(one.group.stats.seconds for one in groups)
    return Table(
        f"{row}: {first.condition or 'no condition'}{more}",
        rows,
        f"{sum(map(len, groups))} faces; {metrics}; "
        f"{first.settings['sampler']}, sampling {seconds:.1f} s",
    )

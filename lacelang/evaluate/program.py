"""Evaluation of any program: every condition that it samples, comparison by comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from lacelang.api import Program
from lacelang.evaluate import reference
from lacelang.evaluate.judged import METRICS, Judged, judge_groups, require_judges
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
        require_judges(shown.samples)  # before a model is loaded
        asked = reference.asked(shown.samples, progress)
        others = [each.reference for each in asked]
        statements = (*shown.samples, *others, reference.prior_of(shown.samples))
        judged = judge_groups(Program(evolve(shown.checked, statements=statements)), progress)
        groups = judged[: len(shown.samples)]
        for one in groups:
            rows.setdefault(one.statement.name.split()[0], []).append(one)
        tables = tables_of(rows.values(), paper)
        compared = [
            reference.Compared([groups[place] for place in each.groups], drawn, judged[-1])
            for each, drawn in zip(asked, judged[len(groups) : -1], strict=True)
        ]
        varied = reference.table(compared)
        pictures = [sheet_of(some[0]) for some in rows.values()]
        return Report(name, [*tables, *([] if varied is None else [varied])], pictures)


def at_most(program: Program, faces: int | None) -> Program:
    """Return the program with at most `faces` samples of each group, if that is not None."""
    return program if faces is None else Program(program.checked.at_most(faces))


def tables_of(rows: Iterable[Sequence[Judged]], paper: Published | None = None) -> list[Table]:
    """Return a table of each of some lists of groups, whose names begin with the same word."""
    return [_table(groups, paper) for groups in rows]


def _table(groups: Sequence[Judged], paper: Published | None) -> Table:
    rows: list[Row] = []
    row = groups[0].statement.name.split()[0]
    for score in scores(one.asked for one in groups):
        published = {} if paper is None else {"paper": paper.get(row, {}).get(score.attribute)}
        rows.append({"comparison": score.wanted, **score.judged, **published})
    first = groups[0].group.record
    more = f" and {len(groups) - 1} more like it" if len(groups) > 1 else ""
    metrics = ", ".join(f"{metric(groups):.3f} {said}" for said, metric in METRICS.items())
    seconds = sum(one.group.stats.seconds for one in groups)
    sampled = f", sampling {seconds:.1f} s" if seconds else ""
    return Table(
        f"{row}: {first.condition or 'no condition'}{more}",
        rows,
        f"{sum(map(len, groups))} samples; {metrics}; {first.settings['sampler']}{sampled}",
    )

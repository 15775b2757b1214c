"""Grids of groups: those of one loop together, or any that a person names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from lacelang.render.grid import (
    MOST_COLUMNS,
    MOST_IN_A_CELL,
    MOST_ROWS,
    Grid,
    Shown,
    evenly,
)
from lacelang.storage.files import folder_name
from lacelang.storage.records import GroupRecord, TurnRecord

MOST_SAMPLES = 16
"""Of so many samples each row shows the first ones."""


@frozen(eq=False)
class LoopGrid:
    """The grid of the groups that one statement in loops has made, and a name for its file."""

    name: str
    grid: Grid


def loop_grids(groups: Iterable[GroupRecord]) -> list[LoopGrid]:
    """Return a grid for each statement in loops that has made several groups.

    One loop: a row for each value, the samples side by side. Several: a column for each value of
    the innermost one, a row for what the others make, and in each cell the first samples.
    """
    together: dict[tuple[str | None, str, tuple[str, ...]], list[GroupRecord]] = {}
    for group in groups:
        if group.loop is not None:
            names = tuple(turn.variable for turn in group.loop.turns)
            together.setdefault((group.origin, group.loop.at, names), []).append(group)
    found: list[LoopGrid] = []
    for (_, _, names), made in together.items():
        if len(made) > 1:
            name = folder_name(f"grid_{'_'.join(names)}", [each.name for each in found])
            found.append(LoopGrid(name, _of_loop(made)))
    return found


def _of_loop(groups: Sequence[GroupRecord]) -> Grid:
    turns = {group.name: group.loop.turns for group in groups if group.loop is not None}
    variables = [turn.variable for turn in next(iter(turns.values()))]
    title = _pattern(groups) or f"for {', '.join(variables)}"
    if len(variables) == 1:
        labelled = {_words(turns[group.name]): group for group in groups}
        # A value that stands there twice names no group.
        whole = len(labelled) == len(groups)
        return sample_grid(title, labelled.items() if whole else _named(groups))
    rows, columns = (
        list(dict.fromkeys(_words(part) for part in parts))
        for parts in (
            [each[:-1] for each in turns.values()],
            [each[-1:] for each in turns.values()],
        )
    )
    places = {
        (rows.index(_words(turns[g.name][:-1])), columns.index(_words(turns[g.name][-1:]))): g
        for g in groups
    }
    return crossed_grid(title, rows, columns, places)


def sample_grid(
    title: str,
    rows: Iterable[tuple[str, GroupRecord]],
    samples: Sequence[int] | None = None,
    across: bool = True,
) -> Grid:
    """Return a grid of groups, labelled, by samples.

    Args:
        samples: indices of those to show; None takes the first `MOST_SAMPLES`.
        across: samples are columns, and groups rows; else the other way round.
    """
    labelled = list(rows)
    groups = [group for _, group in labelled]
    if samples is None:
        most = max((len(group.samples) or group.count for group in groups), default=0)
        samples = range(min(most, MOST_SAMPLES))
    chosen = evenly(len(labelled), MOST_ROWS if across else MOST_COLUMNS)
    samples = list(samples)[: MOST_COLUMNS if across else MOST_ROWS]
    cells = {}
    for place, number in enumerate(chosen):
        group = groups[number]
        for other, index in enumerate(samples):
            if index < len(group.samples):
                key = (place, other) if across else (other, place)
                cells[key] = (_shown(group, index),)
    names = tuple(labelled[number][0] for number in chosen)
    numbers = tuple(f"{index:04d}" for index in samples)
    facts = _facts(groups)
    if len(chosen) < len(labelled):
        facts.append(f"{len(chosen)} of {len(labelled)} groups")
    return Grid(title, tuple(facts), *((names, numbers) if across else (numbers, names)), cells)


def crossed_grid(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    places: dict[tuple[int, int], GroupRecord],
    samples: Sequence[int] = range(MOST_IN_A_CELL),
) -> Grid:
    """Return a grid with a group in each cell, by row and column: some of its samples."""
    across, down = evenly(len(columns), MOST_COLUMNS), evenly(len(rows), MOST_ROWS)
    samples = list(samples)[:MOST_IN_A_CELL]
    cells = {}
    for row, of_rows in enumerate(down):
        for column, of_columns in enumerate(across):
            group = places.get((of_rows, of_columns))
            if group is not None:
                there = (index for index in samples if index < len(group.samples))
                cells[row, column] = tuple(_shown(group, index) for index in there)
    facts = _facts(list(places.values()))
    most = max((len(group.samples) for group in places.values()), default=0)
    shown = max(map(len, cells.values()), default=0)
    if shown < most:
        facts.append(f"{shown} of {most} samples in each cell")
    if len(down) < len(rows) or len(across) < len(columns):
        facts.append(f"{len(down)} of {len(rows)} rows, {len(across)} of {len(columns)} columns")
    names = (tuple(rows[k] for k in down), tuple(columns[k] for k in across))
    return Grid(title, tuple(facts), *names, cells)


def _shown(group: GroupRecord, index: int) -> Shown:
    return Shown(group.name, index, group.samples[index].status != "converged")


def _named(groups: Sequence[GroupRecord]) -> list[tuple[str, GroupRecord]]:
    return [(group.name, group) for group in groups]


def _pattern(groups: Sequence[GroupRecord]) -> str | None:
    """The name that all groups have, with `{t}` in place of a loop's value; None if there is none.

    It is found in the first name and must give all of them.
    """
    pattern = groups[0].name
    for turn in groups[0].loop.turns if groups[0].loop is not None else ():
        if pattern.count(turn.value) != 1:
            return None
        pattern = pattern.replace(turn.value, f"{{{turn.variable}}}")
    for group in groups:
        name = pattern
        for turn in group.loop.turns if group.loop is not None else ():
            name = name.replace(f"{{{turn.variable}}}", turn.value)
        if name != group.name:
            return None
    return pattern


def _words(turns: Sequence[TurnRecord]) -> str:
    return "\n".join(f"{turn.variable} = {turn.value}" for turn in turns)


def _facts(groups: Sequence[GroupRecord]) -> list[str]:
    """What all groups have in common: model, sampler, seed."""
    facts = []
    for text in (
        {str(group.settings.get("model", "")) for group in groups},
        {str(group.settings.get("sampler", "")) for group in groups},
        {f"seed {group.seed}" for group in groups},
    ):
        facts += [each for each in text if each and len(text) == 1]
    return facts

"""Run a suite: sample its groups, decode, annotate, score, draw sheets, and save the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from attrs import asdict, evolve, frozen

from lacelang.attributes.draws import Draws
from lacelang.attributes.labels import columns_of
from lacelang.attributes.measuring import Source, measure
from lacelang.errors import UsageError
from lacelang.evaluate.judge import Columns, Score, scores, truth
from lacelang.models.cache import whole_file
from lacelang.program import Program, compile
from lacelang.runtime.loading import archive_of
from lacelang.semantics.ir import SampleStatement

if TYPE_CHECKING:
    from lacelang.output.progress import Progress
    from lacelang.runtime.result import Group

_SUITES = Path(__file__).parent / "suites"
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


@frozen
class Row:
    """One row of a suite's table: groups that share a condition's shape.

    Attributes:
        name: the first word of its groups' names.
        condition: as written; of the first group.
        faces: how many were judged.
        satisfied: share of faces that show the whole condition.
        scores: of each comparison.
        sampler: name and options.
        seconds: spent on sampling.
    """

    name: str
    condition: str
    faces: int
    satisfied: float
    scores: tuple[Score, ...]
    sampler: str
    seconds: float


def names() -> list[str]:
    """Suites that there are."""
    return sorted(path.stem for path in _SUITES.glob("*.lace"))


def load_suite(name: str) -> Program:
    """The program of a suite, or any program by the path of its `.lace` file.

    Raises:
        UsageError: there is no such suite or file.
        ProgramError: the program is wrong.
    """
    path = Path(name) if name.endswith(".lace") else _SUITES / f"{name}.lace"
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(names())
        raise UsageError(f"no suite or program {name!r}; the suites are: {known}") from error
    return compile(source, path)


def evaluate(program: Program, progress: Progress, *, faces: int | None = None) -> list[Row]:
    """Sample a suite's groups and judge every face from its image.

    Args:
        program: of `load_suite`.
        progress: where to show how far it is.
        faces: at most so many of each group, for a quick look.
    """
    if faces is not None:
        program = _cut(program, faces)
    run = program.run(progress=False)
    rows: dict[str, list[tuple[SampleStatement, Group]]] = {}
    for statement in program.samples:
        rows.setdefault(statement.name.split()[0], []).append((statement, run[statement.name]))
    return [_row(name, members, progress) for name, members in rows.items()]


def as_json(rows: list[Row]) -> str:
    """The figures as a JSON list, one object a row."""
    return json.dumps([asdict(row) for row in rows], indent=1)


def save(rows: list[Row], path: Path) -> None:
    """Write the figures as JSON, all or nothing."""
    with whole_file(path) as partial:
        partial.write_text(as_json(rows) + "\n", encoding="utf-8")


def _cut(program: Program, faces: int) -> Program:
    statements = tuple(
        evolve(s, count=min(s.count, faces)) if isinstance(s, SampleStatement) else s
        for s in program.checked.statements
    )
    return Program(evolve(program.checked, statements=statements), program.source)


def _row(name: str, members: list[tuple[SampleStatement, Group]], progress: Progress) -> Row:
    first = members[0][0]
    z = np.concatenate([group.latents.numpy() for _, group in members])
    psi = np.concatenate([np.full(len(group), s.truncation, np.float32) for s, group in members])
    source = Source(first.model.generator, archive_of(first.model))
    seen = columns_of(measure(source, Draws(z, psi), progress=progress, title=f"judging {name}"))
    pairs = []
    held = []
    start = 0
    for statement, group in members:
        part: Columns = {k: v[start : start + len(group)] for k, v in seen.items()}
        start += len(group)
        if statement.where is not None:
            pairs.append((statement.where, part))
            held.append(truth(statement.where, part))
    options = ", ".join(f"{k}={v:g}" for k, v in first.sampler.options.items())
    return Row(
        name=name,
        condition=members[0][1].record.condition or "",
        faces=len(z),
        satisfied=float(np.concatenate(held).mean()) if held else 1.0,
        scores=tuple(scores(pairs)),
        sampler=f"{first.sampler.name}({options})",
        seconds=sum(group.stats.seconds for _, group in members),
    )

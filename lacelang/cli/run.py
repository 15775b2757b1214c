"""`lacelang run`: run a program, and say what came of it."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.cli.source import compiled, read_source
from lacelang.text.columns import columns_of, padded

if TYPE_CHECKING:
    from lacelang.engine.result import Group


def run_file(arguments: Namespace) -> int:
    """Run a program and print what it made."""
    from lacelang.render.result_text import expectation_text, measure_text

    source = read_source(arguments.file)
    run = compiled(source).run(
        seed=arguments.seed,
        device=arguments.device,
        out=arguments.out or Path("out") / source.name,
        progress=True,
        only=arguments.only,
        metadata=arguments.metadata,
        images=arguments.images,
        replace=arguments.replace,
        shared=arguments.out is None,
    )
    for group in run.groups.values():
        print(_summary(group))
        for line in (*_failures(group), *_means(group)):
            print(f"  {line}")
    for measured in run.measures.values():
        print(measure_text(measured))
    for expected in run.expectations:
        print(expectation_text(expected))
    return 0 if all(expected.holds for expected in run.expectations) else 1


def _summary(group: Group) -> str:
    from lacelang.storage.group_folder import SHEET

    failed = sum(status.name != "converged" for status in group.status)
    count = f"{len(group)} face{'' if len(group) == 1 else 's'}"
    unfinished = f", {failed} did not converge" if failed else ""
    folder = group.folder
    assert folder is not None
    sheet = folder / SHEET
    return f"{group.name}: {count}{unfinished}, {sheet if sheet.exists() else folder}"


def _failures(group: Group) -> list[str]:
    """One line for each way in which samples did not converge, with what may help."""
    ends = Counter(status for status in group.status if status.name != "converged")
    return [f"{count} × {end.name}: {end.sentence} {end.remedy}" for end, count in ends.items()]


def _means(group: Group) -> Iterator[str]:
    """One line for each comparison: its mean reading, and in how many faces it holds."""
    from lacelang.render.result_text import achieved

    width = max((columns_of(atom.wanted) for atom in group.record.atoms), default=0)
    for atom in group.record.atoms:
        values = [s.readings.get(atom.text) for s in group.record.samples]
        known = [value for value in values if value is not None]
        if known:
            mean = achieved(atom, sum(known) / len(known))
            held = sum(map(atom.holds, known))
            wanted = padded(atom.wanted, width)
            yield f"{wanted}  mean {mean:>6}  holds in {held}/{len(values)}"

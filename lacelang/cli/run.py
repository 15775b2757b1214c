"""`lacelang run`: run a program, and print its results."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.cli.source import compiled, read_source
from lacelang.cli.status import group_lines
from lacelang.errors import UsageError
from lacelang.render.result_text import achieved, expectation_text, measure_text, obedience
from lacelang.text.columns import columns_of, padded

if TYPE_CHECKING:
    from lacelang.engine.result import Group


def run_file(arguments: Namespace) -> int:
    """Run a program and print its results."""
    from lacelang.engine.consent import ask

    source = read_source(arguments.file)
    name = "stdin" if source.path is None else source.path.stem
    program = compiled(source, arguments.root)
    ask(program.checked, arguments.allow_fetch)
    if arguments.report and arguments.format != "folder":
        raise UsageError("`report` is of a run folder; a data set has a card", "report")
    run = program.run(
        seed=arguments.seed,
        device=arguments.device,
        out=arguments.out or Path("out") / name,
        progress=True,
        only=arguments.only,
        metadata=arguments.metadata,
        images=arguments.images,
        replace=arguments.replace,
        shared=arguments.out is None,
        format=arguments.format,
        image_format=arguments.image_format,
        quality=arguments.quality,
        shard_size=arguments.shard_size,
        workers=arguments.workers,
        log=arguments.log,
    )
    for group in run.groups.values():
        print("\n  ".join(_lines(group)))
    if run.dataset is not None:
        for each in run.dataset.groups:
            if arguments.only in (None, each.group.name):
                print("\n  ".join(group_lines(each)))
    for grid in run.grids:
        print(f"grid: {grid}")
    for measured in run.measures.values():
        print(measure_text(measured))
    for expected in run.expectations:
        print(expectation_text(expected))
    if arguments.report:
        from lacelang.report.distributions import Predictions
        from lacelang.report.page import write_report

        assert run.folder is not None
        models = {s.model.name: s.model for s in program.checked.statements}
        predictions = Predictions(models, arguments.device)
        print(f"report: {write_report(run.folder, predictions=predictions)}")
    return 0 if all(expected.holds for expected in run.expectations) else 1


def _lines(group: Group) -> Iterator[str]:
    """Yield what was made and where, how samples failed, and how often each comparison holds."""
    from lacelang.storage.images import SHEET

    ends = Counter(status for status in group.status if status.name != "converged")
    count = f"{len(group)} sample{'' if len(group) == 1 else 's'}"
    unverified = sum(number for end, number in ends.items() if end.name == "unverified")
    others = ends.total() - unverified
    unfinished = f", {others} did not converge" if others else ""
    unfinished += f", {unverified} unverified" if unverified else ""
    assert group.folder is not None
    sheet = group.folder / SHEET
    yield f"{group.name}: {count}{unfinished}, {sheet if sheet.exists() else group.folder}"
    for end, number in ends.items():
        yield f"{number} × {end.name}: {end.sentence} {end.remedy}"
    width = max((columns_of(atom.wanted) for atom in group.record.atoms), default=0)
    for each in obedience(group.record):
        text, mean = padded(each.atom.wanted, width), achieved(each.atom, each.mean)
        yield f"{text}  mean {mean:>6}  holds in {each.holding}/{len(group)}"

"""`lacelang run`: run a program, and say what came of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.cli.source import path_argument, read_source, text_argument
from lacelang.render.result_text import expectation_text, measure_text
from lacelang.text.columns import columns_of, padded

if TYPE_CHECKING:
    from lacelang.cli.parser import Commands
    from lacelang.engine.result import Group, Run


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    from lacelang.generators.devices import DEVICES

    parser = commands.add_parser(
        "run",
        help="run a program: faces, contact sheets and run.json",
        description="Run a program. A second run into the same folder goes on from the first. "
        "Exit code 1 if an `expect` of it failed.",
    )
    parser.add_argument("file", metavar="FILE", help="a program; - for standard input")
    parser.add_argument("--out", type=path_argument, metavar="DIR", help="default: out/<program>/")
    parser.add_argument(
        "--only", type=text_argument, metavar="NAME", help="this group or measure only"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="in place of every seed in the program"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: auto")
    parser.add_argument(
        "--no-metadata",
        dest="metadata",
        action="store_false",
        help="leave out of the images what they were made from",
    )
    parser.add_argument(
        "--no-images",
        dest="images",
        action="store_false",
        help="write latents and records, but no images",
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="replace groups in the folder that another program made",
    )
    parser.set_defaults(command=run_file)


def run_file(arguments: Namespace) -> int:
    """Run a program and print what it made."""
    from lacelang.api import compile

    source = read_source(arguments.file)
    program = compile(source.text, source.path)
    if program.warnings:
        from lacelang.syntax.render import render_all

        print(render_all(program.warnings), file=sys.stderr)
    out = arguments.out if arguments.out is not None else Path("out") / source.name
    run = program.run(
        seed=arguments.seed,
        device=arguments.device,
        out=out,
        progress=True,
        only=arguments.only,
        metadata=arguments.metadata,
        images=arguments.images,
        replace=arguments.replace,
        shared=arguments.out is None,
    )
    _print(run)
    return 0 if all(expected.holds for expected in run.expectations) else 1


def _print(run: Run) -> None:
    for group in run.groups.values():
        print(_summary(group))
        for line in (*_troubles(group), *_means(group)):
            print(f"  {line}")
    for measured in run.measures.values():
        print(measure_text(measured))
    for expected in run.expectations:
        print(expectation_text(expected))


def _summary(group: Group) -> str:
    from lacelang.storage.group_folder import SHEET

    failed = sum(status.name != "converged" for status in group.status)
    count = f"{len(group)} face{'' if len(group) == 1 else 's'}"
    trouble = f", {failed} did not converge" if failed else ""
    folder = group.folder
    assert folder is not None
    sheet = folder / SHEET
    return f"{group.name}: {count}{trouble}, {sheet if sheet.exists() else folder}"


def _troubles(group: Group) -> list[str]:
    """One line for each way in which samples did not converge, with what may help."""
    ends = Counter(status for status in group.status if status.name != "converged")
    return [f"{count} × {end.name}: {end.sentence} {end.remedy}" for end, count in ends.items()]


def _means(group: Group) -> list[str]:
    """One line for each comparison: its mean reading, and in how many faces it holds."""
    from lacelang.render.sheet_cells import achieved

    lines = []
    width = max((columns_of(atom.wanted) for atom in group.record.atoms), default=0)
    for atom in group.record.atoms:
        values = [s.readings.get(atom.text) for s in group.record.samples]
        known = [value for value in values if value is not None]
        if known:
            mean = achieved(atom, sum(known) / len(known))
            held = sum(map(atom.holds, known))
            wanted = padded(atom.wanted, width)
            lines.append(f"{wanted}  mean {mean:>6}  holds in {held}/{len(values)}")
    return lines

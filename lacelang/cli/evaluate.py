"""`lacelang evaluate`: judge a program's samples from their images."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.cli.source import compiled, read_source
from lacelang.cli.streams import print_json
from lacelang.errors import ResourceError, UsageError
from lacelang.text.channels import console

if TYPE_CHECKING:
    from lacelang.evaluate.report import Report
    from lacelang.progress import Progress

#: Characters in a line of a table where the output is no terminal.
WIDTH = 160


def evaluate_program(arguments: Namespace) -> int:
    """Evaluate a program, or a data set that is there, and print its tables."""
    from lacelang.engine.consent import ask
    from lacelang.evaluate.program import evaluate

    if _is_place(arguments.file):
        return _evaluate_dataset(arguments)
    if not arguments.file.endswith(".lace"):
        raise UsageError(
            f"no program {arguments.file!r}, which would end in .lace; the paper's tables, such "
            "as zero_shot, are made in a checkout: python -m experiments zero_shot"
        )
    program, name = compiled(read_source(arguments.file), arguments.root), Path(arguments.file).stem
    ask(program.checked, arguments.allow_fetch)
    return write(arguments, lambda progress: evaluate(program, name, progress, arguments.faces))


def _is_place(text: str) -> bool:
    from lacelang.storage.datasets.place import is_url

    return is_url(text) or Path(text).is_dir()


def _evaluate_dataset(arguments: Namespace) -> int:
    from lacelang.evaluate.dataset import evaluate_dataset
    from lacelang.evaluate.dataset_card import write_card
    from lacelang.storage.datasets.place import is_url, place_of

    place = place_of(arguments.file if is_url(arguments.file) else Path(arguments.file))

    def make(progress: Progress) -> Report:
        index, report = evaluate_dataset(place, progress, arguments.faces, arguments.root)
        try:
            write_card(place, index, report)
        except ResourceError as error:
            # A data set that may only be read can be judged all the same.
            progress.note(f"its card is left as it is: {error.message}")
        return report

    return write(arguments, make)


def write(arguments: Namespace, make: Callable[[Progress], Report]) -> int:
    """Make a report, save it if that is asked for, and print its tables or its JSON."""
    from lacelang.evaluate import report
    from lacelang.progress import shown
    from lacelang.storage.files import make_folder

    if arguments.faces is not None and arguments.faces < 1:
        raise UsageError(f"--faces is 1 or more, not {arguments.faces}")
    if arguments.out is not None:
        make_folder(arguments.out)
    with shown() as progress:
        found = make(progress)
    if arguments.out is not None:
        report.save(found, arguments.out)
    if arguments.json:
        print_json(json.loads(report.as_json(found)))
    else:
        report.print_tables(found, console(width=None if sys.stdout.isatty() else WIDTH))
    return 0

"""`lacelang evaluate`: judge a suite's samples from their images, beside the paper's figures."""

from __future__ import annotations

import json
import sys
from argparse import Namespace

from lacelang.cli.streams import print_json

#: Characters to a line of a table, where no terminal says how many.
WIDTH = 160


def evaluate_suite(arguments: Namespace) -> int:
    """Evaluate a suite and print its tables."""
    from lacelang.errors import UsageError
    from lacelang.evaluate import report, suite
    from lacelang.progress import shown
    from lacelang.storage.files import make_folder

    if arguments.faces is not None and arguments.faces < 1:
        raise UsageError(f"--faces is 1 or more, not {arguments.faces}")
    if arguments.out is not None:
        make_folder(arguments.out)
    with shown() as progress:
        found = suite.run(arguments.suite, progress, arguments.faces)
    if arguments.out is not None:
        report.save(found, arguments.out)
    if arguments.json:
        print_json(json.loads(report.as_json(found)))
    else:
        from rich.console import Console

        # Nothing in a pipe is as narrow as a terminal.
        report.print_tables(found, Console(width=None if sys.stdout.isatty() else WIDTH))
    return 0

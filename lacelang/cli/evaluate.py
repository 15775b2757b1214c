"""`lacelang evaluate`: judge a suite's samples from their images, beside the paper's figures."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from lacelang.cli.source import path_argument
from lacelang.cli.streams import print_json

if TYPE_CHECKING:
    from lacelang.cli.parser import Commands

#: Characters to a line of a table, where no terminal says how many.
WIDTH = 160


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "evaluate",
        help="judge samples from their images",
        description="Sample a suite, decode it, and let image annotators judge every face. "
        "What is judged stays in the cache: a killed run goes on where it stopped.",
    )
    parser.add_argument(
        "suite",
        metavar="SUITE",
        help="conditional, continuous, editing, heads, logic, robustness, samplers, spaces, "
        "zero_shot, or a program of your own",
    )
    parser.add_argument("--faces", type=int, metavar="N", help="at most N of each group")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--out",
        type=path_argument,
        metavar="DIR",
        help="also save report.json, report.md and pictures here",
    )
    parser.set_defaults(command=evaluate_suite)


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

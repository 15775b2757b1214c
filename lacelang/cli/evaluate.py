"""`lacelang evaluate`: judge a suite's samples from their images, beside the paper's figures."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lacelang.cli.main import Commands
    from lacelang.evaluate.suite import Row


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "evaluate",
        help="judge samples from their images",
        description="Sample a suite, decode it, and let image annotators judge every face. "
        "What is judged stays in the cache: a killed run goes on where it stopped.",
    )
    parser.add_argument("suite", metavar="SUITE", help="zero_shot, or a program of your own")
    parser.add_argument("--faces", type=int, metavar="N", help="at most N of each group")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also save the figures here")
    parser.set_defaults(command=evaluate_suite)


def evaluate_suite(arguments: Namespace) -> int:
    """Evaluate a suite and print its table."""
    from lacelang.evaluate import suite
    from lacelang.output.progress import shown

    program = suite.load_suite(arguments.suite)
    with shown() as progress:
        rows = suite.evaluate(program, progress, faces=arguments.faces)
    if arguments.out is not None:
        suite.save(rows, arguments.out)
    if arguments.json:
        print(suite.as_json(rows))
    else:
        _print(rows)
    return 0


def _print(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from lacelang.evaluate.suite import PAPER

    console = Console()
    for row in rows:
        # A weight's brackets are no markup.
        console.print(f"[bold]{escape(row.name)}[/bold]  {escape(row.condition)}", soft_wrap=True)
        table = Table()
        for heading in ("comparison", "judged", "mean |Δ|", "paper"):
            table.add_column(heading, justify="left" if heading == "comparison" else "right")
        for score in row.scores:
            paper = PAPER.get((row.name, score.attribute))
            table.add_row(
                score.wanted,
                f"{score.accuracy:.3f}",
                "" if score.error is None else f"{score.error:.3g} {score.unit or ''}".rstrip(),
                "" if paper is None else f"{paper:.3f}",
            )
        console.print(table)
        console.print(
            f"{row.faces} faces; {row.satisfied:.3f} show the whole condition; "
            f"{row.sampler}, sampling {row.seconds:.1f} s\n",
            soft_wrap=True,
        )

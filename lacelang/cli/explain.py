"""`lacelang explain`: what a program means, without running it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lacelang.cli.source import read_source, text_argument
from lacelang.cli.streams import print_json
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.cli.parser import Commands
    from lacelang.explain.outline import Outline
    from lacelang.explain.render import Line


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "explain",
        help="say what a program means: its plan, and the energy of each condition",
        description="Say what a program means, definitions written out. With --only, evaluate one "
        "statement's condition on draws from the prior, for which the model's weights are needed.",
    )
    parser.add_argument("file", metavar="FILE", help="a program; - for standard input")
    parser.add_argument(
        "--only",
        type=text_argument,
        metavar="NAME",
        help="this group or measurement only, with each term's energy and share of the gradient",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=explain_file)


def explain_file(arguments: Namespace) -> int:
    """Print the outline of a program, or that of one of its statements with figures."""
    from lacelang.api import compile
    from lacelang.explain.outline import outlines
    from lacelang.explain.render import outline_json, outline_lines, plan_lines

    source = read_source(arguments.file)
    program = compile(source.text, source.path)
    if program.warnings:
        from lacelang.syntax.render import render_all

        print(render_all(program.warnings), file=sys.stderr)
    found = outlines(program.checked)
    if arguments.only is not None:
        from lacelang.explain.measured import with_figures

        outline = with_figures(_named(found, arguments.only))
        if arguments.json:
            print_json(outline_json(outline))
        else:
            show(outline_lines(outline))
    elif arguments.json:
        print_json([outline_json(outline) for outline in found])
    else:
        blocks = [plan_lines(found), *map(outline_lines, found)]
        show([line for block in blocks for line in (*block, ())][:-1])
    return 0


def show(lines: Sequence[Line]) -> None:
    """Print lines, in colours on a terminal."""
    from lacelang.explain.render import text_of

    if not sys.stdout.isatty():
        sys.stdout.write(text_of(lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        console.print(Text.assemble(*line), soft_wrap=True)


def _named(found: Sequence[Outline], name: str) -> Outline:
    from lacelang.errors import UsageError

    for outline in found:
        if outline.name == nfc(name):
            return outline
    known = ", ".join(outline.name for outline in found if outline.name is not None) or "none"
    raise UsageError(f"the program has no statement called {name!r}; there are: {known}")

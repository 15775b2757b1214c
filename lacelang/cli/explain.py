"""`lacelang explain`: what a program means, without running it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lacelang.cli.source import compiled, read_source
from lacelang.cli.streams import print_json
from lacelang.errors import UsageError
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.explain.outline import Outline
    from lacelang.explain.render import Line


def explain_file(arguments: Namespace) -> int:
    """Print the outline of a program, or that of one of its statements with figures."""
    from lacelang.explain.outline import outlines
    from lacelang.explain.render import outline_json, outline_lines, plan_lines

    found = outlines(compiled(read_source(arguments.file)).checked)
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
    for outline in found:
        if outline.name == nfc(name):
            return outline
    known = ", ".join(outline.name for outline in found if outline.name is not None) or "none"
    raise UsageError(f"the program has no statement called {name!r}; there are: {known}")

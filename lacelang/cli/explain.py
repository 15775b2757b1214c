"""`lacelang explain`: what a program means, without running it."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from lacelang.cli.source import compiled, read_source
from lacelang.cli.streams import print_json
from lacelang.errors import UsageError
from lacelang.explain import render
from lacelang.explain.outline import outlines
from lacelang.text.channels import console
from lacelang.text.names import nfc


def explain_file(arguments: Namespace) -> int:
    """Print the outline of a program, or of one of its statements with figures."""
    program = compiled(read_source(arguments.file, images=True), arguments.root)
    found = outlines(program.checked)
    data: Any
    if arguments.only is not None:
        from lacelang.engine.consent import ask
        from lacelang.explain.measured import with_figures

        named = {outline.name: outline for outline in found if outline.name is not None}
        if nfc(arguments.only) not in named:
            known = ", ".join(named) or "none"
            raise UsageError(
                f"the program has no statement called {arguments.only!r}; there are: {known}"
            )
        ask(program.checked, arguments.allow_fetch)
        outline = with_figures(named[nfc(arguments.only)])
        data, blocks = render.outline_json(outline), [render.outline_lines(outline)]
    else:
        data = [render.outline_json(outline) for outline in found]
        blocks = [render.plan_lines(found), *map(render.outline_lines, found)]
    lines = [line for block in blocks for line in (*block, ())][:-1]
    if arguments.json:
        print_json(data)
    elif sys.stdout.isatty():
        render.print_lines(lines, console())
    else:
        sys.stdout.write(render.text_of(lines))
    return 0

"""`lacelang check`: is a program right, without running it?"""

from __future__ import annotations

import sys
from argparse import Namespace

from lacelang.cli.source import read_source, unreadable
from lacelang.cli.streams import print_json
from lacelang.errors import Diagnostic, LaceError


def check_files(arguments: Namespace) -> int:
    """Check every file and return 1 if any of them is wrong."""
    from lacelang.semantics.check import check
    from lacelang.syntax.render import as_json, render_all

    # An error in a file that several of them import is listed once.
    found: dict[Diagnostic, None] = {}
    code = 0
    for name in arguments.files:
        try:
            source = read_source(name)
            diagnostics = tuple(check(source.text, source.path, arguments.pedantic).warnings)
        except LaceError as error:
            # A program that reads the list is not to look for the reason elsewhere.
            if not (error.diagnostics or arguments.json):
                raise
            diagnostics = error.diagnostics or (unreadable(name, error),)
            code = max(code, error.exit_code)
        found.update(dict.fromkeys(diagnostics))
    if arguments.json:
        print_json([as_json(diagnostic) for diagnostic in found])
    elif found:
        print(render_all(list(found)), file=sys.stderr)
    return code

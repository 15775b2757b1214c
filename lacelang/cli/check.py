"""`lacelang check`: is a program right, without running it?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lacelang.cli.source import read_source, unreadable
from lacelang.cli.streams import print_json
from lacelang.errors import LaceError

if TYPE_CHECKING:
    from lacelang.cli.parser import Commands
    from lacelang.errors import Diagnostic


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser: ArgumentParser = commands.add_parser(
        "check", help="say what is wrong with a program, without running it"
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a program; - for standard input")
    parser.add_argument("--json", action="store_true", help="print diagnostics as a JSON list")
    parser.add_argument("--pedantic", action="store_true", help="also warn of what is merely odd")
    parser.set_defaults(command=check_files)


def check_files(arguments: Namespace) -> int:
    """Check every file and return 1 if any of them is wrong."""
    # A file that several of them import is complained of once.
    found: dict[Diagnostic, None] = {}
    code = 0
    for name in arguments.files:
        try:
            found.update(dict.fromkeys(diagnostics_of(name, arguments.pedantic)))
        except LaceError as error:
            # A program that reads the list is not to look for the reason elsewhere.
            if not arguments.json:
                raise
            found[unreadable(name, error)] = None
            code = max(code, error.exit_code)
    _print(list(found), arguments.json)
    return code or int(any(diagnostic.severity == "error" for diagnostic in found))


def diagnostics_of(name: str, pedantic: bool = False) -> tuple[Diagnostic, ...]:
    """Check the program `name` and return its errors and warnings.

    Raises:
        UsageError: there is no such file.
    """
    from lacelang.errors import ProgramError
    from lacelang.semantics.check import check

    source = read_source(name)
    try:
        return tuple(check(source.text, source.path, pedantic).warnings)
    except ProgramError as error:
        return error.diagnostics


def _print(diagnostics: Sequence[Diagnostic], as_list: bool) -> None:
    from lacelang.syntax.render import as_json, render_all

    if as_list:
        print_json([as_json(d) for d in diagnostics])
    elif diagnostics:
        print(render_all(diagnostics), file=sys.stderr)

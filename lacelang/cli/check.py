"""`lacelang check`: is a program right, without running it?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lacelang.cli.source import read_source

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
    found = list(
        dict.fromkeys(
            d for name in arguments.files for d in diagnostics_of(name, arguments.pedantic)
        )
    )
    _print(found, arguments.json)
    return 1 if any(diagnostic.severity == "error" for diagnostic in found) else 0


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
        print(json.dumps([as_json(d) for d in diagnostics], indent=2, ensure_ascii=False))
    elif diagnostics:
        print(render_all(diagnostics), file=sys.stderr)

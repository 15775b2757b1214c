"""`lacelang fmt`: programs in their one layout."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from attrs import frozen

from lacelang.cli.source import Source, read_source, unreadable
from lacelang.cli.streams import print_json, write_program
from lacelang.errors import Diagnostic, LaceError, UsageError

if TYPE_CHECKING:
    from lacelang.cli.parser import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "fmt",
        help="lay programs out the usual way, in place",
        description="Lay programs out the usual way, in place; from standard input to output.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a program; - for standard input")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a file would change"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="change nothing; print a JSON list of path, changed, text and diagnostics",
    )
    parser.set_defaults(command=format_files)


@frozen
class Formatted:
    """A program and its layout.

    Attributes:
        name: as it was given on the command line.
        source: None if it cannot be read, which `diagnostics` says.
        text: laid out; None if it has syntax errors, which `diagnostics` are.
        code: to exit with.
    """

    name: str
    source: Source | None
    text: str | None
    diagnostics: tuple[Diagnostic, ...] = ()
    code: int = 0

    @property
    def changed(self) -> bool:
        """Whether its layout differs from what it is."""
        return self.source is not None and self.text not in (None, self.source.text)


def format_files(arguments: Namespace) -> int:
    """Format every file, or say which of them would change; a wrong one is left alone."""
    results = []
    for name in arguments.files:
        try:
            result = formatted(name)
        except LaceError as error:
            # A program that reads the list is not to look for the reason elsewhere.
            if not arguments.json:
                raise
            result = Formatted(name, None, None, (unreadable(name, error),), error.exit_code)
        results.append(result)
        if not arguments.json:
            _put(result, arguments.check)
    if arguments.json:
        print_json([_as_json(result) for result in results])
    would = int(arguments.check and any(result.changed for result in results))
    return max(would, *(result.code for result in results))


def formatted(name: str) -> Formatted:
    """Lay the program `name` out, without writing it.

    Raises:
        UsageError: there is no such file.
    """
    from lacelang.errors import ProgramError
    from lacelang.syntax.format import format_source

    source = read_source(name)
    try:
        return Formatted(name, source, format_source(source.text, name))
    except ProgramError as error:
        return Formatted(name, source, None, error.diagnostics, error.exit_code)


def _put(result: Formatted, check: bool) -> None:
    """Write the layout where it belongs, or say what is in the way."""
    from lacelang.storage.files import write_atomic

    if result.source is None or result.text is None:
        from lacelang.syntax.render import render_all

        print(render_all(result.diagnostics), file=sys.stderr)
    elif check:
        if result.changed:
            print(f"{result.name} would be laid out anew", file=sys.stderr)
    elif result.source.path is None:
        write_program(result.text)
    elif result.changed:
        if not result.source.path.is_file():
            raise UsageError(
                f"{result.name} is no regular file, and is not written over\n"
                "`lacelang fmt -` reads standard input and writes standard output"
            )
        # A link stays a link: what it points to is replaced.
        write_atomic(result.source.path.resolve(), result.text.encode())


def _as_json(result: Formatted) -> dict[str, object]:
    from lacelang.syntax.render import as_json, shown_path

    return {
        "path": shown_path(result.name),
        "changed": result.changed,
        "text": result.text,
        "diagnostics": [as_json(diagnostic) for diagnostic in result.diagnostics],
    }

"""`lacelang fmt`: programs in their one layout."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from lacelang.cli.source import STDIN, read_source

if TYPE_CHECKING:
    from lacelang.cli.main import Commands


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
    parser.set_defaults(command=format_files)


def format_files(arguments: Namespace) -> int:
    """Format every file, or say which of them would change."""
    results = [_format(name, arguments.check) for name in arguments.files]
    return 1 if arguments.check and any(results) else 0


def _format(name: str, check: bool) -> bool:
    """Format one file; return whether that changes it."""
    from lacelang.output.files import write_atomic
    from lacelang.syntax.format import format_source

    source = read_source(name)
    text = format_source(source.text, name)
    changed = text != source.text
    if check:
        if changed:
            print(f"{name} would be laid out anew", file=sys.stderr)
    elif name == STDIN:
        sys.stdout.write(text)
    elif changed:
        assert source.path is not None
        # A link stays a link: what it points to is replaced.
        write_atomic(source.path.resolve(), text.encode())
    return changed

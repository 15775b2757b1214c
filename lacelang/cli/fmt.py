"""`lacelang fmt`: programs in their one layout."""

from __future__ import annotations

import sys
from argparse import Namespace

from lacelang.cli.source import Source, read_source, unreadable
from lacelang.cli.streams import print_json, write_program
from lacelang.errors import Diagnostic, LaceError, UsageError


def format_files(arguments: Namespace) -> int:
    """Format every file, or say which of them would change; a wrong one is left alone."""
    from lacelang.syntax.format import format_source
    from lacelang.syntax.render import as_json, render_all, shown_path

    listed = []
    code = 0
    for name in arguments.files:
        text: str | None = None
        changed = False
        diagnostics: tuple[Diagnostic, ...] = ()
        try:
            source = read_source(name)
            text = format_source(source.text, name)
            changed = text != source.text
            if arguments.check:
                code = max(code, int(changed))
            if not arguments.json:
                _put(name, source, text, arguments.check)
        except LaceError as error:
            # A program that reads the list is not to look for the reason elsewhere.
            if not (error.diagnostics or arguments.json):
                raise
            diagnostics = error.diagnostics or (unreadable(name, error),)
            code = max(code, error.exit_code)
            if not arguments.json:
                print(render_all(diagnostics), file=sys.stderr)
        listed.append(
            {
                "path": shown_path(name),
                "changed": changed,
                "text": text,
                "diagnostics": [as_json(diagnostic) for diagnostic in diagnostics],
            }
        )
    if arguments.json:
        print_json(listed)
    return code


def _put(name: str, source: Source, text: str, check: bool) -> None:
    """Write the layout where it belongs, or say that it would change."""
    from lacelang.storage.files import write_atomic

    if check:
        if text != source.text:
            print(f"{name} would be laid out anew", file=sys.stderr)
    elif source.path is None:
        write_program(text)
    elif text != source.text:
        if not source.path.is_file():
            raise UsageError(
                f"{name} is no regular file, and is not written over\n"
                "`lacelang fmt -` reads standard input and writes standard output"
            )
        # A link stays a link: what it points to is replaced.
        write_atomic(source.path.resolve(), text.encode())

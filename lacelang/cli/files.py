"""`lacelang check` and `lacelang fmt`: diagnostics of programs, and their layout."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from typing import cast

from lacelang.cli.source import Source, attempted
from lacelang.cli.streams import Safe, print_json
from lacelang.errors import Diagnostic, UsageError


def check_files(arguments: Namespace) -> int:
    """Check every file and return 1 if any of them is wrong."""
    from lacelang.semantics.check import check
    from lacelang.syntax.render import as_json, render_all

    def warnings(source: Source) -> Sequence[Diagnostic]:
        return check(source.text, source.path, arguments.pedantic, root=arguments.root).warnings

    # An error in a file that several programs import is listed once.
    found: dict[Diagnostic, None] = {}
    code = 0
    for name in arguments.files:
        warned, diagnostics, ended = attempted(name, arguments.json, warnings)
        found.update(dict.fromkeys([*(warned or ()), *diagnostics]))
        code = max(code, ended)
    if arguments.json:
        print_json([as_json(diagnostic) for diagnostic in found])
    elif found:
        print(render_all(list(found)), file=sys.stderr)
    return code


def format_files(arguments: Namespace) -> int:
    """Format every file, or say which of them would change; a wrong one is left as it is."""
    from lacelang.syntax.format import format_source
    from lacelang.syntax.render import as_json, render_all, shown_path

    def lay_out(source: Source, name: str) -> tuple[str, bool]:
        text = format_source(source.text, name)
        if not arguments.json:
            _put(name, source, text, arguments.check)
        return text, text != source.text

    listed = []
    code = 0
    for name in arguments.files:
        done, diagnostics, ended = attempted(
            name, arguments.json, partial(lay_out, name=name), images=True
        )
        text, changed = done or (None, False)
        code = max(code, ended, int(changed and arguments.check))
        if diagnostics and not arguments.json:
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
    """Write a formatted program, or say that it would change."""
    from lacelang.storage.files import write_atomic

    if check:
        if text != source.text:
            print(f"{name} would be reformatted", file=sys.stderr)
    elif source.path is None:
        if sys.stdout.isatty():
            sys.stdout.write(text)
        else:
            # A file or a pipe gets the program as it is, in UTF-8 whatever the locale is.
            cast(Safe, sys.stdout).write_utf8(text)
    elif text != source.text:
        if not source.path.is_file():
            raise UsageError(
                f"{name} is no regular file, and is not written over\n"
                "`lacelang fmt -` reads standard input and writes standard output"
            )
        # The file that a link points to is replaced, not the link.
        write_atomic(source.path.resolve(), text.encode())

"""What the commands of the experiments have in common: how errors are told, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable

from lacelang.cli import streams
from lacelang.cli.main import worded
from lacelang.errors import LaceError


def exit_code_of(work: Callable[[], int]) -> int:
    """Do the work of a command, on streams of any encoding; an error is told and gives its code."""
    with streams.usable():
        try:
            return work()
        except LaceError as error:
            print(f"experiments: {worded(error)}", file=sys.stderr)
            return error.exit_code

"""What the commands of the experiments have in common: how errors are told, and the exit code."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Collection

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


def add_steps(parser: ArgumentParser, default: int) -> None:
    """Add `--steps`, how long a training is."""
    parser.add_argument("--steps", type=positive, default=default, help=f"default: {default}")


def positive(text: str) -> int:
    """A whole number above 0, for argparse."""
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def one_of(names: Collection[str]) -> Callable[[str], str]:
    """One of some names, for argparse; `choices` does not allow none at all with `nargs="*"`."""

    def name(text: str) -> str:
        if text not in names:
            raise ArgumentTypeError(f"{text!r} is none of {', '.join(names)}")
        return text

    return name

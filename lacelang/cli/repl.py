"""`lacelang repl`: a prompt that shows faces."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from lacelang.cli.streams import is_terminal
from lacelang.errors import UsageError

if TYPE_CHECKING:
    from lacelang.cli.parser import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "repl",
        help="type statements at a prompt and look at their faces",
        description="Type statements at a prompt and look at their faces. :help says more. "
        "On a terminal, lacelang without a command does the same.",
    )
    parser.set_defaults(command=prompt)


def prompt(arguments: Namespace) -> int:
    """Read and obey statements until the person leaves.

    Raises:
        UsageError: there is no terminal to read from and write to.
    """
    if not on_terminal():
        raise UsageError(
            "a prompt needs a terminal\n`lacelang run -` runs a program that comes from a pipe"
        )
    from lacelang.repl.loop import Loop, kept_history
    from lacelang.version import __version__

    loop = Loop(history=kept_history())
    loop.say(f"lacelang {__version__}  :help says what there is, Ctrl-D leaves")
    loop.run()
    return 0


def on_terminal() -> bool:
    """Whether a person sits at both ends."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)

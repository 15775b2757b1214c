"""`lacelang repl`: a prompt that shows faces."""

from __future__ import annotations

import sys
from argparse import Namespace

from lacelang.cli.streams import is_terminal
from lacelang.errors import UsageError


def prompt(arguments: Namespace) -> int:
    """Run the prompt until the user leaves."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise UsageError(
            "a prompt needs a terminal\n`lacelang run -` runs a program that comes from a pipe"
        )
    from lacelang.repl.loop import Loop, kept_history
    from lacelang.version import __version__

    loop = Loop(history=kept_history(), root=arguments.root)
    loop.say(f"lacelang {__version__}  :help says what there is, Ctrl-D leaves")
    loop.run()
    return 0

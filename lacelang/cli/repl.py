"""`lacelang repl`: a prompt that shows faces."""

from __future__ import annotations

import os
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
    from lacelang.repl.terminal import Questions

    # The terminal answers while the rest is imported.
    with Questions() as questions:
        from lacelang.repl.loop import Loop, kept_history
        from lacelang.repl.themes import theme_for
        from lacelang.version import __version__

        answers = questions.answers()
    graphics = None
    if os.environ.get("LACELANG_GRAPHICS"):
        # A wrong wish is refused before the prompt begins.
        from lacelang.repl.pictures import supported_graphics

        graphics = supported_graphics(answers)
    theme = theme_for(os.environ, answers.background)
    loop = Loop(
        graphics=graphics,
        history=kept_history(),
        root=arguments.root,
        theme=theme,
        answers=answers,
    )
    loop.say(f"lacelang {__version__}  :help says what there is, Ctrl-D leaves")
    loop.run()
    return 0

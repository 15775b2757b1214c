"""The parser of the command line, put together from the commands' own parts."""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands = _SubParsersAction[ArgumentParser]

COMMANDS = (
    "run",
    "repl",
    "check",
    "fmt",
    "explain",
    "models",
    "label",
    "train",
    "card",
    "evaluate",
)
"""The commands, in the order of the help; each is the module of `lacelang.cli` of its name."""


def build_parser(commands: Sequence[str] = COMMANDS) -> ArgumentParser:
    """Return the parser of the command line; each command adds its own part.

    Args:
        commands: those to add. One that is not asked for need not be imported.
    """
    parser = ArgumentParser(
        prog="lacelang",
        description="Say what a generator's samples must be like, and sample them.",
        epilog="Exit codes: 0 fine, 1 the program is wrong or an `expect` failed, "
        "2 the command line is wrong, 3 the environment failed (no weights, no space), "
        "130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands:
        import_module(f"lacelang.cli.{command}").add_to(group)
    return parser


class _Version(Action):
    """`--version`; looking it up takes longer than checking a program, so it waits until asked."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None
    ) -> None:
        from lacelang.version import __version__

        print(f"lacelang {__version__}")
        parser.exit()

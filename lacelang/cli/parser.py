"""The command line, as `commands.toml` describes it."""

from __future__ import annotations

import os
import tomllib
from argparse import Action, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from attrs import field, frozen

from lacelang.arguments import CLUSTER
from lacelang.generators.declaration import DEVICES


def _commands(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Command]:
    return {name: Command(**table) for name, table in tables.items()}


@frozen
class Command:
    """A command; `commands.toml` explains the fields."""

    help: str
    function: str = ""
    description: str | None = None
    options: Mapping[str, str] = field(factory=dict)
    actions: Mapping[str, Command] = field(factory=dict, converter=_commands)

    def __call__(self, arguments: Namespace) -> int:
        """Import the function, run it and return the exit code."""
        module, name = self.function.split(".")
        run: Callable[[Namespace], int] = getattr(import_module(f"lacelang.cli.{module}"), name)
        return run(arguments)


COMMANDS = _commands(tomllib.loads(Path(__file__).with_name("commands.toml").read_text("utf-8")))


def build_parser(commands: Sequence[str] = tuple(COMMANDS)) -> ArgumentParser:
    """Return the parser of the command line, or of some of its commands."""
    parser = ArgumentParser(
        prog="lacelang",
        description="Say what a generator's samples must be like, and sample them.",
        epilog="Exit codes: 0 fine, 1 the program is wrong or an `expect` failed, "
        "2 the command line is wrong, 3 the environment failed (no weights, no space), "
        "130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in commands:
        _add(group, name, COMMANDS[name])
    return parser


def _add(group: Any, name: str, command: Command) -> None:
    parser = group.add_parser(name, help=command.help, description=command.description)
    parser.set_defaults(command=command)
    add_options(parser, command.options)
    if command.actions:
        actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
        for each, action in command.actions.items():
            _add(actions, each, action)


def add_options(parser: ArgumentParser, options: Mapping[str, str]) -> None:
    """Add options and positional arguments, as in `commands.toml`."""
    for usage, help_ in options.items():
        name, _, value = usage.partition(" ")
        how: dict[str, Any] = {"help": help_}
        if not name.startswith("-"):
            metavar = name.removesuffix("...").strip("[]")
            dest = "name" if metavar == "MODEL" else metavar.lower()
            if name.endswith("..."):
                dest, how["nargs"] = f"{dest}s", "+"
            elif name != metavar:
                how["nargs"] = "?"
            kind = _place if metavar == "PLACE" else str
            parser.add_argument(dest, metavar=metavar, type=kind, **how)
        elif value == "DEVICE" or "|" in value:
            choices = DEVICES if value == "DEVICE" else value.split("|")
            parser.add_argument(name, choices=choices, default=choices[0], **how)
        elif value:
            parser.add_argument(name, metavar=value, type=_TYPES.get(name, _TYPES[value]), **how)
        elif name.startswith("--no-"):
            parser.add_argument(name, dest=name[5:], action="store_false", **how)
        else:
            parser.add_argument(name, action="store_true", **how)


def _path(text: str) -> Path:
    if not text:
        raise ArgumentTypeError("a path is not empty; `.` is the current folder")
    return Path(text)


def _name(text: str) -> str:
    """Read a name; bytes that the locale cannot decode are UTF-8, as programs are."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode(errors="surrogateescape")
    return text


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ArgumentTypeError("must be 1 or more")
    return value


def _workers(text: str) -> int | str:
    if CLUSTER.fullmatch(text):
        return text
    if not text.isdecimal():
        raise ArgumentTypeError(f"a number of processes, or ray://HOST:PORT, not {text!r}")
    return _positive(text)


def _place(text: str) -> Path | str:
    """Read a path, or a URL as it is."""
    return text if "://" in text else _path(text)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise ArgumentTypeError("must be at least 0 and below 1")
    return value


_TYPES: Mapping[str, Callable[[str], Any]] = {
    "DIR": _path,
    "FILE": _path,
    "PATH": _path,
    "NAME": _name,
    "FUNCTION": str,
    "KIND": str,
    "LAYERS": str,
    "NAMES": _name,
    "INDICES": str,
    "N": int,
    "SHARE": _share,
    "--count": _positive,
    "COUNT": _positive,
    "WORKERS": _workers,
    "PLACE": _place,
}
"""How values are read, by the name of the value or by option."""


class _Version(Action):
    """`--version`, which is looked up only when it is asked for, since that takes long."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None
    ) -> None:
        from lacelang.version import __version__

        print(f"lacelang {__version__}")
        parser.exit()

"""The command line: its commands and their options, in one table."""

from __future__ import annotations

import os
from argparse import Action, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from attrs import field, frozen

from lacelang.generators.declaration import DEVICES


@frozen
class Command:
    """A command: its help, its options as `add_options` takes them, or commands of its own.

    `function` names a module and a function of `lacelang.cli`, imported when it is called: it takes
    the parsed arguments and returns the exit code. `description` stands over the options.
    """

    function: str
    help: str
    description: str | None = None
    options: Mapping[str, str | None] = field(factory=dict)
    actions: Mapping[str, Command] = field(factory=dict)

    def __call__(self, arguments: Namespace) -> int:
        """Run the command and return the code to exit with."""
        module, name = self.function.split(".")
        run: Callable[[Namespace], int] = getattr(import_module(f"lacelang.cli.{module}"), name)
        return run(arguments)


_PROGRAM = "a program; - for standard input"

COMMANDS: Mapping[str, Command] = {
    "run": Command(
        "run.run_file",
        "run a program: faces, contact sheets and run.json",
        "Run a program. A second run into the same folder goes on from the first. "
        "Exit code 1 if an `expect` of it failed.",
        {
            "FILE": _PROGRAM,
            "--out DIR": "default: out/<program>/",
            "--only NAME": "this group or measure only",
            "--seed N": "in place of every seed in the program",
            f"--device {'|'.join(DEVICES)}": "default: auto",
            "--no-metadata": "leave out of the images what they were made from",
            "--no-images": "write latents and records, but no images",
            "--replace": "replace groups in the folder that another program made",
        },
    ),
    "repl": Command(
        "repl.prompt",
        "type statements at a prompt and look at their faces",
        "Type statements at a prompt and look at their faces. :help says more. "
        "On a terminal, lacelang without a command does the same.",
    ),
    "check": Command(
        "files.check_files",
        "say what is wrong with a program, without running it",
        options={
            "FILE...": _PROGRAM,
            "--json": "print diagnostics as a JSON list",
            "--pedantic": "also warn of what is merely odd",
        },
    ),
    "fmt": Command(
        "files.format_files",
        "lay programs out the usual way, in place",
        "Lay programs out the usual way, in place; from standard input to output.",
        {
            "FILE...": _PROGRAM,
            "--check": "change nothing; exit 1 if a file would change",
            "--json": "change nothing; print a JSON list of path, changed, text and diagnostics",
        },
    ),
    "explain": Command(
        "explain.explain_file",
        "say what a program means: its plan, and the energy of each condition",
        "Say what a program means, definitions written out. With --only, evaluate one "
        "statement's condition on draws from the prior, for which the model's weights are needed.",
        {
            "FILE": _PROGRAM,
            "--only NAME": "this group or measurement only, with each term's energy and share of "
            "the gradient",
            "--json": "print JSON",
        },
    ),
    "models": Command(
        "",
        "list, show and fetch models",
        actions={
            "list": Command("models.list_models", "list the models that come with lacelang"),
            "show": Command(
                "models.show_model",
                "show a model's attributes and where it comes from",
                options={"NAME": None},
            ),
            "fetch": Command(
                "models.fetch_model",
                "fetch and convert a model's weights now",
                options={
                    "NAME": None,
                    "--from FILE": "take the archive from this file, checked, instead of the "
                    "network",
                },
            ),
        },
    ),
    "label": Command(
        "classifiers.label_model",
        "decode and annotate faces to train classifiers on",
        "Draw latents, decode them, annotate the pictures, write a table of labels. "
        "What is measured stays in the cache: a killed run goes on where it stopped.",
        {
            "MODEL": None,
            "--count N": "faces; default: 12000",
            "--rare SHARE": "share drawn from rare combinations of attributes; default: a third",
            "--seed N": "of the draws; default: 6862",
            "--workers N": "default: one per core",
            "--out FILE": "default: MODEL.labels.safetensors",
        },
    ),
    "train": Command(
        "classifiers.train_model",
        "train a model's latent classifiers",
        "Train classifiers on the labels of a model, calibrate them on held-out rows, "
        "and print how well they do there.",
        {
            "MODEL": None,
            "--recipe regularised|paper": "default: regularised",
            "--heads single|separate": "one trunk with a head for each attribute, or a network "
            "for each; default: single",
            "--latent-jem": "also raise the likelihood of the prior's latents under the logits: "
            "the paper's baseline Latent-JEM, some minutes; written to MODEL.jem.safetensors",
            "--labels FILE": "default: the model's own",
            "--epochs N": "default: the recipe's, or 40 with --latent-jem",
            "--seed N": "default: 0",
            "--out FILE": "default: MODEL.safetensors",
        },
    ),
    "card": Command(
        "classifiers.write_card",
        "write the tables and contact sheets of a model's labels and classifiers",
        options={"MODEL": None, "--out DIR": "default: docs/MODEL"},
    ),
    "evaluate": Command(
        "evaluate.evaluate_program",
        "judge samples from their images",
        "Sample a program, decode it, and let image annotators judge every face. "
        "What is judged stays in the cache: a killed run goes on where it stopped. "
        "`python -m experiments`, in a checkout, makes the paper's tables.",
        {
            "FILE": "a program",
            "--faces N": "at most N of each group",
            "--json": "print the figures as JSON",
            "--out DIR": "also save report.json, report.md and pictures here",
        },
    ),
}
"""In the order of the help."""


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


def add_options(parser: ArgumentParser, options: Mapping[str, str | None]) -> None:
    """Add options of a command and arguments without a name, with their help, by usage.

    That is `--flag`, `--no-flag` (true without it), `--option VALUE`, `--option one|other` (the
    first is the default), `VALUE`, or `VALUE...` for one or more.
    """
    for usage, help_ in options.items():
        name, _, value = usage.partition(" ")
        how: dict[str, Any] = {"help": help_}
        if not name.startswith("-"):
            metavar = name.removesuffix("...")
            dest = "name" if metavar == "MODEL" else metavar.lower()
            if name != metavar:
                dest, how["nargs"] = f"{dest}s", "+"
            parser.add_argument(dest, metavar=metavar, **how)
        elif "|" in value:
            choices = value.split("|")
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
    """Read a name; one that the locale cannot hold is UTF-8, as programs are."""
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


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise ArgumentTypeError("must be at least 0 and below 1")
    return value


_TYPES: Mapping[str, Callable[[str], Any]] = {
    "DIR": _path,
    "FILE": _path,
    "NAME": _name,
    "N": int,
    "SHARE": _share,
    "--count": _positive,
    "--workers": _positive,
}
"""How values are read, by what they are called, or by option."""


class _Version(Action):
    """`--version`; looking it up takes longer than checking a program, so it waits until asked."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None
    ) -> None:
        from lacelang.version import __version__

        print(f"lacelang {__version__}")
        parser.exit()

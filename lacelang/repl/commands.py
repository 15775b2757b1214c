"""What begins with a colon: about the session, and no part of its program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from lacelang.errors import UsageError
from lacelang.repl.saved import program_text
from lacelang.repl.session import FACES, Session
from lacelang.semantics.display import attribute_lines
from lacelang.semantics.report import did_you_mean
from lacelang.storage.files import write_atomic
from lacelang.system.filenames import on_disk
from lacelang.text.columns import columns_of, padded
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.explain.outline import Outline

COLON = ":"

PLAIN_WORDS = {
    **dict.fromkeys(("quit", "exit", ":q", ":exit", ":wq"), ":quit"),
    **dict.fromkeys(("help", "?", ":h", ":?"), ":help"),
}
"""What other prompts understand, and the command that it stands for."""


class Prompt(Protocol):
    """What commands need of the loop that reads them."""

    session: Session

    def say(self, text: str) -> None:
        """Print lines."""

    def enter(self, typed: str) -> None:
        """Check, run and keep `typed`, as if it had been typed."""

    def show(self, name: str) -> None:
        """Draw a group again."""

    def forget(self, names: tuple[str, ...]) -> None:
        """Drop the faces of groups that are no longer there."""

    def keep(self, folder: Path) -> None:
        """Run the program so far into a folder."""

    def explain(self, outline: Outline) -> None:
        """Print what a statement means, with figures."""


class QuitError(Exception):
    """The person wants to leave."""


@frozen
class Command:
    """One command: its name, what follows it, what it does, and the doing."""

    name: str
    argument: str
    about: str
    run: Callable[[Prompt, str], None]


def obey(prompt: Prompt, line: str) -> None:
    """Carry out a line that begins with a colon.

    Raises:
        QuitError: the person wants to leave.
        LaceError: there is no such command, or it cannot be carried out.
    """
    name, _, rest = line.strip().removeprefix(COLON).partition(" ")
    if name.endswith("!"):
        # As editors have it: `:save! FILE`.
        name, rest = name[:-1], f"!{rest}"
    command = COMMANDS.get(name)
    if command is None:
        hint = did_you_mean(name, COMMANDS, "there are:") if name else "`:help` lists them"
        raise UsageError(f"there is no command `:{name}`\n{hint}")
    argument = rest.strip()
    if argument and not command.argument:
        raise UsageError(f"`:{name}` stands alone")
    command.run(prompt, argument)


def _attrs(prompt: Prompt, argument: str) -> None:
    models = prompt.session.models
    model = prompt.session.model if not argument else models.get(nfc(argument))
    if model is None:
        hint = did_you_mean(argument, models, "known:") or "`from NAME` says which"
        raise UsageError(f"there is no model `{argument}`\n{hint}")
    prompt.say(f"{model.name}: {model.generator}")
    prompt.say("\n".join(f"  {line}" for line in attribute_lines(model.attributes)))


def _groups(prompt: Prompt, argument: str) -> None:
    from lacelang.ir import EditStatement, SampleStatement

    lines = []
    for entry in prompt.session.entries:
        for statement in entry.piece.statements:
            match statement:
                case SampleStatement(name=name, count=count, where=where):
                    condition = where.text if where is not None else "draws from the prior"
                    seed = statement.seed or 0
                    lines.append(
                        (name, f"{count} of {statement.model.name}, seed {seed}", condition)
                    )
                case EditStatement(name=name, group=group, steps=steps):
                    said = ", ".join(step.predicate.text for step in steps)
                    lines.append((name, f"edit of {group}", said))
    if not lines:
        prompt.say("no groups yet; a `sample` makes one")
        return
    first, second = (max(columns_of(line[i]) for line in lines) for i in (0, 1))
    prompt.say(
        "\n".join(
            f"{padded(a, first)}  {padded(b, second)}  {' '.join(c.split())}" for a, b, c in lines
        )
    )


def _explain(prompt: Prompt, argument: str) -> None:
    from lacelang.explain.outline import outlines
    from lacelang.ir import CheckedProgram, ExpectStatement

    statements = prompt.session.statements
    named = {s.name: i for i, s in enumerate(statements) if not isinstance(s, ExpectStatement)}
    place = named.get(nfc(argument.strip('"')), len(statements))
    if not argument:
        place = len(statements) - 1
    elif place == len(statements):
        statements += prompt.session.read(argument).piece.statements
    if not 0 <= place < len(statements):
        raise UsageError(
            "there is nothing to explain; name a group or a condition\n"
            "like `:explain glasses=1 or smile=1`"
        )
    prompt.explain(outlines(CheckedProgram(statements))[place])


def _again(prompt: Prompt, argument: str) -> None:
    typed = prompt.session.again()
    prompt.say(typed)
    prompt.enter(typed)


def _undo(prompt: Prompt, argument: str) -> None:
    entry = prompt.session.undo()
    prompt.forget(tuple(prompt.session.known.groups.models))
    prompt.say(f"taken back: {' '.join(entry.text.split())}")


def _show(prompt: Prompt, argument: str) -> None:
    names = list(prompt.session.known.groups.models)
    if not names:
        raise UsageError("there are no faces yet")
    name = nfc(argument.strip('"')) or names[-1]
    if name not in names:
        hint = did_you_mean(name, names, "there are:")
        raise UsageError(f"there is no group `{name}`\n{hint}")
    prompt.show(name)


def _save(prompt: Prompt, argument: str) -> None:
    over = argument.startswith("!")
    name = argument.removeprefix("!").strip().strip('"')
    if not name:
        raise UsageError("`:save` needs the name of a file\nlike `:save faces.lace`")
    path = Path(on_disk(name)).expanduser()
    if not path.suffix:
        path = path.with_suffix(".lace")
    if path.exists() and not over:
        raise UsageError(f"{path} is there already\n`:save! {path}` writes over it")
    write_atomic(path, program_text(prompt.session.entries, path).encode())
    prompt.say(f"saved to {path}; `lacelang run {path}` makes the same")


def _keep(prompt: Prompt, argument: str) -> None:
    if not argument:
        raise UsageError("`:keep` needs a folder\nlike `:keep out/faces`")
    prompt.keep(Path(on_disk(argument.strip('"'))).expanduser())


def _help(prompt: Prompt, argument: str) -> None:
    prompt.say(HELP)
    shown = [(f":{c.name} {c.argument}".rstrip(), c.about) for c in _LIST]
    width = max(len(form) for form, _ in shown)
    prompt.say("\n".join(f"  {form:<{width}}  {about}" for form, about in shown))


def _quit(prompt: Prompt, argument: str) -> None:
    raise QuitError


HELP = f"""\
Statements are those of files: sample, edit, let, def, import, for, measure, expect, model.
A condition alone samples {FACES} faces of the model in use:  glasses=1 and age < 20
Enter ends a statement that is whole; an open one goes on, and an empty line ends it anyway.
Alt-Enter begins a new line in a whole one. Tab completes. Ctrl-C stops sampling, Ctrl-D leaves."""

_LIST = (
    Command("attrs", "[MODEL]", "what can be asked of the model in use", _attrs),
    Command("groups", "", "the groups so far", _groups),
    Command("show", "[GROUP]", "draw a group again, the last one if none is named", _show),
    Command(
        "explain",
        "[WHAT]",
        "what a group or a condition means, in energies",
        _explain,
    ),
    Command("again", "", "the last `sample` with the next seed", _again),
    Command("undo", "", "take the last entry back", _undo),
    Command("save", "FILE", "write the session as a program; `:save! FILE` over another", _save),
    Command("keep", "DIR", "run the program so far into a folder, images and all", _keep),
    Command("help", "", "this", _help),
    Command("quit", "", "leave; so does Ctrl-D", _quit),
)

COMMANDS = {command.name: command for command in _LIST}
"""All commands by name, without the colon."""

"""Commands of the prompt, which begin with a colon and are no part of the program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from lacelang.errors import ProgramError, UsageError
from lacelang.language.completion import Offer, group_offers, model_offers
from lacelang.language.scope import Scope
from lacelang.repl import looking
from lacelang.repl.saved import program_text
from lacelang.repl.session import FACES, Session
from lacelang.repl.typed import COLON
from lacelang.semantics.check import check
from lacelang.semantics.context import did_you_mean
from lacelang.storage.files import disk_errors, write_atomic
from lacelang.syntax.grammar import quoted
from lacelang.text.columns import columns_of, padded
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.repl.loop import Loop

PLAIN_WORDS = {
    **dict.fromkeys(("quit", "exit", ":q", ":exit", ":wq"), ":quit"),
    **dict.fromkeys(("help", "?", ":h", ":?"), ":help"),
}
"""Words that other prompts understand, and the commands that they stand for."""


@frozen
class Command:
    """A command: name, argument, help, function, and completions of the argument."""

    name: str
    argument: str
    about: str
    run: Callable[[Loop, str], None]
    complete: Callable[[Scope], Iterable[Offer]] = lambda scope: ()


def run_command(loop: Loop, line: str) -> None:
    """Run the command of a line that begins with a colon; `:quit` raises a QuitError."""
    name, _, rest = line.strip().removeprefix(COLON).partition(" ")
    if name.endswith("!"):
        # As in editors: `:save! FILE`.
        name, rest = name[:-1], f"!{rest}"
    command = COMMANDS.get(name)
    if command is None:
        hint = did_you_mean(name, COMMANDS, "there are:") if name else "`:help` lists them"
        raise UsageError(f"there is no command `:{name}`\n{hint}")
    argument = rest.strip()
    if argument and not command.argument:
        raise UsageError(f"`:{name}` takes no argument")
    command.run(loop, argument)


def command_offers(session: Session, before: str) -> tuple[str, list[Offer]]:
    """Return the word before the cursor, and its completions."""
    name, space, part = before.removeprefix(COLON).partition(" ")
    if space:
        command = COMMANDS.get(name)
        found = command.complete(session.scope) if command is not None else ()
    else:
        part = before
        found = (Offer(f"{COLON}{c.name}", c.about) for c in COMMANDS.values())
    return part, [o for o in found if o.word.startswith(part) and o.word != part]


def _attrs(loop: Loop, argument: str) -> None:
    models = loop.session.models
    model = models.get(nfc(argument)) if argument else loop.session.model
    if model is None:
        hint = did_you_mean(argument, models, "known:") or "`from NAME` says which"
        raise UsageError(f"there is no model `{argument}`\n{hint}")
    loop.say(f"{model.name}: {model.generator}")
    loop.say("\n".join(f"  {line}" for line in model.attribute_lines))


def _groups(loop: Loop, argument: str) -> None:
    lines = []
    for name in loop.session.known.groups.models:
        group = loop.groups[name].record
        made = f"{group.count} of {group.settings['model']}, seed {group.seed}"
        if "picked" in group.settings:
            made = f"{group.count} of {group.settings['of']}"
        elif group.steps:
            made = f"edit of {group.settings['edited']}"
        asked = ", ".join(step.text for step in group.steps) or group.condition
        lines.append((name, made, asked or "draws from the prior"))
    if not lines:
        loop.say("no groups yet; a `sample` makes one")
        return
    first, second = (max(columns_of(line[i]) for line in lines) for i in (0, 1))
    loop.say("\n".join(f"{padded(a, first)}  {padded(b, second)}  {c}" for a, b, c in lines))


def _explain(loop: Loop, argument: str) -> None:
    from lacelang.explain import measured
    from lacelang.explain.outline import outlines
    from lacelang.explain.render import outline_lines, print_lines
    from lacelang.ir import CheckedProgram

    statements = loop.session.statements
    named = {s.name: i for i, s in enumerate(statements) if s.makes is not None}
    place = named.get(nfc(argument.strip('"')), len(statements))
    if not argument:
        place = len(statements) - 1
    elif place == len(statements):
        statements += loop.session.read(argument).piece.statements
    if not 0 <= place < len(statements):
        raise UsageError(
            "there is nothing to explain; name a group or a condition\n"
            "like `:explain glasses=1 or smile=1`"
        )
    loop.ask(CheckedProgram(statements[place : place + 1]))
    loop.warming.wait()
    outline = outlines(CheckedProgram(statements))[place]
    print_lines(outline_lines(measured.with_figures(outline)), loop.console)


def _again(loop: Loop, argument: str) -> None:
    typed = loop.session.again()
    loop.say(typed)
    loop.enter(typed)


def _undo(loop: Loop, argument: str) -> None:
    entry = loop.session.undo()
    names = loop.session.known.groups.models
    loop.groups = {name: group for name, group in loop.groups.items() if name in names}
    loop.say(f"undone: {' '.join(entry.text.split())}")


def _save(loop: Loop, argument: str) -> None:
    over = argument.startswith("!")
    name = argument.removeprefix("!").strip().strip('"')
    if not name:
        raise UsageError("`:save` needs the name of a file\nlike `:save faces.lace`")
    path = looking.typed_path(name)
    if not path.suffix:
        path = path.with_suffix(".lace")
    with disk_errors(path):
        taken = path.exists()
    if taken and not over:
        raise UsageError(f"{path} is there already\n`:save! {path}` writes over it")
    root = loop.session.root
    text = program_text(loop.session.entries, path, root=root)
    write_atomic(path, text.encode())
    said = f"saved to {path}; `lacelang run {path}` makes the same"
    try:
        check(text, path)
    except ProgramError:
        said += f", if it is given the root {root}: it imports files outside its own folder"
    loop.say(said)


def _run(loop: Loop, argument: str) -> None:
    from lacelang.api import compile

    if not argument:
        raise UsageError("`:run` needs a folder\nlike `:run out/mine`")
    out = looking.typed_path(argument.strip('"'))
    path, root = Path("session.lace"), loop.session.root
    program = compile(program_text(loop.session.entries, path, root=root), path, root=root)
    loop.ask(program.checked)
    run = program.run(out=out, progress=True)
    for group in run.groups.values():
        assert group.folder is not None
        loop.say(f"{group.name}: {group.folder / 'sheet.png'}")


# `3 5`, `3, 5`, `0..3`, and behind them a group and a name.
_KEPT = re.compile(r"([\d\s,.]*\d)(\s+of\s+.+?)?(\s+as\s+.+)?", re.DOTALL)


def _keep(loop: Loop, argument: str) -> None:
    """Enter the `pick` that keeps some samples, so that it is part of the program."""
    found = _KEPT.fullmatch(argument)
    if found is None:
        raise UsageError(
            "`:keep` needs numbers of samples, as under the faces\n"
            "like `:keep 3 5`, or `:keep 0..3 of men as best`; `:run FOLDER` writes into a folder"
        )
    numbers, group, name = found.groups(default="")
    listed = ", ".join(re.sub(r"\s*\.\.\s*", "..", numbers).replace(",", " ").split())
    if not group:
        group = f" of {quoted(looking.named_group(loop, '').name)}"
    typed = f"pick {listed}{group}{name}"
    loop.say(typed)
    loop.enter(typed)


def _seed(loop: Loop, argument: str) -> None:
    session = loop.session
    if not argument:
        said = "none: statements that name no seed take 0"
        loop.say(said if session.seed is None else f"seed {session.seed}")
        return
    word = argument.removeprefix("seed ").strip()
    if word == "none":
        session.seed = None
    elif word == "random" or (word.isdecimal() and word.isascii() and int(word) < 2**63):
        session.seed = word
    else:
        raise UsageError(
            "`:seed` takes a whole number from 0 to 2^63 - 1, `random` or `none`\nlike `:seed 7`"
        )
    said = "take 0" if session.seed is None else f"take {session.seed}"
    loop.say(f"statements that name no seed {said}")


def _help(loop: Loop, argument: str) -> None:
    loop.say(HELP)
    shown = [(f":{c.name} {c.argument}".rstrip(), c.about) for c in COMMANDS.values()]
    width = max(len(form) for form, _ in shown)
    loop.say("\n".join(f"  {form:<{width}}  {about}" for form, about in shown))


def _quit(loop: Loop, argument: str) -> None:
    from lacelang.repl.loop import QuitError

    raise QuitError


HELP = f"""\
Statements are those of files: sample, edit, let, def, import, for, measure, expect, model.
A condition alone samples {FACES} images of the model in use:  glasses=1 and age < 20
Enter ends a complete statement; an incomplete one continues, and an empty line ends it anyway.
Alt-Enter begins a new line anyway. Tab completes. Ctrl-C stops sampling. Ctrl-D leaves."""

_TABLE = (
    Command("attrs", "[MODEL]", "what can be asked of the model in use", _attrs, model_offers),
    Command("groups", "", "the groups so far", _groups),
    Command(
        "show",
        "[GROUP]",
        "draw a group again, the last one if none is named",
        looking.show,
        group_offers,
    ),
    Command("keep", "NUMBERS", "make a group of some samples of the last one: `:keep 3 5`", _keep),
    Command("again", "", "the last `sample` with the next seed", _again),
    Command("seed", "[NUMBER]", "the seed of statements that name none", _seed),
    Command(
        "sheet",
        "[GROUP] [FILE]",
        "draw a contact sheet, or write it into a file",
        looking.sheet,
        group_offers,
    ),
    Command(
        "grid",
        "[FILE]",
        "draw the groups of the last `for` as one grid, or write it into a file",
        looking.grid,
    ),
    Command(
        "open",
        "[WHAT]",
        "open a group's sheet, one of its samples, a picture or a folder in the system's viewer",
        looking.open_in_viewer,
        group_offers,
    ),
    Command(
        "explain",
        "[WHAT]",
        "what a group or a condition means, in energies",
        _explain,
        group_offers,
    ),
    Command("undo", "", "undo the last entry", _undo),
    Command("save", "FILE", "write the session as a program; `:save! FILE` over another", _save),
    Command("run", "DIR", "run the program so far into a folder, images and all", _run),
    Command(
        "theme",
        "[NAME]",
        "colours for a `light` or a `dark` background, or of the `terminal`",
        looking.theme,
        looking.theme_offers,
    ),
    Command("help", "", "this", _help),
    Command("quit", "", "leave; so does Ctrl-D", _quit),
)
COMMANDS = {command.name: command for command in _TABLE}
"""All commands by name, without the colon."""

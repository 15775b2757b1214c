"""The prompt's loop: read, check, run, show.

The line takes keys at once. What else the prompt is made of is imported behind it.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from rich.console import Console

from lacelang.errors import DEBUG, LaceError, ProgramError, ResourceError, WayOut, unexpected
from lacelang.repl.later import Later
from lacelang.repl.line import Line
from lacelang.repl.terminal import NO_ANSWERS, Answers
from lacelang.repl.themes import TERMINAL, Theme
from lacelang.repl.typed import COLON
from lacelang.repl.warm import Warming
from lacelang.system.signals import EndedError
from lacelang.text.channels import console as screen

if TYPE_CHECKING:
    from lacelang.engine.result import Group, Run
    from lacelang.ir import CheckedProgram
    from lacelang.repl.pictures import Graphics
    from lacelang.repl.session import Entry, Session

WAYS = {
    WayOut.FOLDER: "`:run FOLDER` names the folder",
    WayOut.ALLOW: "enter it again and answer `y` to fetch them",
    WayOut.IMPORT: "type `lacelang models import` in a shell, and name it {}",
}
"""What the prompt says of ways out of an error."""


class QuitError(Exception):
    """The user wants to leave."""


class Loop:
    """A session at the prompt, and the groups that its statements made.

    Attributes:
        graphics: how pictures are drawn.
        theme: the colours.
    """

    def __init__(
        self,
        console: Console | None = None,
        graphics: Graphics | None = None,
        history: History | None = None,
        warming: Warming | None = None,
        input: Input | None = None,
        output: Output | None = None,
        root: Path | None = None,
        theme: Theme = TERMINAL,
        answers: Answers = NO_ANSWERS,
    ) -> None:
        self._session = Later(lambda: _session(root))
        self._graphics = graphics
        self._answers = answers
        self.groups: dict[str, Group] = {}
        self.console = console or screen()
        self.theme = theme
        self.warming = warming or Warming()
        self._line = Line(self._session, lambda: self.theme, history, input, output, answers.typed)

    @property
    def session(self) -> Session:
        """The program so far; waited for if it is still being imported."""
        return self._session.get()

    @property
    def line(self) -> str:
        """What is being typed."""
        return self._line.text

    @cached_property
    def pictures_folder(self) -> Path:
        """The folder of pictures that a viewer shows, which is removed when the prompt ends."""
        from lacelang.repl.looking import scratch

        self._scratch = scratch()
        return Path(self._scratch.name)

    @property
    def graphics(self) -> Graphics:
        """How pictures are drawn."""
        if self._graphics is None:
            from lacelang.repl.pictures import supported_graphics

            self._graphics = supported_graphics(self._answers)
        return self._graphics

    def run(self) -> None:
        """Read and execute until the user leaves."""
        self._line.when_drawn(lambda: self._session.begin(self._warm))
        while True:
            try:
                typed = self._line.read()
            except EndedError:
                raise
            except KeyboardInterrupt:
                # Ctrl-C at the prompt clears the line.
                continue
            except EOFError:
                return
            try:
                self.take(typed)
            except QuitError:
                return

    def _warm(self, session: Session) -> None:
        """Load the model in use while a person types; what was typed gets its colours."""
        self._line.redraw()
        if session.model is not None:
            self.warming.begin(session.model)

    def take(self, typed: str) -> None:
        """Execute one input and print its errors; a QuitError says that it was `:quit`."""
        from lacelang.repl.commands import PLAIN_WORDS, run_command
        from lacelang.syntax.render import render_all

        try:
            typed = PLAIN_WORDS.get(typed.strip().removesuffix("()"), typed)
            if typed.lstrip().startswith(COLON):
                run_command(self, typed.lstrip())
            elif typed.strip():
                self.enter(typed)
        except (EndedError, QuitError):
            raise
        except KeyboardInterrupt:
            self.say("stopped")
        except ProgramError as error:
            self.say(render_all(error.diagnostics))
        except LaceError as error:
            self.say(error.worded(WAYS) if isinstance(error, ResourceError) else str(error))
        except Exception as error:
            # A bug of lacelang ends one statement, not the session.
            if os.environ.get(DEBUG):
                raise
            self.say(unexpected(error))

    def say(self, text: str) -> None:
        """Print lines."""
        self.console.print(text, soft_wrap=True)

    def enter(self, typed: str) -> None:
        """Check `typed`, run it, and add it to the session if all went well."""
        from lacelang.render.result_text import expectation_text, measure_text
        from lacelang.syntax.render import render_all

        entry = self.session.read(typed)
        if entry.piece.warnings:
            self.say(render_all(entry.piece.warnings))
        older = self.session.older_uses(entry)
        run = self._run(entry) if entry.piece.statements else None
        self.session.entries.append(entry)
        if older:
            means = "means" if len(older) == 1 else "mean"
            self.say(f"{', '.join(f'`{name}`' for name in older)} still {means} what it did")
        if run is None:
            return
        made = [g for name, g in run.groups.items() if g is not self.groups.get(name)]
        self.groups.update(run.groups)
        for measured in run.measures.values():
            self.console.print(measure_text(measured))
        for expected in run.expectations:
            self.console.print(expectation_text(expected))
        for group in made:
            self.draw(group)

    def _run(self, entry: Entry) -> Run:
        from lacelang.progress import shown

        program = self.session.program(entry)
        self.ask(program.checked)
        with shown(leave=False) as progress:
            if self.warming.busy:
                with progress.stage("loading the model"):
                    self.warming.wait()
            return program.run(progress=progress, kept=self.groups)

    def ask(self, program: CheckedProgram) -> None:
        """Fetch weights that the standard library does not name, if the person agrees."""
        from lacelang.engine.consent import ask

        ask(program)

    def draw(self, group: Group) -> None:
        """Draw a group, with the readings of each sample; an edited one beside what it was."""
        from lacelang.repl.show import show_edited, show_group

        record = group.record
        noun = "sample" if len(group) == 1 else "samples"
        said = f"{group.name}: {len(group)} {noun}, seed {record.seed}"
        self.console.print(said, style="bold")
        if record.steps:
            show_edited(record, group.each_pair(), self.console, self.graphics, self.theme)
        else:
            show_group(record, group.each_image(), self.console, self.graphics, self.theme)


def _session(root: Path | None) -> Session:
    """Return a new session, with what Enter, colours and completions need imported and parsed."""
    from lacelang.repl import commands, lexer
    from lacelang.repl.session import Session

    session = Session(root=root)
    lexer.ProgramLexer(session).lines("sample")
    session.outlook("sample")
    assert commands.COMMANDS
    return session


def kept_history() -> History:
    """Return the history of earlier sessions, from the user's data folder if it can be written."""
    from platformdirs import user_data_path

    folder = user_data_path("lacelang", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "history"
        file.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))

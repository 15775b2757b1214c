"""The prompt's loop: read with prompt_toolkit, check, run, show."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.filters import Condition, completion_is_selected
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output, create_output
from rich.console import Console

from lacelang.errors import DEBUG, LaceError, ProgramError, ResourceError, WayOut, unexpected
from lacelang.progress import shown
from lacelang.render.result_text import expectation_text, measure_text
from lacelang.repl.commands import COLON, PLAIN_WORDS, QuitError, command_offers, run_command
from lacelang.repl.completion import SessionCompleter
from lacelang.repl.lexer import STYLE, ProgramLexer
from lacelang.repl.pictures import Graphics, supported_graphics
from lacelang.repl.session import Entry, Session
from lacelang.repl.show import show_group
from lacelang.repl.typed import ShownTyping
from lacelang.repl.warm import Warming
from lacelang.syntax.render import render_all
from lacelang.system.signals import EndedError, delivered
from lacelang.text.channels import console as screen
from lacelang.text.channels import styled

if TYPE_CHECKING:
    from lacelang.engine.result import Group, Run
    from lacelang.ir import CheckedProgram

PROMPT = "lace> "
CONTINUED = "  ... "
INDENT = 2

WAYS = {
    WayOut.FOLDER: "`:keep FOLDER` names the folder",
    WayOut.ALLOW: "enter it again and answer `y` to fetch them",
    WayOut.IMPORT: "type `lacelang models import` in a shell, and name it {}",
}
"""What the prompt says of ways out of an error."""


class Loop:
    """A session at the prompt, and the groups that its statements made."""

    def __init__(
        self,
        console: Console | None = None,
        graphics: Graphics | None = None,
        history: History | None = None,
        warming: Warming | None = None,
        input: Input | None = None,
        output: Output | None = None,
        root: Path | None = None,
    ) -> None:
        self.session = Session(root=root)
        self.groups: dict[str, Group] = {}
        self.console = console or screen()
        self.graphics = graphics if graphics is not None else supported_graphics()
        self.warming = warming or Warming()
        self._prompt: PromptSession[str] = PromptSession(
            [("class:prompt", PROMPT)],
            multiline=True,
            prompt_continuation=_continued,
            lexer=ProgramLexer(self.session),
            input_processors=[ShownTyping()],
            style=STYLE,
            completer=SessionCompleter(self.session, command_offers),
            complete_while_typing=False,
            history=history if history is not None else InMemoryHistory(),
            key_bindings=self._keys(),
            input=input,
            output=output or create_output(styled(sys.stdout)),
        )

    @property
    def line(self) -> str:
        """What is being typed."""
        return self._prompt.default_buffer.text

    def run(self) -> None:
        """Read and execute until the user leaves."""
        if self.session.model is not None:
            self.warming.begin(self.session.model)
        while True:
            try:
                with delivered(self._end):
                    typed = self._prompt.prompt()
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

    def _end(self, stop: EndedError) -> None:
        """End the prompt by an error of a signal handler, which must not raise it by itself."""
        app = self._prompt.app

        def leave() -> None:
            if app.is_running and not app.is_done:
                app.exit(exception=stop)

        if app.loop is None:
            raise stop
        app.loop.call_soon_threadsafe(leave)

    def take(self, typed: str) -> None:
        """Execute one input and print its errors; a QuitError says that it was `:quit`."""
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
        """Draw a group, with the readings of each sample."""
        record = group.record
        noun = "sample" if len(group) == 1 else "samples"
        said = f"{group.name}: {len(group)} {noun}, seed {record.seed}"
        self.console.print(said, style="bold")
        show_group(record, group.each_image(), self.console, self.graphics)

    # Keys

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter", filter=~completion_is_selected)
        def _(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if self._whole(buffer.text):
                buffer.validate_and_handle()
            else:
                line = buffer.document.current_line_before_cursor
                margin = len(line) - len(line.lstrip())
                buffer.insert_text("\n" + " " * (margin if buffer.text.count("\n") else INDENT))

        @keys.add("enter", filter=completion_is_selected)
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.complete_state = None

        @keys.add("escape", "enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n" + " " * INDENT)

        @keys.add("c-d", filter=Condition(lambda: not self.line))
        def _(event: KeyPressEvent) -> None:
            event.app.exit(exception=EOFError)

        return keys

    def _whole(self, typed: str) -> bool:
        """Whether Enter ends what is typed: it is complete, or its last line is empty."""
        if not typed.strip() or typed.lstrip().startswith(COLON):
            return True
        ended = "\n" in typed and not typed.rsplit("\n", 1)[1].strip()
        return ended or self.session.outlook(typed).complete


def _continued(width: int, line: int, wraps: int) -> str:
    """Return what precedes a further line of the input, or of a line that was wrapped."""
    return " " * width if wraps else CONTINUED


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

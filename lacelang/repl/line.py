"""The line that is typed: prompt_toolkit's editor, which takes keys before the session is there.

Until then nothing is coloured. Completions and Enter wait for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, completion_is_selected
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.styles import BaseStyle, DynamicStyle, Style

from lacelang.repl.later import Later
from lacelang.repl.terminal import without_answers
from lacelang.repl.typed import COLON, ShownTyping
from lacelang.system.signals import EndedError, delivered
from lacelang.text.channels import styled

if TYPE_CHECKING:
    from lacelang.repl.session import Session
    from lacelang.repl.themes import Theme

PROMPT = "lace> "
CONTINUED = "  ... "
INDENT = 2


class Line:
    """The editor of one entry after another.

    `typed` are keys that were pressed before it began; `theme` is what the colours are by.
    """

    def __init__(
        self,
        session: Later[Session],
        theme: Callable[[], Theme],
        history: History | None = None,
        input: Input | None = None,
        output: Output | None = None,
        typed: str = "",
    ) -> None:
        self._session = session
        self._typed = typed
        styles: dict[str, BaseStyle] = {}

        def style() -> BaseStyle:
            chosen = theme()
            if chosen.name not in styles:
                styles[chosen.name] = Style.from_dict(dict(chosen.typed))
            return styles[chosen.name]

        self._prompt: PromptSession[str] = PromptSession(
            [("class:prompt", PROMPT)],
            multiline=True,
            prompt_continuation=_continued,
            lexer=_LateLexer(session),
            input_processors=[ShownTyping()],
            style=DynamicStyle(style),
            completer=_LateCompleter(session),
            complete_while_typing=False,
            history=history if history is not None else InMemoryHistory(),
            key_bindings=self._keys(),
            input=input if input is not None else _quiet_input(),
            output=output or create_output(styled(sys.stdout)),
        )

    @property
    def text(self) -> str:
        """What is being typed."""
        return self._prompt.default_buffer.text

    def when_drawn(self, work: Callable[[], object]) -> None:
        """Call `work` as soon as the line has been drawn for the first time."""
        event = self._prompt.app.after_render

        def once(app: object) -> None:
            event.remove_handler(once)
            work()

        event.add_handler(once)

    def read(self) -> str:
        """Read an entry; KeyboardInterrupt is Ctrl-C, and EOFError Ctrl-D in an empty line."""
        with delivered(self._end):
            return self._prompt.prompt(pre_run=self._press_earlier_keys)

    def redraw(self) -> None:
        """Draw the line again, from any thread."""
        app = self._prompt.app
        loop = app.loop
        if loop is not None:
            # In its own thread: called from another one while the line ends, it would raise.
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(app.invalidate)

    def _press_earlier_keys(self) -> None:
        """Press what was typed before the prompt was there; Enter came as a line feed."""
        typed, self._typed = self._typed.replace("\n", "\r"), ""
        if typed:
            processor = self._prompt.app.key_processor
            parser = Vt100Parser(processor.feed)
            parser.feed_and_flush(typed)
            processor.process_keys()

    def _end(self, stop: EndedError) -> None:
        """End the prompt by an error of a signal handler, which must not raise it by itself."""
        app = self._prompt.app

        def leave() -> None:
            if app.is_running and not app.is_done:
                app.exit(exception=stop)

        if app.loop is None:
            raise stop
        app.loop.call_soon_threadsafe(leave)

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

        @keys.add("c-d", filter=Condition(lambda: not self.text))
        def _(event: KeyPressEvent) -> None:
            event.app.exit(exception=EOFError)

        return keys

    def _whole(self, typed: str) -> bool:
        """Whether Enter ends what is typed: it is complete, or its last line is empty."""
        if not typed.strip() or typed.lstrip().startswith(COLON):
            return True
        ended = "\n" in typed and not typed.rsplit("\n", 1)[1].strip()
        return ended or self._session.get().outlook(typed).complete


class _LateLexer(Lexer):
    """Colours programs as soon as the session is there."""

    def __init__(self, session: Later[Session]) -> None:
        self._session = session

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        session = self._session.now
        if session is None:
            lines = document.lines
            return lambda number: [("", lines[number])] if number < len(lines) else []
        from lacelang.repl.lexer import ProgramLexer

        return ProgramLexer(session).lex_document(document)

    def invalidation_hash(self) -> Hashable:
        session = self._session.now
        return None if session is None else len(session.entries)


class _LateCompleter(Completer):
    """Completes commands after a colon, and else programs."""

    def __init__(self, session: Later[Session]) -> None:
        self._session = session

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        session = self._session.get()
        from lacelang.repl.commands import command_offers
        from lacelang.repl.completion import SessionCompleter

        yield from SessionCompleter(session, command_offers).get_completions(
            document, complete_event
        )


def _quiet_input() -> Input:
    """Return the keyboard, without answers of the terminal that come too late."""
    keyboard: Any = create_input()
    parser = getattr(keyboard, "vt100_parser", None)
    if parser is not None:
        feed = parser.feed
        parser.feed = lambda data: feed(without_answers(data))
    found: Input = keyboard
    return found


def _continued(width: int, line: int, wraps: int) -> str:
    """Return what precedes a further line of the input, or of a line that was wrapped."""
    return " " * width if wraps else CONTINUED

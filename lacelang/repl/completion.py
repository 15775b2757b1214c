"""Completions of what is typed at the prompt: programs, and commands after a colon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from lacelang.language import completion
from lacelang.language.completion import Offer, part_before
from lacelang.repl.session import Session

Offers: TypeAlias = Callable[[Session, str], tuple[str, list[Offer]]]
"""From the text before the cursor to the word there, and its completions."""


def offers(session: Session, before: str) -> tuple[str, list[Offer]]:
    """Return the word before the cursor, and its completions."""
    part = part_before(before)
    view = session.outlook(before[: len(before) - len(part)])
    return part, completion.offers(session.scope, view, part)


class SessionCompleter(Completer):
    """Completes commands after a colon, by `commands`, and else programs."""

    def __init__(self, session: Session, commands: Offers) -> None:
        self._session = session
        self._commands = commands

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Yield the completions of the text before the cursor."""
        before = document.text_before_cursor
        find = self._commands if before.startswith(":") else offers
        part, found = find(self._session, before)
        for offer in found:
            yield Completion(offer.word, -len(part), display_meta=offer.about)

"""The line of the prompt is drawn again from the thread that loads the model."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from prompt_toolkit.output import DummyOutput

from lacelang.repl.later import Later
from lacelang.repl.line import Line


@pytest.fixture
def line() -> Line:
    nothing: Any = None
    return Line(Later(nothing), nothing, output=DummyOutput())


def test_it_is_redrawn_in_the_thread_of_the_prompt(line: Line) -> None:
    drawn: list[int] = []

    async def prompt() -> None:
        def invalidate() -> None:
            drawn.append(threading.get_ident())

        line._prompt.app = SimpleNamespace(loop=asyncio.get_running_loop(), invalidate=invalidate)  # type: ignore[assignment]
        await asyncio.to_thread(line.redraw)
        await asyncio.sleep(0)

    asyncio.run(prompt())
    assert drawn == [threading.get_ident()]


def test_a_line_that_has_just_ended_is_not_redrawn(line: Line) -> None:
    def invalidate() -> None:
        raise AssertionError("there is no line")

    closed = asyncio.new_event_loop()
    closed.close()
    for loop in (None, closed):
        line._prompt.app = SimpleNamespace(loop=loop, invalidate=invalidate)  # type: ignore[assignment]
        line.redraw()

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from lacelang.repl.loop import Loop
from lacelang.repl.warm import Warming
from lacelang.text.channels import console

sys.path.append(str(Path(__file__).parents[1] / "engine"))

from tiny import TinyModel

from lacelang.engine import plan

Sitting = Callable[[str], str]


def _nothing(spec: object) -> None:
    """Load no model."""


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> TinyModel:
    """A small model that stands for every declared one."""
    tiny = TinyModel()
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: tiny)
    return tiny


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as keys:
        yield keys


@pytest.fixture
def loop(keyboard: PipeInput) -> Loop:
    """A prompt that is typed at through a pipe and prints into a string."""
    screen = console(io.StringIO(), width=80)
    return Loop(screen, "none", None, Warming(_nothing, _nothing), keyboard, DummyOutput())


@pytest.fixture
def sit(loop: Loop, keyboard: PipeInput) -> Sitting:
    """Type keys, end with Ctrl-D, and return what was printed."""

    def type_keys(keys: str) -> str:
        keyboard.send_text(keys + "\x04")
        loop.run()
        assert isinstance(loop.console.file, io.StringIO)
        return loop.console.file.getvalue()

    return type_keys

"""At the prompt nothing hidden stays hidden: in what is typed, in names and in answers."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hostile import COLOURS, MARKUP, NEVER, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.layout.controls import BufferControl
from prompt_toolkit.layout.processors import TransformationInput
from prompt_toolkit.output import DummyOutput

from lacelang.cli.streams import Safe
from lacelang.engine import consent
from lacelang.repl.loop import Loop
from lacelang.repl.show import captions
from lacelang.repl.typed import ShownTyping
from lacelang.repl.warm import Warming
from lacelang.storage.records import Atom, SampleRecord
from lacelang.text.channels import console, styled
from lacelang.text.hidden import displayed, in_line

FEW = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FOREIGN = f"""model mine {{
  generator mobilestylegan from "pkg==1.0" sha256 "{"0" * 64}"
}}
"""


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def _loop(stream: io.StringIO) -> Loop:
    screen = console(stream, width=400)
    return Loop(
        screen, "none", None, Warming(lambda spec: None, lambda spec: None), output=DummyOutput()
    )


@pytest.mark.parametrize(
    "typed",
    [
        "{}",
        ":{}",
        ":explain {}",
        ":attrs {}",
        ":save {}/x",
        "from {}",
        'sample as "{}"',
        "smile={}",
    ],
)
@FEW
@given(text=texts())
def test_answers(typed: str, text: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path)
        patched.setenv("TERM", "xterm-256color")
        out = Terminal()
        loop = _loop(out)
        loop.take("let kid = age < 12")
        loop.take(typed.format(text))
    plain = COLOURS.sub("", out.getvalue())
    assert "Qx" in plain
    assert NEVER.search(plain) is None


@FEW
@given(st.one_of(texts(), texts(MARKUP)))
def test_captions_fill_their_cells(text: str) -> None:
    atom = Atom(text, "a", "probability", 0.5, 1.0)
    samples = [SampleRecord(i, 0.5, "converged", 1, {text: 0.98}) for i in range(2)]
    out = Terminal()
    screen = console(out, width=81)
    for line in captions([atom], samples, 40):
        screen.print(line)
    _, shown = COLOURS.sub("", out.getvalue()).splitlines()
    assert NEVER.search(shown) is None
    for begin in (0, 41):
        assert shown[begin : begin + 40].startswith(in_line(text))
        assert shown[begin : begin + 40].endswith(" 0.98")


@FEW
@given(texts())
def test_what_is_typed(text: str) -> None:
    buffer = Buffer(document=Document(text))
    lexed = [("class:a", text[:2]), ("class:b", text[2:])]
    given_ = TransformationInput(
        BufferControl(buffer), buffer.document, 0, lambda at: at, lexed, 80, 1
    )
    shown = ShownTyping().apply_transformation(given_)
    line = "".join(fragment[1] for fragment in shown.fragments)
    assert line == displayed(text)
    assert shown.fragments[0][0] == "class:a"
    for at in range(len(text) + 3):
        # The cursor stands before the same character, and comes back.
        assert shown.display_to_source(shown.source_to_display(at)) == at
    for at in range(len(text)):
        assert line[shown.source_to_display(at) :].startswith(displayed(text[at]))


def test_colours_of_the_program_itself_are_kept() -> None:
    out = Terminal()
    safe = Safe(out)
    safe.write("\x1b[31mred")
    styled(safe).write("\x1b[31mred")
    assert out.getvalue() == "\\x1b[31mred\x1b[31mred"
    screen = console(safe, width=80, color_system="standard", force_terminal=True)
    screen.print("\x1b[0mred", style="red")
    assert out.getvalue().endswith("\x1b[31m\\x1b[0mred\x1b[0m\n")


@pytest.mark.parametrize("typed", ["sample 1 from mine", ":explain sample 1 from mine"])
def test_who_says_no_learns_how_to_say_yes(
    typed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    monkeypatch.setattr(consent, "size_of", lambda archive: None)
    monkeypatch.setattr(sys, "stderr", asked := Terminal())
    out = Terminal()
    loop = _loop(out)
    loop.take(FOREIGN)
    for times in (1, 2):
        monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
        loop.take(typed)
        assert asked.getvalue().count("Fetch them?") == times
        answer = " ".join(out.getvalue().split())
        assert answer.count("enter it again and answer `y`") == times

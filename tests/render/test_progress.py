from __future__ import annotations

import io
import threading
from typing import TextIO

import pytest

from lacelang.cli.streams import Safe
from lacelang.progress import Bars, Plain, Silent, shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_sees_notes_and_nothing_else() -> None:
    pipe = io.StringIO()
    with shown(pipe) as progress, progress.stage("decoding", 3) as stage:
        stage.advance()
        progress.note("two faces are there already")
    assert isinstance(progress, Plain)
    assert pipe.getvalue() == "two faces are there already\n"


def test_a_terminal_sees_bars_that_end_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with shown(terminal) as progress:
        assert isinstance(progress, Bars)
        with progress.stage("sampling", 1) as stage:
            for _ in range(10):
                stage.advance(0.1)
        with progress.stage("fetching", 37_000_000, unit="bytes") as stage:
            stage.advance(37_000_000)
        with progress.stage("waiting") as stage:
            stage.advance()
        progress.note("[not markup]")
    text = terminal.getvalue()
    assert "sampling" in text
    assert "1/1" in text
    assert "37.0 MB/37.0 MB" in text
    assert "[not markup]" in text


class EncodedTerminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("width", ["1", "20", "80"])
def test_bars_in_an_encoding_without_their_signs(
    encoding: str, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", width)
    raw = io.BytesIO()
    terminal = EncodedTerminal(raw, encoding)
    stream: TextIO = Safe(terminal)  # type: ignore[assignment]
    with shown(stream) as progress, progress.stage("sampling", 2) as stage:
        stage.advance(1)
        progress.note("молодой")
        stage.advance(1)
    terminal.flush()
    text = raw.getvalue().decode(encoding)
    assert r"\u043c" in text
    if width == "80":
        assert "2/2" in text
        assert "\\u" not in text.replace(r"\u043c\u043e\u043b\u043e\u0434\u043e\u0439", "")


def test_stages_advance_from_several_threads() -> None:
    with shown(Terminal()) as progress, progress.stage("decoding", 400) as stage:
        threads = [
            threading.Thread(target=lambda: [stage.advance() for _ in range(100)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert isinstance(progress, Bars)
        assert progress._rich.tasks[0].completed == 400


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Silent()
    with progress.stage("sampling", 3) as stage:
        stage.advance(2)
    progress.note("nothing")
    assert capsys.readouterr() == ("", "")


def test_a_pipe_hears_every_minute_how_far_a_long_stage_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr("lacelang.progress.time.monotonic", lambda: now[0])
    pipe = io.StringIO()
    with shown(pipe) as progress, progress.stage("decoding kids", 400) as stage:
        for _ in range(5):
            now[0] += 25
            stage.advance(10)
    assert pipe.getvalue() == "decoding kids: 30 of 400, 24/min, 0:15:25 left\n"

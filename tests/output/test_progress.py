from __future__ import annotations

import io
import threading

import pytest

from lacelang.output.progress import Bars, Plain, Silent, shown


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

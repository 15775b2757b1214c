"""Weights that a program names and the standard library does not are fetched after consent only."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from index_server import PINNED, Index

import lacelang
from lacelang.cli.main import main
from lacelang.engine import consent
from lacelang.errors import ResourceError
from lacelang.semantics.weights import weights_of
from lacelang.storage.fetch import cached_path

PROGRAM = f"""model mine {{
  generator mobilestylegan from "pkg==1.0" sha256 "{PINNED.sha256}"
}}
sample 1 from mine as some
"""


@pytest.fixture(autouse=True)
def _program(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.lace").write_text(PROGRAM)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> Terminal:
    said = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", said)
    return said


@pytest.mark.parametrize("command", ["check", "explain", "fmt"])
def test_reading_a_program_fetches_nothing(index: Index, command: str) -> None:
    assert main([command, "mine.lace"]) == 0
    assert index.asked == []


@pytest.mark.parametrize("command", [["run"], ["evaluate"]])
def test_in_a_pipe_it_is_refused(
    index: Index, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert main([*command, "mine.lace"]) == 3
    said = capsys.readouterr().err
    for part in ("pkg==1.0", PINNED.sha256, "--allow-fetch", "trust"):
        assert part in said
    assert index.asked == []


def test_the_option_allows_it(index: Index) -> None:
    assert main(["run", "mine.lace", "--allow-fetch"]) == 3  # there is no generator in it
    assert cached_path(PINNED).is_file()


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "no\n", "maybe\n"])
def test_who_does_not_agree_gets_nothing(
    index: Index, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    at_a_terminal(monkeypatch, answer)
    consent.ask(lacelang.compile(PROGRAM).checked)
    assert not cached_path(PINNED).exists()
    assert "/pkg-1.0.zip" not in index.asked


def test_who_agrees_is_told_what_is_fetched(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    said = at_a_terminal(monkeypatch, "Yes\n")
    consent.ask(lacelang.compile(PROGRAM).checked)
    assert cached_path(PINNED).is_file()
    for part in ("pkg==1.0", PINNED.sha256, "size"):
        assert part in said.getvalue()


def test_from_python(index: Index) -> None:
    program = lacelang.compile(PROGRAM)
    with pytest.raises(ResourceError, match=r"program\.fetch\(\)"):
        program.run()
    assert index.asked == []
    program.fetch()
    assert cached_path(PINNED).is_file()


def test_models_of_the_standard_library_need_no_consent() -> None:
    (statement,) = lacelang.compile("sample from ffhq").checked.statements
    weights = weights_of(statement.model)
    consent.refuse_foreign(statement.model.generator, weights)


def test_a_digest_that_begins_alike_is_another_archive(index: Index) -> None:
    """What lies in the cache under a digest is never taken for what a program names."""
    assert main(["run", "mine.lace", "--allow-fetch"]) == 3
    whole = cached_path(PINNED).read_bytes()
    other = PINNED.sha256[:40] + "0" * 24
    (Path.cwd() / "mine.lace").write_text(PROGRAM.replace(PINNED.sha256, other))
    with pytest.raises(ResourceError, match="not of the standard library"):
        lacelang.compile(PROGRAM.replace(PINNED.sha256, other)).run()
    assert main(["run", "mine.lace", "--allow-fetch"]) == 3
    assert cached_path(PINNED).read_bytes() == whole

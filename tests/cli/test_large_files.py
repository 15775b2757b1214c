"""A file of any size, or without an end, is refused in words, in little time and memory."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest

import lacelang
from lacelang import ProgramError
from lacelang.cli.main import main
from lacelang.cli.source import MOST_BYTES
from lacelang.syntax.tokens import MAX_LENGTH

GOOD = "sample from ffhq as g\n"


def sparse(path: Path, size: int) -> str:
    with path.open("wb") as file:
        file.truncate(size)
    return str(path)


@pytest.mark.parametrize("command", [["check", "--json"], ["fmt", "--json", "--check"]])
def test_json_of_a_file_without_an_end(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [sparse(tmp_path / "sparse.lace", 1 << 40)]
    if os.path.exists("/dev/zero"):
        names.append("/dev/zero")
    assert main([*command, *names]) == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found) == len(names)
    for each in found:
        (said,) = each.get("diagnostics", [each])
        assert said["code"] == "LACE014"
        assert "is too large for a program" in said["message"]


def test_standard_input_without_an_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"# x\n" * (MOST_BYTES // 2)))
    monkeypatch.setattr("sys.stdin", stdin)
    assert main(["check", "--json", "-"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert "standard input is too large" in found["message"]


@pytest.mark.parametrize("text", ["# x\n", "é\n", "(", '"a" ', GOOD, "\0"])
def test_a_text_longer_than_any_program(text: str) -> None:
    source = text * (MAX_LENGTH // len(text) + 1)
    begun = time.process_time()
    with pytest.raises(ProgramError) as caught:
        lacelang.compile(source)
    assert time.process_time() - begun < 1.0
    (said,) = caught.value.diagnostics
    assert said.code == "LACE014"
    assert str(MAX_LENGTH) in said.message


def test_an_import_larger_than_any_program(tmp_path: Path) -> None:
    sparse(tmp_path / "large.lace", 1 << 40)
    (tmp_path / "p.lace").write_text(f'import "large.lace"\n{GOOD}')
    with pytest.raises(ProgramError) as caught:
        lacelang.compile((tmp_path / "p.lace").read_text(), tmp_path / "p.lace")
    (said,) = caught.value.diagnostics
    assert said.code == "LACE114"
    assert "too large" in said.message

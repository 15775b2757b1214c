"""No output stream makes a command fail; `check --json` prints JSON whatever the file is."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lacelang.cli.main import main

LETTERS = 'let 老 = age > 60\nsample 2 from ffhq where 老 as "молодой é"\n'
WRONG = "sample from ffhq where œ=1\n"
posix = pytest.mark.skipif(os.name != "posix", reason="streams of POSIX")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "p.lace").write_text(LETTERS, encoding="utf-8")
    (tmp_path / "w.lace").write_text(WRONG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(
    *arguments: str, source: bytes = b"", encoding: str = "cp1252", shell: str = ""
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command: list[str] = [sys.executable, "-m", "lacelang", *arguments]
    if shell:
        command = ["sh", "-c", f'"$@" {shell}', "sh", *command]
    return subprocess.run(
        command, input=source, capture_output=True, env=environment, timeout=120, check=False
    )


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_letters_that_an_encoding_lacks(files: Path, encoding: str) -> None:
    explained = run("explain", "p.lace", encoding=encoding)
    assert (explained.returncode, explained.stderr) == (0, b"")
    assert b"\\u" in explained.stdout
    checked = run("check", "w.lace", encoding=encoding)
    assert checked.returncode == 1
    assert b"error LACE" in checked.stderr
    as_json = run("explain", "--json", "p.lace", encoding=encoding)
    assert "молодой é" in json.dumps(json.loads(as_json.stdout), ensure_ascii=False)
    (found,) = json.loads(run("check", "--json", "w.lace", encoding=encoding).stdout)
    assert "œ" in found["message"]
    laid_out = run("fmt", "-", source=LETTERS.encode(), encoding=encoding)
    assert laid_out.returncode == 0
    again = run("fmt", "-", source=laid_out.stdout, encoding=encoding)
    assert again.stdout == laid_out.stdout
    assert "老" in laid_out.stdout.decode("utf-8")


@posix
@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_the_c_locale(files: Path, locale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There Python takes surrogateescape for output, which fails at any other letter."""
    for name, value in (("LC_ALL", locale), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")):
        monkeypatch.setenv(name, value)
    explained = run("explain", "p.lace", encoding="")
    assert (explained.returncode, explained.stderr) == (0, b"")
    assert b"\\u" in explained.stdout
    checked = run("check", "w.lace", encoding="")
    assert checked.returncode == 1
    assert b"error LACE" in checked.stderr
    laid_out = run("fmt", "-", source=LETTERS.encode(), encoding="")
    assert "молодой" in laid_out.stdout.decode("utf-8")


@posix
@pytest.mark.parametrize(
    "command", [["check"], ["explain"], ["fmt", "--check"], ["check", "--json"]]
)
def test_closed_streams(files: Path, command: list[str]) -> None:
    expected = run(*command, "p.lace").returncode
    for shell in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        closed = run(*command, "p.lace", shell=shell)
        assert closed.returncode == expected, closed.stderr
        assert b"unexpected" not in closed.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", [["explain"], ["check", "--json"], ["--help"]])
def test_a_full_disk_behind_standard_output(files: Path, command: list[str]) -> None:
    full = run(*command, "p.lace", shell="> /dev/full")
    assert b"unexpected" not in full.stderr
    assert b"Traceback" not in full.stderr


def test_streams_that_somebody_put_in_place(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> int:
            self.text += text
            return len(text)

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return False

    for stream in (Plain(), None, io.StringIO()):
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["explain", "p.lace"]) == 0
        assert main(["check", "--json", "w.lace"]) == 1
        assert sys.stdout is stream


@pytest.mark.parametrize(
    ("name", "data"),
    [("binary.lace", b"\xff\xfe\x00"), ("empty.lace", b""), ("nul.lace", b"\0"), ("no.lace", None)],
)
def test_json_whatever_the_file_is(
    files: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes | None
) -> None:
    if data is not None:
        (files / name).write_bytes(data)
    code = main(["check", "--json", "p.lace", name, "w.lace"])
    found = json.loads(capsys.readouterr().out)
    assert code == (2 if data is None else 1)
    assert {each["path"] for each in found} == {name, "w.lace"}
    for each in found:
        assert each["line"] >= 1
        assert each["column"] >= 1
        assert each["code"].startswith("LACE")


def test_json_of_a_folder(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "."]) == 2
    (found,) = json.loads(capsys.readouterr().out)
    assert found["code"] == "LACE014"


@pytest.mark.parametrize("command", [["run", "p.lace"], ["train", "ffhq"], ["card", "ffhq"]])
def test_an_empty_path_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--out", ""])
    assert ended.value.code == 2
    assert "--out" in capsys.readouterr().err
    assert sorted(path.name for path in files.iterdir()) == ["p.lace", "w.lace"]

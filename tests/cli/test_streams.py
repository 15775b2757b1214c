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
from lacelang.cli.streams import Safe
from lacelang.errors import ResourceError

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
    assert full.returncode == 3
    assert full.stderr == b"lacelang: cannot write the output: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    ("command", "shell", "code"),
    [
        (["check", "w.lace"], "2> /dev/full", 1),
        (["explain", "w.lace"], "2> /dev/full", 1),
        (["check", "w.lace"], "> /dev/full", 1),
        (["check", "p.lace"], "> /dev/full 2>&1", 0),
        (["check", "no.lace"], "2> /dev/full", 2),
        (["check", "--json", "w.lace"], "> /dev/full 2>&1", 3),
    ],
)
def test_a_full_disk_behind_standard_error_changes_no_verdict(
    files: Path, command: list[str], shell: str, code: int
) -> None:
    assert run(*command, shell=shell).returncode == code


@posix
def test_a_locale_without_letters(files: Path) -> None:
    lacks = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for command in (["explain", "p.lace"], ["check", "w.lace"], ["fmt", "-"], ["explain", "-"]):
        found = subprocess.run(
            [sys.executable, "-m", "lacelang", *command],
            input=LETTERS.encode(),
            capture_output=True,
            env={**os.environ, **lacks},
            timeout=120,
            check=False,
        )
        assert found.returncode == int(command[0] == "check")
        assert b"unexpected" not in found.stderr
        if command[0] == "fmt":
            assert found.stdout.decode() == LETTERS
        else:
            assert (found.stdout + found.stderr).isascii()


@posix
@pytest.mark.parametrize(
    ("command", "gone", "code"),
    [
        (["explain", "p.lace"], "stdout", 0),
        (["check", "--json", "w.lace"], "stdout", 1),
        (["check", "w.lace"], "stderr", 1),
        (["check", "no.lace"], "stderr", 2),
        (["fmt", "-"], "stdout", 0),
        (["--help"], "stdout", 0),
    ],
)
def test_a_reader_that_goes_away(files: Path, command: list[str], gone: str, code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    kept = "stderr" if gone == "stdout" else "stdout"
    streams: dict[str, int] = {gone: write, kept: subprocess.PIPE}
    ended = subprocess.run(
        [sys.executable, "-m", "lacelang", *command],
        input=LETTERS.encode(),
        timeout=120,
        check=False,
        **streams,  # type: ignore[call-overload]
    )
    os.close(write)
    assert (ended.returncode, getattr(ended, kept)) == (code, b"")


class Bare:
    """The least that Python asks of a stream."""

    def __init__(self, encoding: str | None = None) -> None:
        self.text = ""
        if encoding is not None:
            self.encoding = encoding

    def write(self, text: str) -> int:
        self.text += text.encode(getattr(self, "encoding", "utf-8")).decode()
        return len(text)


class Broken(Bare):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error
        self.asked = 0

    def write(self, text: str) -> int:
        self.asked += 1
        raise self.error


def test_streams_with_a_write_alone(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (Bare(), Bare("ascii")):
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        assert main(["explain", "p.lace"]) == 0
        assert main(["check", "w.lace"]) == 1
        assert "LACE102" in stream.text


def test_a_run_is_printed_to_streams_that_break(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, code in ((BrokenPipeError(), 0), (OSError(5, "Input/output error"), 3)):
        stream = Broken(error)
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["explain", "p.lace"]) == code
        assert stream.asked == 1
        assert ("Input/output error" in capsys.readouterr().err) == (code == 3)


def test_what_a_stream_lacks_is_escaped() -> None:
    for encoding, errors, expected in (
        ("cp1252", "strict", b"\xe9 \\u8001 \\udce9"),
        ("ascii", "surrogateescape", b"\\xe9 \\u8001 \\udce9"),
        ("utf-8", "surrogateescape", "é 老 \\udce9".encode()),
        ("utf-16", "strict", "é 老 \\udce9".encode("utf-16")),
        # What somebody asked for stays; halves of characters are no text.
        ("ascii", "replace", b"? ? \\udce9"),
    ):
        raw = io.BytesIO()
        safe = Safe(io.TextIOWrapper(raw, encoding, errors))
        safe.write("é 老 \udce9")
        safe.flush()
        assert raw.getvalue() == expected


def test_a_program_is_utf_8_or_is_refused() -> None:
    raw = io.BytesIO()
    safe = Safe(io.TextIOWrapper(raw, "cp1252"))
    safe.write("é")
    safe.write_utf8("é老\n")
    safe.flush()
    assert raw.getvalue() == b"\xe9" + "é老\n".encode()
    with pytest.raises(ResourceError, match="cannot hold"):
        Safe(Bare("ascii")).write_utf8("é")


@posix
def test_names_of_files_that_are_no_utf_8(files: Path) -> None:
    right, wrong = b"r\xe9.lace", b"w\xe9.lace"
    try:
        Path(os.fsdecode(right)).write_text("sample 2 from ffhq\n")
    except OSError:
        pytest.skip("this file system refuses such names")
    Path(os.fsdecode(wrong)).write_text("sample from ffhq where x=1\n")
    for command in ("check", "explain", "fmt"):
        found = run(command, os.fsdecode(right), encoding="utf-8")
        assert (found.returncode, found.stderr) == (0, b"")
    found = run("check", os.fsdecode(wrong), encoding="utf-8")
    assert found.stderr.startswith(b"w\\udce9.lace:1:24: error LACE102")
    (listed,) = json.loads(run("check", "--json", os.fsdecode(wrong), encoding="utf-8").stdout)
    assert listed["path"] == "w\\udce9.lace"
    missing = run("check", "no\udce9", encoding="utf-8")
    assert (missing.returncode, missing.stderr) == (2, b"lacelang: no such file: no\\udce9\n")


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


def test_json_of_other_commands(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "binary.lace").write_bytes(b"\xff\xfe\x00")
    assert main(["fmt", "--json", "p.lace", "no.lace", "binary.lace", ""]) == 2
    found = json.loads(capsys.readouterr().out)
    assert [each["path"] for each in found] == ["p.lace", "no.lace", "binary.lace", ""]
    assert [len(each["diagnostics"]) for each in found] == [0, 1, 1, 1]
    assert {each["diagnostics"][0]["code"] for each in found[1:]} == {"LACE014"}
    for name, code in (("w.lace", 1), ("no.lace", 2), ("binary.lace", 1), (".", 2)):
        assert main(["explain", "--json", name]) == code
        printed = capsys.readouterr()
        object_ = json.loads(printed.out)
        assert object_["error"]
        assert [each["code"] for each in object_["diagnostics"]] == ["LACE102"] * (name == "w.lace")
        assert printed.err


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that fails to be read")
def test_a_disk_that_fails(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("check", "fmt", "explain", "run"):
        assert main([command, "/proc/self/mem"]) == 3
        assert "cannot read /proc/self/mem: input/output error" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "fmt", "explain", "run"])
def test_a_program_without_a_name(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, ""]) == 2
    assert "empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "code", "column"),
    [
        ("\ufeffsample from ffhq where x=1\n", "LACE102", 24),
        ("sample\u00a0from ffhq where x=1\n", "LACE102", 24),
        ("sample 2 from ffhq\0\n", "LACE001", 19),
        ("sample ２ from ffhq\n", "LACE001", 8),
        ("sample from ffhq where age=２０\n", "LACE001", 28),
    ],
)
def test_characters_that_look_like_others(
    files: Path, capsys: pytest.CaptureFixture[str], source: str, code: str, column: int
) -> None:
    (files / "odd.lace").write_text(source, encoding="utf-8")
    assert main(["check", "--json", "odd.lace"]) == 1
    first, *_ = json.loads(capsys.readouterr().out)
    assert (first["code"], first["column"]) == (code, column)


@pytest.mark.parametrize("width", [1, 5, 20])
def test_narrow_terminals(
    files: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["explain", "p.lace"]) == 0
    assert main(["check", "w.lace"]) == 1
    for command in ([], ["run"], ["check"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--help"])
        assert ended.value.code == 0
    assert capsys.readouterr().out


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

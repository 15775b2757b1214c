"""Files that never end, that are no files, and whose names are no text of the locale."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from made_runs import read_run

import lacelang
from lacelang.cli.main import main
from lacelang.storage.lines import Lines
from lacelang.storage.records import read_index
from lacelang.system.sources import MOST

pytestmark = pytest.mark.skipif(os.name != "posix", reason="devices and bytes of POSIX")

TINY = Path(__file__).parents[1] / "engine"
# Memory is bounded; a small model stands for the declared one in programs that are right.
STAND_IN = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (1 << 31, 1 << 31))
sys.path.insert(0, {str(TINY)!r})
from lacelang.cli.main import main
if "run" in sys.argv and "/dev/zero" not in sys.argv and "-" not in sys.argv:
    from tiny import TinyModel
    from lacelang.engine import (plan)
    model = TinyModel()
    plan.load = lambda spec, device, progress: model
sys.exit(main())
"""
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
TOO_LONG = "is longer than 4 MiB"


def run(
    folder: Path, *arguments: str | bytes, shell: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    command: list[str | bytes] = [sys.executable, "-c", STAND_IN, *arguments]
    if shell:
        command = ["sh", "-c", f'"$@" {shell}', "sh", *command]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


# Files without an end


@pytest.mark.parametrize("command", ["check", "fmt", "explain", "run"])
def test_a_device_that_never_ends_is_not_read_to_its_end(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, "/dev/zero")
    assert (done.returncode, done.stderr.decode()) == (
        1,
        f"lacelang: /dev/zero {TOO_LONG}, and no program is\n",
    )
    piped = run(tmp_path, command, "-", shell="< /dev/zero")
    assert piped.returncode == 1
    assert f"standard input {TOO_LONG}" in piped.stderr.decode()


def test_a_long_file_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("long.lace").open("wb") as file:
        file.truncate(5 << 30)
    Path("importing.lace").write_text('import "long.lace"\nsample 2 from ffhq\n')
    assert main(["check", "long.lace"]) == 1
    assert f"long.lace {TOO_LONG}" in capsys.readouterr().err
    assert main(["check", "--json", "long.lace"]) == 1
    assert "LACE014" in capsys.readouterr().out
    assert main(["check", "importing.lace"]) == 1
    assert f"error LACE114: long.lace {TOO_LONG}" in capsys.readouterr().err
    assert main(["evaluate", "long.lace"]) == 1
    assert TOO_LONG in capsys.readouterr().err


def test_the_longest_program_and_one_that_is_longer() -> None:
    program = "sample 2 from ffhq\n"
    blank = "\n" * (MOST - len(program))
    assert lacelang.compile(blank + program).groups
    for wrong in (blank + program + "\n", "é" * (MOST + 1), "(" * (5 * MOST)):
        with pytest.raises(lacelang.ProgramError, match=TOO_LONG) as refused:
            lacelang.compile(wrong)
        assert [found.code for found in refused.value.diagnostics] == ["LACE014"]


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "p.lace").write_text("sample  2 from ffhq\n")
    for command, code in (("check", 0), ("explain", 0), ("fmt", 2)):
        line = f'cat p.lace > pipe & "{sys.executable}" -m lacelang {command} pipe'
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
    assert "pipe is no regular file, and is not written over" in done.stderr
    assert (tmp_path / "pipe").is_fifo()


def test_a_program_that_imports_a_pipe_waits_for_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.lace")
    (tmp_path / "p.lace").write_text('import "pipe.lace"\nsample 2 from ffhq\n')
    done = run(tmp_path, "check", "p.lace")
    assert done.returncode == 1
    assert b"there is no file `pipe.lace`" in done.stderr


def test_records_that_are_pipes_or_never_end(tmp_path: Path) -> None:
    for name in ("run.json", "samples.jsonl", "latents-000000.safetensors"):
        os.mkfifo(tmp_path / name)
    assert Lines(tmp_path / "samples.jsonl", dict).read() == []
    with pytest.raises(lacelang.ResourceError, match="no regular file"):
        read_run(tmp_path)
    (tmp_path / "p.lace").write_text(f'edit "{tmp_path}" {{ smile=1 }} as e\n')
    done = run(tmp_path, "check", "p.lace")
    assert done.returncode == 1
    assert b"no regular file" in done.stderr
    endless = tmp_path / "endless"
    with endless.open("wb") as file:
        file.truncate(5 << 30)
    assert Lines(endless, dict).read() == []
    (tmp_path / "run.json").unlink()
    endless.rename(tmp_path / "run.json")
    with pytest.raises(lacelang.ResourceError, match="longer than 64 MiB"):
        read_index(tmp_path)


def test_labels_classifiers_and_images_that_are_pipes(tmp_path: Path) -> None:
    from lacelang.classifiers import heads_file, labels
    from lacelang.engine.fingerprint import file_digest
    from lacelang.storage.png import is_whole

    os.mkfifo(tmp_path / "pipe")
    assert not is_whole(tmp_path / "pipe")
    assert {file_digest(Path(name)) for name in (tmp_path / "pipe", "/dev/zero")} == {"missing"}
    for load in (labels.load, heads_file.load):
        for file in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
            with pytest.raises(lacelang.ResourceError, match="no regular file"):
                load(file)


# What the encoding of the output lacks


def test_a_run_is_summed_up_in_any_encoding(tmp_path: Path) -> None:
    source = 'sample 2 from ffhq where glasses=1 seed 3 with heun(max_steps=1) as "老é"\n'
    (tmp_path / "p.lace").write_text(source, encoding="utf-8")
    done = run(tmp_path, "run", "p.lace", PYTHONIOENCODING="cp1252")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"\\u8001\xe9: 2 samples, 2 did not converge, out/p/\\u8001\xe9")
    assert b"2 \xd7 max_steps" in done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_prompt_that_is_piped_to_says_what_to_do(tmp_path: Path, encoding: str) -> None:
    done = run(tmp_path, "repl", shell="< /dev/null", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"a prompt needs a terminal" in done.stderr


# Names that are no text


def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    program, out = b"caf\xe9.lace", b"caf\xe9"
    try:
        (tmp_path / os.fsdecode(program)).write_text(
            'sample 2 from ffhq where glasses=1 seed 3 as "é"\n'
        )
    except OSError:
        pytest.skip("this file system refuses such names")
    for arguments in (["explain"], ["fmt"], ["check", "--json"], ["fmt", "--check"]):
        done = run(tmp_path, *arguments, program)
        assert (done.returncode, done.stderr) == (0, b""), arguments
    for chosen in ([], [b"--out", b"out/" + out]):
        done = run(tmp_path, "run", program, *chosen)
        assert done.returncode == 0, done.stderr
    assert b"2 of 2 samples are there already" in done.stderr
    folder = tmp_path / "out" / os.fsdecode(out)
    assert (folder / "é" / "0001.png").is_file()
    index = read_index(folder)
    assert index is not None
    assert index.program.name == "caf\\udce9.lace"
    assert os.listdir(os.fsencode(tmp_path / "out")) == [out]


@pytest.mark.slow
def test_names_that_the_locale_lacks(tmp_path: Path) -> None:
    """Under the C locale names of files are ASCII to Python; they are written in UTF-8."""
    (tmp_path / "части.lace").write_text("let specs = glasses=1\n", encoding="utf-8")
    (tmp_path / "p.lace").write_text(
        'import "части.lace"\nsample 2 from ffhq where specs seed 3 as "молодой é"\n',
        encoding="utf-8",
    )
    only = ("--only", "молодой é", "--out", "папка")
    here = run(tmp_path, "run", "p.lace", *only, **C_LOCALE)
    assert here.returncode == 0, here.stderr
    assert (tmp_path / "папка" / "молодой é" / "0001.png").is_file()
    again = run(tmp_path, "run", "p.lace", *only, PYTHONUTF8="1")
    assert (again.returncode, b"2 of 2 samples are there already" in again.stderr) == (0, True)
    edit = 'edit "папка/молодой é" { smile=1 } as "улыбка"\n'
    (tmp_path / "e.lace").write_text(edit, encoding="utf-8")
    # It is found and read: those of the small model do not suit the declared one.
    assert b"holds latents of another model" in run(tmp_path, "check", "e.lace", **C_LOCALE).stderr


def test_a_path_from_python_that_the_locale_lacks(tmp_path: Path) -> None:
    code = """
        import sys, lacelang
        from lacelang.arguments import path
        assert sys.getfilesystemencoding() == "ascii"
        path("папка", "out").mkdir()
        try:
            lacelang.compile("sample 2 from ffhq").run(out="\\ud800")
        except lacelang.UsageError as error:
            print(error)
    """
    (tmp_path / "mine.py").write_text(textwrap.dedent(code), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "mine.py"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, **C_LOCALE},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"`out` is the path of a folder" in done.stdout
    assert (tmp_path / "папка").is_dir()

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lacelang.cli.main import main

PROGRAM = """\
let scholar = glasses=1 and age > 60
sample 4 from ffhq where scholar or beard=1 [weight 2] seed 3 with euler as men
measure glasses=1 given age < 20 from ffhq as young
expect glasses=1 in 95% of men
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "p.lace"
    path.write_text(PROGRAM)
    return path


def test_the_plan_comes_first_then_every_statement(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(path)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    blocks = shown.out.split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [
        "plan",
        "sample men: 4 samples of ffhq",
        "measure young: P(glasses=1 given age < 20) of ffhq",
        "expect: glasses=1 in 95% of men",
    ]
    assert "  1  sample   men" in blocks[0]
    assert "seed 3" in blocks[0]
    assert "│   ├── glasses=1 " in blocks[1]
    assert "in scholar" in blocks[1]


def test_json_has_the_same(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(f["kind"], f["name"]) for f in found] == [
        ("sample", "men"),
        ("measure", "young"),
        ("expect", None),
    ]
    assert found[0]["count"] == 4
    assert found[0]["sampler"] == {"name": "euler", "options": {"step": 0.01}}
    root = found[0]["conditions"]["energy"]["term"]
    assert root["kind"] == "or"
    assert [term["odds"] for term in root["terms"]] == pytest.approx([1 / 3, 2 / 3])
    assert set(found[1]["conditions"]) == {"what", "given"}


def test_an_unknown_name_is_a_wrong_command_line(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(path), "--only", "women"]) == 2
    assert "men, young" in capsys.readouterr().err


def test_a_wrong_program_is_not_explained(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("sample from ffhq where glases=1")
    assert main(["explain", str(path)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "did you mean `glasses`?" in shown.err


def test_warnings_go_to_standard_error(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("sample from ffhq where glasses=1 [weight 0] and smile=1 as g")
    assert main(["explain", str(path)]) == 0
    shown = capsys.readouterr()
    assert "warning LACE503" in shown.err
    assert "takes no part" in shown.out


def test_colours_are_for_terminals(path: Path) -> None:
    command = [sys.executable, "-m", "lacelang", "explain", str(path)]
    piped = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout
    assert b"\x1b" not in piped
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(command, stdout=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:
                break
            if not read:
                break
            shown += read
        assert process.wait(timeout=120) == 0
    os.close(ours)
    assert b"\x1b[" in shown
    # The words are the same.
    assert "│   ├── glasses=1" in shown.decode()


@pytest.mark.weights
def test_only_evaluates_one_statement(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(path), "--only", "men", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    energy = found["conditions"]["energy"]
    assert energy["totals"]["draws"] == 64
    assert energy["totals"]["seed"] == 3
    root = energy["term"]
    assert root["figures"]["energy"] == pytest.approx(energy["totals"]["energy"])
    scholar, beard = root["terms"]
    shares = [term["figures"]["share"] for term in (*scholar["terms"], beard)]
    assert sum(shares) == pytest.approx(1.0, abs=1e-3)
    glasses, age = scholar["terms"]
    assert 0 < glasses["figures"]["reading"] < 1
    assert 15 < age["figures"]["reading"] < 60
    assert 2 < age["sigma"] < 10
    assert main(["explain", str(path), "--only", "young"]) == 0
    shown = capsys.readouterr().out
    assert "64 draws from the prior" in shown
    assert "years" in shown

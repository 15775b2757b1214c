from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from lacelang.cli.main import main

LOOSE = "sample   4 from ffhq where glasses=1   as kids # keep me\n"


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    path = tmp_path / "p.lace"
    path.write_text(LOOSE)
    return path


def test_a_file_is_laid_out_in_place_once(loose: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", str(loose)]) == 0
    once = loose.read_text()
    assert once != LOOSE
    assert "# keep me" in once
    before = loose.stat().st_mtime_ns
    assert main(["fmt", str(loose)]) == 0
    # What is right already is not written again.
    assert loose.stat().st_mtime_ns == before
    assert main(["fmt", str(loose), "--check"]) == 0
    assert capsys.readouterr().out == ""


def test_check_changes_nothing_and_says_which(
    loose: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fmt", "--check", str(loose)]) == 1
    assert loose.read_text() == LOOSE
    assert str(loose) in capsys.readouterr().err


def test_standard_input_goes_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(LOOSE.encode()))
    monkeypatch.setattr("sys.stdin", stream)
    assert main(["fmt", "-"]) == 0
    assert "where glasses=1" in capsys.readouterr().out


def test_a_wrong_program_is_left_alone(loose: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loose.write_text("sample 4 from ffhq where (glasses=1\n")
    assert main(["fmt", str(loose)]) == 1
    assert loose.read_text() == "sample 4 from ffhq where (glasses=1\n"
    assert "error LACE" in capsys.readouterr().err


def test_a_link_and_the_file_mode_stay(loose: Path, tmp_path: Path) -> None:
    loose.chmod(0o750)
    link = tmp_path / "link.lace"
    link.symlink_to(loose)
    assert main(["fmt", str(link)]) == 0
    assert link.is_symlink()
    assert loose.read_text() != LOOSE
    assert loose.stat().st_mode & 0o777 == 0o750


def test_json_changes_nothing_and_tells_of_every_file(
    loose: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.lace"
    wrong.write_text("sample 4 from ffhq where (glasses=1\n")
    assert main(["fmt", "--json", str(wrong), str(loose)]) == 1
    assert loose.read_text() == LOOSE
    first, second = json.loads(capsys.readouterr().out)
    assert (first["path"], first["changed"], first["text"]) == (str(wrong), False, None)
    assert [d["code"] for d in first["diagnostics"]] == ["LACE004"]
    assert second["changed"]
    assert second["diagnostics"] == []
    loose.write_text(second["text"])
    assert main(["fmt", "--json", str(loose)]) == 0
    (again,) = json.loads(capsys.readouterr().out)
    assert (again["changed"], again["text"]) == (False, second["text"])


def test_json_and_check_say_by_their_code_whether_a_file_would_change(loose: Path) -> None:
    assert main(["fmt", "--json", "--check", str(loose)]) == 1
    assert main(["fmt", "--json", str(loose)]) == 0


def test_a_wrong_file_does_not_keep_the_others_from_their_layout(
    loose: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.lace"
    wrong.write_text("sample 4 from ffhq where (glasses=1\n")
    assert main(["fmt", str(wrong), str(loose)]) == 1
    assert loose.read_text() != LOOSE
    assert "wrong.lace:1:26: error LACE004" in capsys.readouterr().err

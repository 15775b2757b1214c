"""`python -m experiments`: specs are found by their names, and one is one file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from experiments import __main__ as command
from experiments import annotator_noise, specs
from experiments.specs import zero_shot
from lacelang.cli.main import main as lacelang
from lacelang.evaluate import program
from lacelang.evaluate.report import Report, Table
from lacelang.progress import Silent

ROOT = Path(__file__).resolve().parents[2]

NEW = '''\
"""A spec of one's own."""

from lacelang.evaluate.report import Report, Table

def study(progress, faces):
    return Report("mine", [Table("t", [{"what": "faces", "figure": faces}])])
'''


@pytest.fixture
def _no_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotator_noise, "tables", lambda *_: [Table("noise", ())])


def test_every_spec_has_the_report_that_the_docs_are_made_from() -> None:
    reports = [path.parent for path in (ROOT / "docs").glob("*/*/report.json")]
    specs_of = {name: command.model_of(name) for name in command.names()}
    # `python -m experiments.photographs` is no spec: it has two runs, and writes the report itself.
    made = {path.name: path.parent.name for path in reports if path.name != "photographs"}
    assert made == specs_of


def test_the_package_imports_nothing_of_it() -> None:
    files = sorted((ROOT / "lacelang").rglob("*.py"))
    found = [p for p in files if re.search(r"^\s*(from|import) experiments", p.read_text(), re.M)]
    assert files
    assert not found


@pytest.mark.usefixtures("_no_noise")
def test_a_new_spec_is_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(NEW)
    monkeypatch.setattr(specs, "__path__", [*specs.__path__, str(tmp_path)])
    assert "mine" in command.names()
    out = tmp_path / "out"
    assert command.main(["mine", "--faces", "3", "--json", "--out", str(out)]) == 0
    printed, saved = json.loads(capsys.readouterr().out), (out / "report.json").read_text()
    assert printed == json.loads(saved)
    assert printed["tables"][0]["rows"] == [{"what": "faces", "figure": 3}]
    assert printed["tables"][1]["title"] == "noise"


def test_a_wrong_name_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["zeroshot"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert all(name in said for name in command.names())


def test_lacelang_says_where_the_tables_of_the_paper_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert lacelang(["evaluate", "conditional"]) == 2
    assert "python -m experiments" in capsys.readouterr().err
    assert lacelang(["evaluate", "gone.lace"]) == 2
    assert "gone.lace" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        lacelang(["evaluate", "--help"])
    assert "python -m experiments" in " ".join(capsys.readouterr().out.split())


def test_groups_are_cut_and_never_made_larger() -> None:
    counts = {s.count for s in program.at_most(zero_shot.shown(), 32).samples}
    assert counts == {8, 32}


def test_a_report_ends_with_the_noise_of_its_annotators(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def own(spec: object, progress: object, faces: int | None) -> list[Table]:
        asked.append(faces)
        return [Table("noise", ())]

    monkeypatch.setattr(annotator_noise, "tables", own)
    monkeypatch.setattr(zero_shot, "study", lambda *_: Report("x", [Table("faces", ())]))
    found = command.run("zero_shot", Silent(), 7)
    assert [table.title for table in found.tables] == ["faces", "noise"]
    assert asked == [7]

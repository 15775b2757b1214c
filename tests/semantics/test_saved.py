"""Edits of what is on disk: found, known from its run, or told by clauses."""

from __future__ import annotations

from pathlib import Path

import pytest

from lacelang.errors import ProgramError
from lacelang.output.records import GroupRecord, RunRecord
from lacelang.semantics import ir
from lacelang.semantics.check import check
from lacelang.storage.index import write_index


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run of one group in it, seen from the folder above."""
    settings = {"model": "ffhq", "truncation": 0.5}
    group = GroupRecord("men", "men", "", "f", 9, 4, settings, ())
    out = tmp_path / "out" / "faces"
    (out / "men").mkdir(parents=True)
    write_index(out, RunRecord("faces.lace", "", {}, (group,)))
    (out / "men" / "w.safetensors").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return out


def _edit(source: str) -> ir.EditStatement:
    (statement,) = check(source).statements
    assert isinstance(statement, ir.EditStatement)
    return statement


def _codes(source: str) -> list[str]:
    with pytest.raises(ProgramError) as wrong:
        check(source)
    return [found.code for found in wrong.value.diagnostics]


@pytest.mark.parametrize("place", ["out/faces/men", "./out/faces/men/", "out/faces/men/."])
def test_a_group_of_a_run_is_known_by_its_run(run: Path, place: str) -> None:
    edit = _edit(f'edit "{place}" {{ smile=0 }} as e')
    assert edit.group == place
    assert edit.model.name == "ffhq"
    assert edit.saved is not None
    assert edit.saved.file.resolve() == run / "men"
    assert edit.saved.fingerprint == "f"
    assert (edit.saved.truncation, edit.saved.seed) == (0.5, 9)


def test_what_the_run_says_cannot_be_said_otherwise(run: Path) -> None:
    assert _codes('edit "out/faces/men" { smile=0 } from ffhq truncation 0.7') == ["LACE303"] * 2


def test_a_file_without_a_run_needs_to_be_told_its_model(run: Path) -> None:
    file = run / "men" / "w.safetensors"
    file.rename("w.safetensors")
    assert _codes('edit "w.safetensors" { smile=0 }') == ["LACE302"]
    edit = _edit('edit "w.safetensors" { smile=0 } from ffhq truncation 0.6')
    assert edit.saved == ir.Saved(Path("w.safetensors"), 0.6, 0)
    plain = _edit('edit "w.safetensors" { smile=0 } from ffhq').saved
    assert plain is not None
    assert plain.truncation == 0.7


def test_a_damaged_run_is_reported(run: Path) -> None:
    (run / "run.json").write_text("{")
    assert _codes('edit "out/faces/men" { smile=0 }') == ["LACE120"]


def test_a_run_is_no_group(run: Path) -> None:
    with pytest.raises(ProgramError) as wrong:
        check('edit "out/faces" { smile=0 }')
    (found,) = wrong.value.diagnostics
    assert found.code == "LACE120"
    assert found.hint == "name one of its groups, such as `out/faces/men`"


def test_quoted_names_of_groups_are_names() -> None:
    source = 'sample from ffhq as "old men" edit "old men" { smile=0 }'
    edit = check(source).statements[1]
    assert isinstance(edit, ir.EditStatement)
    assert edit.saved is None
    assert _codes('edit "young men" { smile=0 }') == ["LACE108"]

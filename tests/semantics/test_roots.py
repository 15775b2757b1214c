"""Imports lie below the folder of the program: a stranger's text reads no other file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import lacelang
from lacelang.errors import Diagnostic, ProgramError
from lacelang.semantics.check import check

SECRET = "let password = hunter2 / 7\n"
SAMPLE = "sample from ffhq where old as men\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "outside.lace").write_text(SECRET)
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "homely").mkdir()
    (tmp_path / "homely" / "near.lace").write_text(SECRET)
    home = tmp_path / "home"
    (home / "parts" / "more").mkdir(parents=True)
    (home / "old.lace").write_text("let old = age > 60\n")
    (home / "parts" / "more" / "old.lace").write_text('import "../../old.lace"\nlet older = old\n')
    (home / "notes.txt").write_text(SECRET)
    (home / "link.lace").symlink_to(tmp_path / "outside.lace")
    (home / "folder").symlink_to(tmp_path, target_is_directory=True)
    (home / "circle.lace").symlink_to("circle.lace")
    (home / "whole.lace").symlink_to("old.lace")
    (home / "parts" / "leaves.lace").write_text('import "../../outside.lace"\n')
    return home


def errors(target: str, home: Path, root: Path | None = None) -> list[Diagnostic]:
    with pytest.raises(ProgramError) as caught:
        check(f'import "{target}"\n{SAMPLE}', home / "main.lace", root=root)
    return list(caught.value.diagnostics)


OUTSIDE = [
    "../outside.lace",
    "parts/../../outside.lace",
    "{home}/../outside.lace",
    "/etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "/dev/stdin",
    "link.lace",
    "folder/outside.lace",
    "../homely/near.lace",
    "../nothing.lace",
    "../secret.txt",
    "..",
    "/",
    "parts/leaves.lace",
]


@pytest.mark.parametrize("target", OUTSIDE)
def test_what_lies_outside_is_not_read(home: Path, target: str) -> None:
    found = errors(target.format(home=home), home)
    assert [d.code for d in found if d.code != "LACE103"] == ["LACE121"]
    assert "hunter2" not in str([(d.message, d.hint) for d in found])


def test_what_is_there_and_what_is_not_read_the_same(home: Path) -> None:
    """Nor is it said which files there are."""
    there, absent = (errors(f"../{name}.lace", home)[0] for name in ("outside", "nothing"))
    assert there.message.replace("outside.lace", "nothing.lace") == absent.message
    assert there.hint == absent.hint


@pytest.mark.parametrize("target", ["old.lace", "./old.lace", "parts/../old.lace", "whole.lace"])
def test_what_lies_below_is_read(home: Path, target: str) -> None:
    assert check(f'import "{target}"\n{SAMPLE}', home / "main.lace").statements


def test_an_imported_file_may_import_from_above_itself(home: Path) -> None:
    text = 'import "parts/more/old.lace"\nsample from ffhq where older\n'
    assert check(text, home / "main.lace").statements


def test_a_root_above_takes_in_more(home: Path) -> None:
    (home.parent / "shared.lace").write_text("let old = age > 60\n")
    text = f'import "../shared.lace"\n{SAMPLE}'
    assert check(text, home / "main.lace", root=home.parent).statements
    assert lacelang.compile(text, home / "main.lace", root=home.parent).groups == ("men",)
    assert errors("../../x.lace", home, root=home.parent)[0].code == "LACE121"


@pytest.mark.parametrize("target", ["notes.txt", "circle.lace", "parts", "fifo.lace"])
def test_what_is_no_program_is_not_quoted(home: Path, target: str) -> None:
    os.mkfifo(home / "fifo.lace")
    found = errors(target, home)
    assert found[0].code in ("LACE114", "LACE121")
    assert "hunter2" not in str(found)


def test_a_text_without_a_file_imports_from_the_current_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    assert check(f'import "old.lace"\n{SAMPLE}').statements
    with pytest.raises(ProgramError, match="outside the folder"):
        check('import "../outside.lace"\nsample from ffhq')


def test_who_calls_from_python_names_any_file(home: Path) -> None:
    (home.parent / "shared.lace").write_text("let old = age > 60\n")
    program = lacelang.sampling("ffhq", "old", imports=[home.parent / "shared.lace"])
    assert program.groups == ("sample1",)


@pytest.mark.parametrize("part", ["../homel/faces", "../homel", "{home}/../homel/x"])
def test_hints_list_no_folder_outside(
    home: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.chdir(home)
    text = f'edit "{part.format(home=home)}/x" {{ smile=1 }}'
    with pytest.raises(ProgramError) as caught:
        check(text, home / "main.lace")
    assert "homely" not in str(caught.value.diagnostics[0].hint)


def test_a_file_that_changes_within_a_tick_of_the_clock_is_read_again(tmp_path: Path) -> None:
    """Neither its time nor its size tells that it is another text."""
    imported, program = tmp_path / "part.lace", tmp_path / "p.lace"
    program.write_text('import "part.lace"\nsample 1 from ffhq where who as a\n')
    found = []
    for value in "01":
        imported.write_text(f"let who = glasses={value}\n")
        os.utime(imported, ns=(10**18, 10**18))
        (statement,) = lacelang.compile(program.read_text(), program).samples
        found.append(str(statement.where))
    assert found[0] != found[1]

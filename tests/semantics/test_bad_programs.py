"""Wrong programs and what is said about them, word for word.

Run with LACELANG_UPDATE=1 to write the expected texts anew, then read them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lacelang.errors import ProgramError
from lacelang.semantics.check import check
from lacelang.semantics.codes import CODES
from lacelang.semantics.context import severity_of
from lacelang.syntax.render import render_all

FOLDER = Path(__file__).parent.parent / "bad"
PROGRAMS = sorted(FOLDER.glob("*.lace"))


def _said(name: str) -> str:
    path = Path(name)
    try:
        diagnostics = check(path.read_text(encoding="utf-8"), path, pedantic=True).warnings
    except ProgramError as error:
        diagnostics = error.diagnostics
        assert diagnostics[0].severity == "error"
    assert diagnostics
    for found in diagnostics:
        assert found.code in CODES
        assert found.severity == severity_of(found.code)
        assert found.path is not None
    return render_all(diagnostics) + "\n"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_what_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    said = _said(path.name)
    golden = path.with_suffix(".txt")
    if os.environ.get("LACELANG_UPDATE"):
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")


def test_every_code_has_an_example() -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt"))
    # These are said of files that are no text, of programs with hundreds of errors, and of right
    # programs when they are run.
    assert {code for code in CODES if code not in shown} <= {"LACE014", "LACE016", "LACE314"}


def test_no_code_is_dead_and_none_is_made_up() -> None:
    package = FOLDER.parent.parent / "lacelang"
    files = [path for path in package.rglob("*") if path.suffix in (".py", ".toml")]
    files.remove(package / "semantics" / "codes.toml")
    texts = (path.read_text(encoding="utf-8") for path in files)
    said = [code for text in texts for code in re.findall(r'(LACE\d{3})\b(?!":)', text)]
    # The two that part errors from warnings are no codes.
    assert set(said) - {"LACE500", "LACE510"} == set(CODES)


def test_there_are_enough_of_them() -> None:
    assert len(PROGRAMS) >= 75
    assert {p.stem for p in PROGRAMS} == {p.stem for p in FOLDER.glob("*.txt")}

"""Which changes scripts/mutants.py makes, and which it leaves out because they cannot matter."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("mutmut")

import mutants
from code_changes import changes

SOURCE = '''"""A docstring: 1 < 2."""

from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from a import b

Key: TypeAlias = str | int
Keys = list[Key]
__all__ = ["shorter"]


@decorated(number=1)
def shorter(a: list[int], b: list["int"]) -> bool:
    """Another docstring."""
    for x, y in zip(a, b, strict=True):
        if x < y:
            return cast("bool", True)
    raise ValueError("they are as long")
'''
MADE = {
    ("for x, y in zip(a, b, strict=True):", "for x, y in zip(None, b, strict=True):"),
    ("for x, y in zip(a, b, strict=True):", "for x, y in zip(a, None, strict=True):"),
    ("for x, y in zip(a, b, strict=True):", "for x, y in zip(b, strict=True):"),
    ("for x, y in zip(a, b, strict=True):", "for x, y in zip(a, strict=True):"),
    ("if x < y:", "if x <= y:"),
    ('return cast("bool", True)', 'return cast("bool", False)'),
    ('raise ValueError("they are as long")', "raise ValueError(None)"),
    ('raise ValueError("they are as long")', 'raise ValueError("XXthey are as longXX")'),
}


def test_what_cannot_matter_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "shorter.py"
    path.write_text(SOURCE)
    lines = SOURCE.splitlines()
    found = set()
    for change in changes(path):
        mutant = change.mutant()
        assert mutant is not None
        after = mutant.source.splitlines()
        (place,) = [k for k, (a, b) in enumerate(zip(lines, after, strict=True)) if a != b]
        assert place + 1 in mutant.statement
        assert mutant.statement.start in mutant.function
        found.add((lines[place].strip(), after[place].strip()))
    assert found == MADE


def test_a_mutant_is_what_an_import_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    (tmp_path / "one.py").write_text("def one():\n    return 1\n")
    (change,) = changes(tmp_path / "one.py")
    finder = mutants._Finder(change.mutant())
    assert finder.find_spec("other") is None
    module = importlib.util.module_from_spec(finder.find_spec("one"))
    module.__loader__.exec_module(module)
    assert module.one() == 2


def test_cases_that_a_mutant_renames_run_under_their_new_names() -> None:
    known = ["t.py::a[x]", "t.py::a[y]", "t.py::a[unfit]", "t.py::b", "t.py::c[x]"]
    collected = ["t.py::a[unfit]", "t.py::a[XXxXX]", "t.py::a[y]", "t.py::b", "t.py::c[XXxXX]"]
    items = [SimpleNamespace(nodeid=name) for name in collected]
    chosen = mutants._Chosen(["t.py::b", "t.py::a[x]", "t.py::a[y]"], known)
    chosen.pytest_collection_modifyitems(items)
    assert [each.nodeid for each in items] == ["t.py::b", "t.py::a[y]", "t.py::a[XXxXX]"]


def test_what_an_import_does_belongs_to_all_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that happens to import a module first does not stand for those that use it."""
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    path = tmp_path / "one.py"
    path.write_text(
        "LIMIT = 1\n\n\ndef twice(x=2):\n    return x + x\n\n\ndef thrice(x):\n    return 3 * x\n"
    )
    lines = {"1": ["imports"], "4": ["imports"], "5": ["twice", "slow"], "8": ["", "imports"]}
    lines["9"] = ["", "thrice"]
    seconds = {"imports": 0.1, "twice": 0.3, "slow": 5.0, "thrice": 0.2, "other": 0.01}
    runner = object.__new__(mutants.Runner)
    runner._budget, runner._reach = 20.0, mutants.Reach(seconds, {"one.py": lines}, set(seconds))
    chosen = {}
    for change in changes(path):
        mutant = change.mutant()
        assert mutant is not None
        chosen[mutant.statement.start] = runner.tests(mutant)
    assert chosen[1] == ["imports", "thrice", "twice", "slow", "other"]
    assert chosen[4] == ["imports", "twice", "slow", "thrice", "other"]
    assert chosen[5] == ["twice", "slow"]
    assert chosen[9] == ["imports", "thrice", "twice", "slow", "other"]  # called by an import
    runner._budget = 0.2
    mutant = next(iter(changes(path))).mutant()
    assert mutant is not None
    assert runner.tests(mutant) == ["imports", "other"]

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "lacelang").rglob("__init__.py"))


def test_layers(capsys: pytest.CaptureFixture[str]) -> None:
    """The contract stands in pyproject.toml; it also says that no folder is left out."""
    before = os.getcwd()
    try:
        assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True) == 0, capsys.readouterr()
    finally:
        os.chdir(before)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_folder_says_what_goes_in_and_what_comes_out(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert said
    assert said.splitlines()[0].endswith(".")

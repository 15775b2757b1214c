"""Each front end speaks of what its reader has: options, arguments or commands of the prompt."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lacelang
from lacelang.cli.main import worded
from lacelang.errors import IN_PYTHON, LaceError, ResourceError, UsageError, WayOut

PACKAGE = Path(lacelang.__file__).parent
_OPTION = re.compile(r"(?<![\w-])--[a-z]")
PROGRAM = "sample 1 from ffhq where smile=1 as kids"


def _texts(path: Path) -> list[str]:
    """Return the texts of a module that are no documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    ]


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in sorted(PACKAGE.rglob("*.py"))
        # What stands behind `%%lace` is a command line as well.
        if PACKAGE / "cli" not in p.parents and p != PACKAGE / "notebook" / "magic.py"
    ],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_only_the_command_line_speaks_of_options(path: Path) -> None:
    assert not [text for text in _texts(path) if _OPTION.search(text)]


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda p: p.name)
def test_the_command_line_speaks_of_no_arguments(path: Path) -> None:
    assert not [text for text in _texts(path) if re.search(r"`\w+=", text)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"seed": -1},
        {"only": "nope"},
        {"device": "tpu"},
        {"out": ""},
        {"replace": "yes"},
        {"images": 3},
        {"progress": 3},
    ],
    ids=str,
)
def test_from_python_arguments_are_named(arguments: dict[str, object]) -> None:
    program = lacelang.compile(PROGRAM)
    with pytest.raises(LaceError) as caught:
        program.run(**arguments)  # type: ignore[arg-type]
    assert not _OPTION.search(str(caught.value))
    assert next(iter(arguments)) in str(caught.value)
    if isinstance(caught.value, UsageError):
        assert caught.value.argument in arguments
        assert f"--{next(iter(arguments))}" in worded(caught.value)


def test_ways_out_are_worded_by_the_front_end() -> None:
    from lacelang.repl.loop import WAYS

    ways = {WayOut.FOLDER: "", WayOut.REPLACE: ""}
    error = ResourceError("it is there already", "choose another folder", ways)
    assert str(error).endswith("`out` names the folder; `replace=True` replaces the group")
    assert worded(error).endswith("--out names the folder; --replace replaces the group")
    assert error.worded(WAYS).endswith("`:run FOLDER` names the folder")


def test_every_way_out_has_words_on_the_command_line() -> None:
    for way in WayOut:
        assert "--" in worded(ResourceError("wrong", "right it", {way: "x"}))
        assert not _OPTION.search(str(ResourceError("wrong", "right it", {way: "x"})))
    assert set(IN_PYTHON) <= set(WayOut)


def test_a_folder_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError) as caught:
        lacelang.compile(PROGRAM).run(out=tmp_path / "file" / "x")
    assert not _OPTION.search(str(caught.value))
    assert "`out` names the folder" in str(caught.value)
    assert "--out names the folder" in worded(caught.value)


def test_weights_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from lacelang.storage import fetch

    monkeypatch.setattr(fetch, "cached_path", lambda archive: tmp_path / "archive")
    monkeypatch.setenv("LACELANG_INDEX_URL", "http://127.0.0.1:9/simple")
    archive = fetch.Archive("random-face", "2021.7.21.1", "0" * 64)
    with pytest.raises(ResourceError) as caught:
        fetch.obtain(archive, help_="lacelang models fetch ffhq")
    assert not _OPTION.search(str(caught.value))
    assert "lacelang models fetch ffhq" in str(caught.value)
    assert "--from names the file" in worded(caught.value)

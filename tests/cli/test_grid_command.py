"""`lacelang grid`: which groups stand where, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from PIL import Image
from tiny import TinyModel, program, statement

import lacelang
from lacelang.cli import grid as command
from lacelang.cli.main import main
from lacelang.engine import plan
from lacelang.errors import UsageError
from lacelang.storage.records import GroupRecord, SampleRecord

NAMES = ("age 15 smile 0", "age 15 smile 1", "age 60 smile 0", "age 60 smile 1", "a, b", "x[1]")


@pytest.fixture
def groups(make_group: Callable[..., GroupRecord]) -> list[GroupRecord]:
    samples = tuple(SampleRecord(k, 1.0, "converged", 1, {}) for k in range(6))
    return [evolve(make_group(name), samples=samples, count=6) for name in NAMES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("grid") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "load", lambda spec, device, progress: TinyModel())
        program(statement("one", 3), statement("two", 3)).run(out=out)
    return out


def test_rows_are_groups_and_columns_samples(groups: list[GroupRecord]) -> None:
    grid = command._grid("t", groups, None, None, None)
    assert grid.rows == NAMES
    assert grid.columns == tuple(f"{k:04d}" for k in range(6))
    grid = command._grid("t", groups, "age 60*,age 15 smile 0", "samples", [4, 1])
    assert grid.rows == ("age 60 smile 0", "age 60 smile 1", "age 15 smile 0")
    assert grid.columns == ("0004", "0001")
    assert grid.cells[2, 1][0].index == 1


def test_columns_may_be_groups_and_rows_samples(groups: list[GroupRecord]) -> None:
    for rows in (None, "samples"):
        grid = command._grid("t", groups, rows, "*smile 1", None)
        assert grid.columns == ("age 15 smile 1", "age 60 smile 1")
        assert grid.rows[:2] == ("0000", "0001")
        assert grid.cells[1, 0][0].group == "age 15 smile 1"


def test_groups_in_both_cross(groups: list[GroupRecord]) -> None:
    grid = command._grid("t", groups, "age 15*, age 60*", "*smile 0,*smile 1", None)
    assert grid.rows == ("age 15", "age 60")
    assert grid.columns == ("smile 0", "smile 1")
    assert {each.group for each in grid.cells[1, 0]} == {"age 60 smile 0"}
    assert len(grid.cells[1, 0]) == 4
    one = command._grid("t", groups, "age 15*", "*0", [5])
    assert [each.index for each in one.cells[0, 0]] == [5]


def test_names_with_commas_and_brackets_are_themselves(groups: list[GroupRecord]) -> None:
    assert command._grid("t", groups, '"a, b",x[1]', None, None).rows == ("a, b", "x[1]")


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        ("nobody", None, "no group `nobody`; its groups: age 15 smile 0"),
        ("samples", None, "name groups for the other"),
        ("samples", "samples", "name groups for the other"),
        ("age*", "*smile*", "several groups are in row `age*`"),
        ("x*", "age*", "no group is in both"),
        (" , ", None, "name groups, such as"),
        ("age*", "nobody", "no group `nobody`"),
    ],
)
def test_what_is_wrong_is_said(
    groups: list[GroupRecord], rows: str, columns: str | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said.replace("*", r"\*")):
        command._grid("t", groups, rows, columns, None)


@pytest.mark.parametrize("text", ["3..1", "a", "", "-1", "0..99999999", "1..", "1,,2"])
def test_indices_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--samples takes indices"):
        command._indices(text)


def test_indices() -> None:
    assert command._indices("0..3, 7,2") == [0, 1, 2, 3, 7]


def test_a_grid_is_written_and_its_path_printed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, kind in (("g.png", "PNG"), ("g.jpg", "JPEG")):
        out = tmp_path / name
        assert main(["grid", str(folder), "--rows", "two,one", "--out", str(out)]) == 0
        assert capsys.readouterr().out == f"{out}\n"
        with Image.open(out) as picture:
            assert picture.format == kind
    # The first of the run's.
    said = lacelang.provenance(tmp_path / "g.png")
    assert (said.what, said.group) == ("grid", "one")
    assert main(["grid", str(folder), "--samples", "0..1"]) == 0
    assert (folder / "grid.png").is_file()
    assert main(["grid", str(folder)]) == 0
    assert not list(folder.glob("*.damaged"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--out", "g.gif"], 2, "--out names a .png or a .jpg file"),
        (["--samples", "9"], 2, "no samples of these groups are there"),
        (["--rows", "three"], 2, "no group `three`; its groups: one, two"),
        (["--out", "nowhere/g.png"], 3, "nowhere"),
    ],
)
def test_errors_of_the_command(
    folder: Path,
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["grid", str(folder), *arguments]) == code
    assert said in capsys.readouterr().err

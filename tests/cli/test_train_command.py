"""`lacelang train` with few labels, and `label` with annotators of one's own: on real digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from lacelang.classifiers import heads_file, labels
from lacelang.classifiers.labels import Labels
from lacelang.cli.main import main
from lacelang.resources import shipped


def first(count: int) -> Labels:
    """The first labelled prior draws of digits, fewer than there are."""
    table = labels.load(shipped("stdlib") / "digits.labels.safetensors")
    columns = {"digit": table.columns["digit"][:count].copy()}
    none = table.conditioned.rows(slice(0, 0))
    return evolve(table, prior_count=count, conditioned=none, columns=columns)


def trained(folder: Path, table: Labels, *options: str) -> tuple[int, Path]:
    labels.save(folder / "few.safetensors", table)
    out = folder / "out.safetensors"
    place = ["--labels", str(folder / "few.safetensors"), "--out", str(out)]
    return main(["train", "digits", *place, *options]), out


def test_a_hundred_labels_make_linear_classifiers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = trained(tmp_path, first(100))
    assert code == 0
    saved = heads_file.load(out)
    assert saved.heads.hidden == ()
    assert saved.report["recipe"] == "linear"
    assert "5-fold cross-validation" in capsys.readouterr().out


def test_fewer_are_drawn_from_a_table_and_scored_on_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = trained(tmp_path, first(400), "--few", "60")
    assert code == 0
    rows = heads_file.load(out).report["rows"]
    assert rows == {
        "training": {"prior": 60, "conditioned": 0},
        "held_out": {"prior": 340, "conditioned": 0},
    }
    assert "labels; " in capsys.readouterr().err


def one_class(table: Labels) -> None:
    table.columns["digit"][:] = 3


def nine(table: Labels) -> None:
    table.columns["digit"][9:] = np.nan


def none(table: Labels) -> None:
    table.columns["digit"][:] = np.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (one_class, "digit: every label is the same, three; there is nothing to learn"),
        (nine, "digit: 9 labels; training needs 10"),
        (none, "digit: there are no labels"),
    ],
)
def test_labels_that_cannot_work_leave_no_file(
    change: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = first(50)
    change(table)  # type: ignore[operator]
    code, out = trained(tmp_path, table)
    assert code == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few.safetensors"]
    assert not out.exists()


def test_ten_labels_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = trained(tmp_path, first(10))
    assert code == 0
    assert out.exists()
    said = capsys.readouterr().err
    assert "warning: digit: only 10 labels; its figures are rough" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recipe", "linear", "--self-calibrate"], "--self-calibrate trains networks"),
        (["--recipe", "linear", "--epochs", "3"], "leave out --epochs"),
        (["--recipe", "linear", "--members", "3"], "leave out --members"),
        (["--recipe", "regularised", "--members", "0"], "an average is of 1 to 32 networks"),
        (["--latent-jem", "--self-calibrate"], "--latent-jem trains networks"),
        (["--few", "50"], "cannot take 50 of 50"),
        (["--few", "0"], "cannot take 0 of 50"),
        (["--recipe", "regularised"], "too few labelled prior draws"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = trained(tmp_path, first(50), *options)
    assert code == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_function_labels_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'def judge(image):\n    return {"digit": "one" if image.mean() < 25 else "eight"}\n'
    (tmp_path / "ink.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    size = ["--count", "40", "--rare", "0", "--workers", "1", "--out", "ink.safetensors"]
    assert main(["label", "digits", "--annotator", "ink:judge", *size]) == 0
    table = labels.load(Path("ink.safetensors"))
    assert set(table.columns["digit"]) == {1.0, 8.0}
    assert table.about["annotator"].startswith("function_")
    assert main(["label", "digits", "--from", "ink.safetensors", *size]) == 2
    assert "labelled by another annotator" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prompts", "p.toml"], "--prompts and --weights belong to --annotator"),
        (["--annotator", "clip"], "needs prompts"),
        (["--annotator", "clop"], "no annotator 'clop'"),
        (["--annotator", "clip", "--prompts", "p.toml", "--weights", "w.pt"], "no file of prompts"),
    ],
)
def test_annotators_that_do_not_fit_are_refused(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.safetensors"
    assert main(["label", "digits", *options, "--out", str(out)]) in (2, 3)
    assert message in capsys.readouterr().err
    assert not out.exists()

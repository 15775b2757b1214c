"""The commands that remake labels and classifiers, and judge samples, on the real networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lacelang.classifiers import heads_file, labels, measuring
from lacelang.cli.main import main
from lacelang.evaluate import reference

pytestmark = pytest.mark.weights


def test_label_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "l.safetensors"
    command = ["label", "ffhq", "--count", "3", "--rare", "0", "--seed", "5", "--workers", "1"]
    assert main([*command, "--out", str(out)]) == 0
    first = labels.load(out)
    assert len(first) == 3
    assert np.isfinite(first.columns["age"]).all()

    # What is measured stays in the cache: the second run starts no worker.
    def refuse(*arguments: object) -> None:
        raise AssertionError("painted again")

    monkeypatch.setattr(measuring, "processes", refuse)
    assert main([*command, "--out", str(out)]) == 0
    again = labels.load(out)
    for name, column in first.columns.items():
        assert np.array_equal(again.columns[name], column, equal_nan=True)


def test_train_from_the_shipped_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "c.safetensors"
    assert main(["train", "ffhq", "--epochs", "1", "--out", str(out)]) == 0
    assert "| glasses |" in capsys.readouterr().out
    saved = heads_file.load(out)
    assert len(saved.heads.attributes) == 12
    assert out.stat().st_size < 4_000_000


@pytest.mark.slow
def test_train_latent_jem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "j.safetensors"
    assert main(["train", "ffhq", "--latent-jem", "--epochs", "1", "--out", str(out)]) == 0
    assert "| glasses |" in capsys.readouterr().out
    saved = heads_file.load(out)
    assert saved.report["latent_jem"]["buffer"] == 10_000
    # To scale the logits would be to change the density.
    assert saved.heads.gain[saved.heads.columns["smile"]].tolist() == [1.0, 1.0]
    assert out.stat().st_size < 1_000_000


@pytest.mark.slow
def test_evaluate_a_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "PRIOR", 4)
    program = tmp_path / "p.lace"
    program.write_text("sample 2 from ffhq where glasses=1 and age=40 seed 3 as scholars\n")
    assert main(["evaluate", str(program), "--faces", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["suite"] == "p"
    table, variety = found["tables"]
    assert variety["title"] == "Variety"
    # Two faces are too few for figures.
    assert variety["rows"][0]["faces"] == 2
    assert table["title"] == "scholars: glasses=1 and age=40"
    assert table["note"].startswith("2 samples; ")
    assert [row["comparison"] for row in table["rows"]] == ["glasses=1", "age=40"]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["label", "nobody"], 2, "ffhq"),
        (["train", "ffhq", "--labels", "no-such-file"], 3, "no-such-file"),
        (["evaluate", "nothing"], 2, "zero_shot"),
    ],
)
def test_wrong_names_are_named(
    command: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == code
    assert words in capsys.readouterr().err

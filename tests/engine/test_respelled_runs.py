"""Groups are found again in a run and in its folder, however their names are spelled."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pytest
import torch
from tiny import TinyModel

sys.path.append(str(Path(__file__).parents[1] / "syntax"))

from made_runs import read_run
from written_names import WORDS

import lacelang
from lacelang.cli.main import main
from lacelang.engine import loading
from lacelang.errors import UsageError
from lacelang.storage.indices import check_of_index
from lacelang.storage.records import APART


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


NAME = "größe_각도"
MODEL = """
model façes {
  generator mobilestylegan from "weights==1"
    sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  classifiers "heads.safetensors" on w
  attribute glasses : binary
  attribute age : 0..70 years
}
"""
PROGRAM = f"""{MODEL}
let já = glasses=1
sample 2 from façes where já seed 1 as {NAME}
sample 2 from façes where já seed 2 as "é {{n}}"
measure já from façes as measuré
let n = 5
"""


def stamps(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*.png")}


@pytest.mark.parametrize("written", [nfc, nfd])
@pytest.mark.parametrize("asked", [nfc, nfd])
def test_what_python_asks_for_is_found(model: TinyModel, written: object, asked: object) -> None:
    assert callable(written)
    assert callable(asked)
    program = lacelang.compile(written(PROGRAM))
    assert program.groups == (nfc(NAME), "é 5")
    assert program.measures == ("measuré",)
    run = program.run(only=[asked(NAME), asked("measuré")])
    assert list(run) == [nfc(NAME)]
    assert run[asked(NAME)] is run.groups[asked(NAME)]
    assert asked(NAME) in run
    assert asked("é 5") not in run
    assert asked("measuré") in run.measures
    # What is kept is not made again.
    again = program.run(only=asked(NAME), kept={asked(NAME): run[NAME]})
    assert again[NAME] is run[NAME]
    with pytest.raises(UsageError, match="no group"):
        program.run(only=asked("größer"))


def test_the_energy_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = TinyModel()
    monkeypatch.setattr(loading, "load", lambda spec, device, progress: tiny)
    program = lacelang.compile(nfd(PROGRAM))
    z = torch.zeros(2, 8)
    energies = [program.energy(spell(NAME), "cpu")(z) for spell in (nfc, nfd)]
    assert torch.equal(*energies)


def test_a_run_in_another_spelling_goes_on(model: TinyModel, tmp_path: Path) -> None:
    path, out = tmp_path / "p.lace", tmp_path / "out"
    path.write_text(nfd(PROGRAM), encoding="utf-8")
    assert main(["run", str(path), "--only", nfc(NAME), "--out", str(out)]) == 0
    assert (out / nfc(NAME)).is_dir()
    before = stamps(out)
    path.write_text(nfc(PROGRAM), encoding="utf-8")
    assert main(["run", str(path), "--out", str(out)]) == 0
    after = stamps(out)
    assert {name: after[name] for name in before} == before
    record = read_run(out)
    assert record is not None
    assert [group.name for group in record.groups] == [nfc(NAME), "é 5"]
    assert sorted(p.name for p in out.iterdir() if p.is_dir()) == sorted([nfc(NAME), "é 5"])


def test_a_record_in_another_spelling_is_gone_on_from(model: TinyModel, tmp_path: Path) -> None:
    program = lacelang.compile(PROGRAM)
    program.run(out=tmp_path)
    before = stamps(tmp_path)
    index = tmp_path / "run.json"
    record = json.loads(index.read_text(encoding="utf-8"))
    for each in (*record["groups"], *record["measures"]):
        each["name"] = nfd(each["name"])
    record["check"] = check_of_index(record, APART)
    index.write_text(json.dumps(record), encoding="utf-8")
    run = program.run(out=tmp_path)
    assert stamps(tmp_path) == before
    assert list(run) == [nfc(NAME), "é 5"]
    again = json.loads(index.read_text(encoding="utf-8"))
    assert [group["name"] for group in again["groups"]] == [nfc(NAME), "é 5"]
    assert len(again["measures"]) == 1


@pytest.mark.parametrize("word", WORDS)
def test_every_word_names_a_folder_of_its_own(model: TinyModel, word: str, tmp_path: Path) -> None:
    run = lacelang.compile(f"sample 1 from ffhq as {nfd(word)}").run(out=tmp_path, images=False)
    assert run[nfc(word)].folder == tmp_path / nfc(word)


@pytest.mark.parametrize("only", [nfc(NAME), nfd(NAME), nfd("measuré")])
def test_explain_only(
    only: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lacelang.explain.measured.with_figures", lambda outline: outline)
    path = tmp_path / "p.lace"
    path.write_text(PROGRAM, encoding="utf-8")
    assert main(["explain", str(path), "--only", only]) == 0
    assert nfc(only) in capsys.readouterr().out


def test_a_folder_that_an_edit_begins_from_is_found(model: TinyModel, tmp_path: Path) -> None:
    lacelang.compile(PROGRAM).run(out=tmp_path / "läufe", only=NAME)
    said = []
    for spell in (nfc, nfd):
        with pytest.raises(lacelang.ProgramError) as caught:
            lacelang.compile(
                f'{MODEL}edit "{spell(f"läufe/{NAME}")}" {{ glasses=1 }}', tmp_path / "p.lace"
            )
        said += [d.message.partition("` ")[2] for d in caught.value.diagnostics]
    # It is found, and its latents are those of the small model.
    assert said == ["holds latents of another model"] * 2

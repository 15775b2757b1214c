"""`lacelang run` deletes nothing: what it replaces, and when, and what it refuses."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from tiny import TinyModel

from lacelang.cli.main import main
from lacelang.engine import plan
from lacelang.semantics import saved

KIDS = "sample 2 from ffhq seed 3 as kids\n"
OTHER_KIDS = "sample 2 from ffhq seed 4 as kids\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of its own, and a small model for every declared one."""
    tiny = TinyModel()
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: tiny)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(source: str, *options: str, file: str = "p.lace") -> int:
    path = Path(file)
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(source.encode())
    return main(["run", file, *options])


def pipe(source: str, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source.encode())))
    return main(["run", "-", *options])


def images(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("0*.png")}


@pytest.mark.parametrize(
    "nothing", ["", "\n", "# all of it\n", "\ufeff", "#\rsample from ffhq # no"]
)
def test_a_program_of_nothing_leaves_what_there_is(here: Path, nothing: str) -> None:
    assert run(KIDS, "--out", "o") == 0
    before = images(here / "o")
    run(nothing, "--out", "o")
    assert {name: data for name, data in images(here / "o").items() if name in before} == before


def test_a_changed_program_replaces_its_groups(here: Path) -> None:
    assert run(KIDS) == 0
    before = images(here / "out")
    assert len(before) == 2
    assert run(OTHER_KIDS) == 0
    after = images(here / "out")
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)


def test_a_group_that_the_program_no_longer_has_stays(here: Path) -> None:
    assert run(KIDS + "sample 1 from ffhq as men") == 0
    before = images(here / "out")
    assert run(KIDS) == 0
    assert run("sample 1 from ffhq as women") == 0
    assert before.items() <= images(here / "out").items()


def test_programs_of_one_name_from_two_folders(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(KIDS, file="a/p.lace") == 0
    before = images(here / "out")
    assert run(OTHER_KIDS, file="b/p.lace") == 3
    message = capsys.readouterr().err
    assert "a/p.lace" in message
    assert "--out" in message
    assert "--replace" in message
    assert images(here / "out") == before
    assert run(KIDS, file="b/p.lace") == 0
    assert images(here / "out") == before
    assert run(OTHER_KIDS, "--replace", file="b/p.lace") == 0
    assert images(here / "out") != before


def test_two_programs_through_a_pipe(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pipe(KIDS, monkeypatch) == 0
    before = images(here / "out")
    assert pipe(OTHER_KIDS, monkeypatch) == 3
    assert images(here / "out") == before
    assert pipe("sample 1 from ffhq as men", monkeypatch) == 0
    assert before.items() <= images(here / "out").items()
    # A folder that is named is the program's own.
    assert pipe(KIDS, monkeypatch, "--out", "o") == 0
    before = images(here / "o")
    assert pipe(OTHER_KIDS, monkeypatch, "--out", "o") == 0
    assert images(here / "o") != before
    # But what a file's program made there is not.
    assert run(KIDS, "--out", "f") == 0
    assert pipe(OTHER_KIDS, monkeypatch, "--out", "f") == 3


def test_what_cannot_be_made_replaces_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(KIDS) == 0
    before = images(here / "out")

    def broken(*_: object) -> None:
        raise RuntimeError("no samples")

    with monkeypatch.context() as patched:
        patched.setattr("lacelang.engine.sampling._draw", broken)
        assert run(OTHER_KIDS) == 3
    assert images(here / "out") == before
    assert run(KIDS) == 0
    assert images(here / "out") == before


def test_without_images_and_then_with(here: Path) -> None:
    assert run(KIDS, "--no-images") == 0
    assert images(here / "out") == {}
    assert sorted(path.name for path in (here / "out" / "p" / "kids").iterdir()) == [
        "latents-000000.safetensors",
        "samples.jsonl",
    ]
    assert run(KIDS) == 0
    assert len(images(here / "out")) == 2


@pytest.mark.parametrize(
    "source",
    [
        'edit "o/kids" { glasses = 1 } as kids\n',
        'edit "o/kids/latents-000000.safetensors" { glasses = 1 } from ffhq as kids\n',
        'sample 2 from ffhq seed 4 as kids\nedit "o/kids" { glasses = 1 } as edited\n',
    ],
)
def test_what_an_edit_begins_from_is_not_replaced(
    here: Path, capsys: pytest.CaptureFixture[str], source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Latents of the small model are shorter than those of `ffhq`.
    for check in ("read_given", "_refuse_other_models"):
        monkeypatch.setattr(saved, check, lambda *given: None)
    assert run(KIDS, "--out", "o") == 0
    before = images(here)
    for options in ([], ["--replace"]):
        assert run(source, "--out", "o", *options) == 3
        assert "which this run would replace" in capsys.readouterr().err
        assert images(here) == before


LOOP = """
for t in 2, 1, 0.5 {{ sample 1 from ffhq temp t seed 3 as "{name} {{t}}" }}
for s in 1, 2, 3 {{ sample 1 from ffhq seed s as "{{s}}{name}-" }}
"""


NAMES = {
    "cyrillic": "\u0436" * 70,
    "chinese": "\u4e2d" * 50 + ". .",
    "emoji": "\U0001f600" * 40,
    "device": "con",
    "long": "\u00e9" * 95,
    "marks": "\u0436" * 40 + "e" + "\u0301" * 31,
    "index": "run.json",
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_loop_of_any_names_is_found_again(
    here: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = LOOP.format(name=NAMES[kind])
    assert run(source) == 0
    before = images(here / "out")
    assert len(before) == 6
    times = {path: path.stat().st_mtime_ns for path in (here / "out").rglob("*.png")}
    capsys.readouterr()
    assert run(source) == 0
    assert "6 of 6 samples are there already" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in times} == times

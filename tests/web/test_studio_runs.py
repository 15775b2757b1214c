"""Runs of a studio: the newest wins, what did not change is not made again, few are kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import lacelang
from lacelang.api import Program
from lacelang.errors import ResourceError, UsageError, WayOut
from lacelang.progress import Progress
from lacelang.storage.records import read_index
from lacelang.web.studio import runs as module
from lacelang.web.studio.runs import Runs, StudioRun
from lacelang.web.studio.seen import read_sample

THREES = "sample 3 from digits where digit=three as a\n"
PICKED = THREES + "pick 1 of a as b\nedit b { digit = eight } as c\n"


@pytest.fixture
def runs() -> Iterator[Runs]:
    made = Runs(ways={WayOut.IMPORT: "import {}"})
    yield made
    made.close()
    assert not made.home.exists()


def done(runs: Runs, text: str, **how: object) -> StudioRun:
    run = runs.wait(runs.start(lacelang.compile(text), **how))  # type: ignore[arg-type]
    assert run.status == "done", run.error
    return run


def pixels(path: Path) -> bytes:
    """An image without its metadata, which has the program's text."""
    with Image.open(path) as found:
        return found.tobytes()


def image(run: StudioRun, group: str, index: int) -> bytes:
    return (run.folder / group / f"{index:04d}.png").read_bytes()


def test_a_run_shows_its_faces_in_the_order_they_come(runs: Runs) -> None:
    run = done(runs, THREES)
    plain = run.plain()
    assert [(f["group"], f["index"]) for f in plain["faces"]] == [("a", 0), ("a", 1), ("a", 2)]
    assert plain["groups"] == [{"name": "a", "count": 3, "there": 3, "condition": "digit=three"}]
    assert 'src="runs/1/small/0?group=a"' in plain["faces"][0]["html"]
    assert [f["index"] for f in run.plain(2)["faces"]] == [2]
    assert run.plain(2)["next"] == 3


def test_what_did_not_change_is_not_made_again(runs: Runs) -> None:
    first = done(runs, PICKED)
    before = {path: path.read_bytes() for path in sorted(first.folder.rglob("*.png"))}
    second = done(runs, PICKED.replace("eight", "five"))
    for group in ("a", "b"):
        one, two = (r.folder / group / "0000.png" for r in (first, second))
        assert one.samefile(two)
    assert image(second, "c", 0) != image(first, "c", 0)
    fresh = lacelang.compile(PICKED.replace("eight", "five")).run(out=runs.home / "fresh")
    assert image(second, "c", 0) == (runs.home / "fresh/c/0000.png").read_bytes()
    assert fresh.folder is not None
    # The earlier run is as it was, and each says what it has.
    assert {path: path.read_bytes() for path in sorted(first.folder.rglob("*.png"))} == before
    for run in (first, second):
        index = read_index(run.folder)
        assert index is not None
        assert index.complete
        assert [group.name for group in index.groups] == ["a", "b", "c"]


@pytest.mark.parametrize("count", [2, 5])
def test_another_number_of_samples_takes_over_those_that_there_are(runs: Runs, count: int) -> None:
    first = done(runs, THREES)
    text = THREES.replace("3", str(count))
    second = done(runs, text)
    assert (first.folder / "a/0001.png").samefile(second.folder / "a/0001.png")
    assert len(list((second.folder / "a").glob("0*.png"))) == count
    apart = lacelang.compile(text).run(out=runs.home / "apart")
    names = sorted(p.name for p in (second.folder / "a").glob("*.png"))
    assert names == sorted(p.name for p in (runs.home / "apart/a").glob("*.png"))
    for name in names:
        assert pixels(second.folder / "a" / name) == pixels(runs.home / "apart/a" / name)
    assert len(apart["a"]) == count


def test_a_random_seed_is_drawn_anew(runs: Runs) -> None:
    text = "sample 1 from digits seed random as a"
    assert image(done(runs, text), "a", 0) != image(done(runs, text), "a", 0)


def test_the_newest_run_wins_and_the_older_keeps_what_it_made(runs: Runs) -> None:
    old = runs.start(lacelang.compile("sample 9000 from digits where digit=two as many"))
    while old.status == "waiting":
        time.sleep(0.01)
    waiting = runs.start(lacelang.compile(THREES), live=True)
    newest = runs.start(lacelang.compile(THREES))
    assert runs.wait(newest).status == "done"
    assert old.status == "stopped"
    assert waiting.status == "stopped"
    assert [number for number, _ in runs.state()["runs"]] == [old.number, newest.number]


def test_a_page_is_told_that_a_run_which_waited_will_not_begin(runs: Runs) -> None:
    old = runs.start(lacelang.compile("sample 9000 from digits where digit=two as many"))
    while old.status == "waiting":
        time.sleep(0.01)
    waiting = runs.start(lacelang.compile(THREES))
    shown = dict(runs.state()["runs"])[waiting.number]
    newest = runs.start(lacelang.compile(THREES))
    assert waiting.plain()["status"] == "stopped"
    assert dict(runs.state()["runs"])[waiting.number] > shown
    runs.wait(newest)


def test_a_run_is_stopped_soon(runs: Runs) -> None:
    done(runs, THREES)
    run = runs.start(lacelang.compile("sample 9000 from digits where digit=two as many"))
    while not runs.state()["stages"]:
        time.sleep(0.01)
    runs.stop()
    assert runs.wait(run, 20).status == "stopped"
    assert runs.state()["running"] is None
    assert done(runs, THREES).status == "done"


def test_runs_of_a_slider_replace_one_another(runs: Runs) -> None:
    first = done(runs, PICKED)
    for digit in ("five", "six", "two"):
        last = done(runs, PICKED.replace("eight", digit), live=True, only=["c"])
        assert [g["name"] for g in last.plain()["groups"]] == ["b", "c"]
    assert [number for number, _ in runs.state()["runs"]] == [first.number, last.number]
    assert (first.folder / "a/0000.png").samefile(last.folder / "a/0000.png")


def test_only_the_last_runs_are_kept(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 3)
    made = [done(runs, f"sample 1 from digits seed {seed} as a") for seed in range(9)]
    for _ in range(100):
        if len(runs.state()["runs"]) <= 3:
            break
        time.sleep(0.05)
    assert [number for number, _ in runs.state()["runs"]] == [7, 8, 9]
    assert not made[0].folder.exists()
    with pytest.raises(UsageError, match="run 1 is no longer kept"):
        runs.find(1)


def test_errors_are_said_in_words(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_with(error: Exception) -> StudioRun:
        def fail(*_: object, **__: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(Program, "run", fail)
            return runs.wait(runs.start(lacelang.compile(THREES)))

    full = ResourceError("out/a cannot be written: no space left on device", "free some space")
    run = run_with(full)
    assert (run.status, run.error) == ("failed", f"{full.message}\n{full.remedy}")
    gone = ResourceError("the weights are not here", None, {WayOut.IMPORT: "metfaces"})
    assert run_with(gone).error == "the weights are not here\nimport metfaces"
    assert "unexpected RuntimeError: oh" in str(run_with(RuntimeError("oh")).error)
    with pytest.raises(UsageError, match="definitions only"):
        runs.start(lacelang.compile("let a = smile=1"))
    assert done(runs, THREES).status == "done"


def test_weights_that_the_library_does_not_name_are_refused(runs: Runs) -> None:
    text = """
model odd { generator mobilestylegan from "no-such-archive==1.0"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000" }
sample 1 from odd as a
"""
    fetched: list[Progress] = []
    run = runs.wait(runs.start(lacelang.compile(text)))
    assert run.status == "failed"
    assert "not of the standard library" in str(run.error)
    assert fetched == []


def test_readings_of_a_face_are_classes_and_values(runs: Runs) -> None:
    run = done(runs, PICKED)
    statements = run.program.checked.statements
    assert read_sample(run.folder, "a", 0, statements) == {"digit": "three"}
    assert read_sample(run.folder, "c", 0, statements) == {"digit": "eight"}
    for group, index in (("a", 3), ("a", -1), ("x", 0)):
        with pytest.raises(UsageError):
            read_sample(run.folder, group, index, statements)


def test_a_disk_without_hard_links(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    first = done(runs, PICKED)
    second = done(runs, PICKED.replace("eight", "five"))
    assert image(first, "a", 0) == image(second, "a", 0)
    assert not Path(first.folder / "a/0000.png").samefile(second.folder / "a/0000.png")

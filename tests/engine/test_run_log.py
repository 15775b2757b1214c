"""The log of a run: a JSON object a line, which says what has happened."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from test_failed_samples import poison
from tiny import TinyModel, edit, program, statement

from lacelang.engine import advancing
from lacelang.errors import ResourceError, UsageError
from lacelang.progress import Progress, Stage

SMALL: dict[str, Any] = {"format": "webdataset", "shard_size": 4}
BOTH = program(statement("kids", 10), edit(steps=edit().steps[:1]))


def said(log: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert all(line["time"].endswith("+00:00") for line in lines)
    return lines


def test_a_data_set(model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "logs" / "run.jsonl"
    poison(monkeypatch, {3})
    BOTH.run(out=tmp_path / "out", log=log, **SMALL)
    lines = said(log)
    assert [lines[0]["event"], lines[-1]["event"]] == ["begun", "ended"]
    assert lines[0]["groups"] == [
        {"name": "kids", "samples": 0, "of": 10},
        {"name": "edited", "samples": 0, "of": 10},
    ]
    assert lines[-1]["complete"] is True
    shards = [each for each in lines if each["event"] == "shard"]
    assert [(s["group"], s["first"], s["count"], s["failures"]) for s in shards] == [
        (name, first, count, int(first == 0))
        for name in ("kids", "edited")
        for first, count in ((0, 4), (4, 4), (8, 2))
    ]
    size = sum(path.stat().st_size for path in (tmp_path / "out" / "kids").glob("*.tar"))
    assert sum(s["bytes"] for s in shards if s["group"] == "kids") == size
    failed = [(each["group"], each["index"]) for each in lines if each["event"] == "failed"]
    assert failed == [("kids", 3), ("edited", 3)]
    for event, count in (("drawn", 20), ("decoded", 18)):
        some = [each for each in lines if each["event"] == event]
        assert sum(each["count"] for each in some) == count
        assert all(each["per_second"] > 0 and each["left_seconds"] >= 0 for each in some)
    assert Counter(each["event"] for each in lines)["group"] == 2


def test_another_run_goes_on_behind_the_first(model: TinyModel, tmp_path: Path) -> None:
    log = tmp_path / "run.jsonl"
    program(statement("kids", 3)).run(out=tmp_path / "out", log=log)
    program(statement("kids", 8)).run(out=tmp_path / "out", log=log)
    begun = [each for each in said(log) if each["event"] == "begun"]
    assert [each["groups"][0]["samples"] for each in begun] == [0, 3]
    drawn = [(each["first"], each["done"]) for each in said(log) if each["event"] == "drawn"]
    assert drawn == [(0, 3), (3, 8)]


@pytest.mark.parametrize(
    ("error", "event"), [(KeyboardInterrupt(), "interrupted"), (RuntimeError("no"), "stopped")]
)
def test_how_a_run_ended(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Any, event: str
) -> None:
    def fail(*_: object) -> Any:
        raise error

    monkeypatch.setattr(type(model), "prepare", fail)
    with pytest.raises(type(error)):
        program(statement("kids", 3)).run(out=tmp_path / "out", log=tmp_path / "log", **SMALL)
    last = said(tmp_path / "log")[-1]
    assert last["event"] == event
    assert type(error).__name__ in last["error"]


def test_a_log_that_cannot_be_written(model: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`log` is a file"):
        program(statement("kids", 3)).run(log=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="file"):
        program(statement("kids", 3)).run(log=tmp_path / "file" / "log")
    assert model.generator.decoded == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_ends_the_log_and_not_the_run(model: TinyModel, tmp_path: Path) -> None:
    run = program(statement("kids", 3)).run(log="/dev/full")
    assert len(run["kids"]) == 3


@pytest.mark.parametrize("most", [1, 8])
def test_groups_have_bars_of_their_own(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    done: dict[str, list[float]] = {}

    class Counted(Progress):
        def stage(self, name: str, total: float | None = None, unit: Any = "items") -> Stage:
            done[name] = [0.0, total or 0.0]

            class Counting(Stage):
                def advance(self, amount: float = 1) -> None:
                    done[name][0] += amount

            return Counting()

    monkeypatch.setattr(advancing, "MOST_BARS", most)
    BOTH.run(out=tmp_path, progress=Counted(), **SMALL)
    names = ["sampling", "decoding"]
    if most > 1:
        names = [f"{name} {group}" for name in names for group in ("kids", "edited")]
    assert set(done) == set(names)
    for reached, total in done.values():
        assert total == (20 if most == 1 else 10)
        assert reached == pytest.approx(total)

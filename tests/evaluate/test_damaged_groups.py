"""Groups in the cache that are damaged in any way are made again without asking."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import TinyModel, program, statement

from lacelang.engine import plan
from lacelang.evaluate.sampled import _sampled


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("?")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "index": lambda place: (place / "run.json").write_text("{}"),
    "an older index": lambda place: (place / "run.json").write_text('{"schema": 3}'),
    "index is a folder": lambda place: as_folder(place / "run.json"),
    "time": lambda place: (place / ".sampled.json").write_text('{"seconds": "long"}'),
    "time is negative": lambda place: (place / ".sampled.json").write_text('{"seconds": -1}'),
    "time is a folder": lambda place: as_folder(place / ".sampled.json"),
    "a line": lambda place: (place / "kids" / "samples.jsonl").write_text("{}\n"),
    "lines are a folder": lambda place: as_folder(place / "kids" / "samples.jsonl"),
    "a file": as_file,
    "a group is a file": lambda place: as_file(place / "kids"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_it_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    tiny, place = TinyModel(), tmp_path / "sampled"
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: tiny)
    first = _sampled(program(statement("kids", 3)), place)
    DAMAGE[how](place)
    for _ in range(2):
        again = _sampled(program(statement("kids", 3)), place)
        assert torch.equal(again.latents, first.latents)
        assert torch.equal(again.energy, first.energy)
        assert again.stats.seconds >= 0

"""Measures of faces in the cache are verified before use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lacelang.classifiers import measuring
from lacelang.classifiers.draws import Draws
from lacelang.classifiers.measuring import SHARD, Source, measure
from lacelang.progress import Silent
from lacelang.storage.arrays import packed

SOURCE = Source("tiny", None)
COUNT = SHARD + 3
DRAWS = Draws.at(np.arange(2 * COUNT, dtype=np.float32).reshape(COUNT, 2), 0.7)


class Here:
    """Stands for a pool of processes."""

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Any, *arguments: Any) -> Any:
        from concurrent.futures import Future

        future: Future[Any] = Future()
        future.set_result(work(*arguments))
        return future


@pytest.fixture(autouse=True)
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many faces were measured; a measure is the sum of a latent."""
    counts: list[int] = []

    def load(*_: object) -> Any:
        def networks(faces: Draws) -> dict[str, Any]:
            counts.append(len(faces))
            return {"raw": faces.z.sum(axis=1), "odd": np.full(len(faces), np.nan, np.float16)}

        return networks

    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(measuring, "processes", lambda count: Here())
    monkeypatch.setattr(measuring, "_load", load)
    measuring._loaded.cache_clear()
    yield counts
    measuring._loaded.cache_clear()


def shards(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").rglob("*.safetensors"))


def check() -> None:
    found = measure(SOURCE, DRAWS, (), progress=Silent())
    assert np.array_equal(found["raw"], DRAWS.z.sum(axis=1))


def test_measures_are_kept(measured: list[int], tmp_path: Path) -> None:
    check()
    check()
    assert measured == [SHARD, 3]
    assert len(shards(tmp_path)) == 2


@pytest.mark.parametrize("how", ["flipped", "cut", "other rows", "nothing"])
def test_a_damaged_shard_alone_is_measured_again(
    measured: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    check()
    first, second = shards(tmp_path)
    data = bytearray(first.read_bytes())
    data[-7] ^= 4
    damage = {
        "flipped": bytes(data),
        "cut": first.read_bytes()[:-3],
        "other rows": second.read_bytes(),
        "nothing": packed({}),
    }
    first.write_bytes(damage[how])
    check()
    assert measured == [SHARD, 3, SHARD]
    assert "damaged" in capsys.readouterr().err
    check()
    assert measured == [SHARD, 3, SHARD]

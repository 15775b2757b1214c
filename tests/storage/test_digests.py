"""The digest of a group's latents is of its samples, however they came to be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import make_latents

from lacelang.storage.latents import Shards


def written(folder: Path, *counts: int) -> Shards:
    """Write samples in shards of so many each."""
    folder.mkdir()
    shards = Shards(folder, "f")
    whole, first = make_latents(sum(counts)), 0
    for count in counts:
        shards.append(first, whole.rows(range(first, first + count)))
        first += count
    return shards


@pytest.mark.parametrize("counts", [(7,), (1, 6), (3, 1, 1, 2), (6, 1)], ids=str)
def test_the_digest_of_samples(tmp_path: Path, counts: tuple[int, ...]) -> None:
    plain = written(tmp_path / "plain", 7)
    shards = written(tmp_path / "shards", *counts)
    assert shards.digest == plain.digest
    assert Shards.open(tmp_path / "shards", "f").digest == plain.digest
    # After a killed run, a shard may hold samples that a later one holds again.
    shards.append(5, make_latents(7).rows([5, 6]))
    assert shards.digest == plain.digest
    shards.cut(4)
    assert shards.digest == written(tmp_path / "four", 4).digest
    assert shards.digest != plain.digest


def test_a_shard_that_ends_within_another_ends_the_samples(tmp_path: Path) -> None:
    shards = written(tmp_path / "g", 7)
    shards.append(2, make_latents(7).rows([2, 3]))
    for each in (shards, Shards.open(tmp_path / "g", "f")):
        assert len(each) == 4
        assert len(each.rows(slice(None))) == 4
        assert each.digest == written(tmp_path / f"four {each is shards}", 4).digest


def test_another_sample_is_another_digest(tmp_path: Path) -> None:
    one, other = written(tmp_path / "one", 2), Shards(tmp_path / "one", "f")
    digest = one.digest
    other.append(0, make_latents(2).rows([1, 0]))
    assert other.digest != digest

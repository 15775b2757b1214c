"""Groups that stay in the cache: the same samples as a run's, and made once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import lacelang
from lacelang.evaluate import sampled
from lacelang.progress import Silent
from lacelang.storage.cache import cache_dir

pytestmark = pytest.mark.weights

PROGRAM = """\
sample 3 from ffhq where glasses=1 as flow
sample 2 from ffhq where smile=1 with rejection seed 4 as exact
"""


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").symlink_to(cache_dir() / "models")
    monkeypatch.setattr(sampled, "cache_dir", lambda: tmp_path)
    # Workers are processes of their own, with caches of their own: here one does it all.
    monkeypatch.setattr(sampled.os, "cpu_count", lambda: 1)
    return tmp_path / "sampled"


def test_they_are_those_of_a_run_and_are_made_once(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = lacelang.compile(PROGRAM)
    made = sampled.sample_groups(program, Silent())
    monkeypatch.setattr(sampled, "_make", lambda runs, _: pytest.fail("made again") if runs else ())
    kept = sampled.sample_groups(program, Silent())
    for name, first, second in zip(("flow", "exact"), made, kept, strict=True):
        wanted = program.run(only=[name])[name]
        for group in (first, second):
            assert group.name == name
            assert torch.equal(group.latents, wanted.latents)
            assert torch.equal(group.energy, wanted.energy)
            assert group.status == wanted.status
            assert group.stats.seconds == first.stats.seconds > 0
    assert len(list(own_cache.glob("[!.]*"))) == 2


def test_one_that_is_lost_is_made_again_alone(own_cache: Path) -> None:
    program = lacelang.compile(PROGRAM)
    first = sampled.sample_groups(program, Silent())
    (lost,) = own_cache.glob("*/exact/latents-000000.safetensors")
    lost.unlink()
    again = sampled.sample_groups(program, Silent())
    assert torch.equal(again[1].latents, first[1].latents)
    assert again[0].stats.seconds == first[0].stats.seconds
    assert again[1].stats.seconds != first[1].stats.seconds

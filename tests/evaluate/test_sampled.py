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
    made = sampled.sample_groups(program.samples, Silent())
    monkeypatch.setattr(sampled, "_make", lambda tasks: pytest.fail("made again") if tasks else ())
    kept = sampled.sample_groups(program.samples, Silent())
    for name, first, second in zip(("flow", "exact"), made, kept, strict=True):
        wanted = program.run(only=[name])[name]
        for group in (first, second):
            assert group.name == name
            assert torch.equal(group.latents, wanted.latents)
            assert torch.equal(group.energy, wanted.energy)
            assert group.status == wanted.status
    assert len(list(own_cache.iterdir())) == 2


def test_one_that_is_lost_is_made_again_alone(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = lacelang.compile(PROGRAM).samples
    sampled.sample_groups(statements, Silent())
    (lost,) = own_cache.glob("*-2-*/*/latents-000000.safetensors")
    lost.unlink()
    made: list[str] = []
    real = sampled._write
    monkeypatch.setattr(sampled, "_write", lambda task: made.append(task.record.name) or real(task))
    sampled.sample_groups(statements, Silent())
    assert made == ["exact"]

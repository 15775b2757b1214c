"""What the encoder of photographs learns from, on small data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from experiments import encoder_training, sample_photo
from experiments.encoder_training import Table, fit_head
from experiments.photo_like import photo_like
from lacelang.inversion.encoder import GROUPS, Head


def test_a_face_like_a_photograph_is_the_same_for_the_same_numbers() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    seen = []
    for seed in range(40):
        first, again = (photo_like(image, np.random.default_rng(seed)) for _ in range(2))
        assert first.dtype == np.uint8
        assert first.shape == image.shape
        np.testing.assert_array_equal(first, again)
        seen.append(first.tobytes())
    assert len(set(seen)) > 35


def test_the_sample_photograph_is_larger_than_the_face() -> None:
    face = np.full((256, 256, 3), 200, np.uint8)
    found = sample_photo.photograph(face)
    width, height = sample_photo.SIZE
    assert found.shape == (height, width, 3)
    assert np.abs(found.astype(int) - 200).max() <= 2


def test_a_head_learns_what_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_training, "HELD_OUT", 16)
    monkeypatch.setattr(encoder_training, "BATCH", 8)
    rng = torch.Generator().manual_seed(0)
    count = 64
    seen = torch.randn(count, 3, generator=rng)
    colours = seen[:, :, None, None].expand(-1, -1, 8, 8)
    maps = (
        torch.randn(count, 152, 14, 14, generator=rng).half() * 0.01,
        torch.randn(count, 320, 7, 7, generator=rng).half() * 0.01,
        colours.half(),
    )
    wanted = torch.zeros(count, len(GROUPS), 512)
    wanted[:, :, :3] = seen[:, None]
    weights = torch.zeros(len(GROUPS), 512)
    weights[:, :3] = 1.0
    head = Head()
    fit_head(head, Table((maps, maps), (wanted, wanted)), weights, epochs=12, seed=18)
    with torch.no_grad():
        found = head.eval()(tuple(each[-16:].float() for each in maps))
    error = (found[:, :, :3] - wanted[-16:, :, :3]).square().mean()
    assert float(error) < 0.5 * float(wanted[-16:, :, :3].square().mean())

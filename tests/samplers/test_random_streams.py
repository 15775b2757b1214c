"""Streams of random numbers: which numbers a seed means, for good."""

from __future__ import annotations

import pytest
import torch

from lacelang.samplers import streams

# The first normal number of seed 7, index 3. A change here makes every run of every user anew.
FIRST = {
    "PRIOR": -2.3662085691511003,
    "NOISE": -2.611366257335845,
    "CHANCE": 0.5148284793356384,
    "PILOT_NOISE": 0.9856223217135295,
    "PILOT_CHANCE": -1.0526541813400503,
    "PRIOR_SAMPLE": -1.5079887864178216,
    "COMPONENT": 0.15998034337557304,
    "PERMUTATION": -0.7982600005398679,
}


@pytest.mark.parametrize("purpose", FIRST)
def test_the_first_number_of_each_purpose(purpose: str) -> None:
    drawn = streams.stream(7, 3, getattr(streams, purpose)).standard_normal()
    assert drawn == FIRST[purpose]


def test_the_draws_that_samples_begin_from() -> None:
    rows = streams.prior(7, [3, 4], 512)
    assert rows[0, :3].tolist() == [-1.4470674991607666, -0.9134206771850586, -0.5155606865882874]
    assert torch.equal(rows[1:], streams.prior(7, [4], 512))


def test_the_numbers_that_samplers_draw() -> None:
    drawn = streams.Streams(7, [3])
    normal = [-3.49345326423645, 0.3285943269729614, 0.7460735440254211]
    assert drawn.normal([0], torch.empty(1, 3)).tolist() == [normal]
    assert drawn.exponential([0]).tolist() == [2.340432418711243]
    assert drawn.uniform([0]).tolist() == [0.05853772542114977]


def test_no_two_streams_share_their_numbers() -> None:
    """Seeds, indices, purposes and parts side by side, and a seed in the place of an index."""
    keys = [
        (s, i, p, part) for s in range(3) for i in range(3) for p in range(3) for part in (0, 1)
    ]
    drawn = [streams.stream(*key).integers(2**63, size=4).tolist() for key in keys]
    assert len({number for numbers in drawn for number in numbers}) == 4 * len(keys)

"""Streams of random numbers: which numbers a seed means, for good."""

from __future__ import annotations

import pytest
import torch

from lacelang.errors import UsageError
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
    "DRAWN": -0.7392080794682412,
}


@pytest.mark.parametrize("purpose", FIRST)
def test_the_first_number_of_each_purpose(purpose: str) -> None:
    drawn = streams.stream(7, 3, getattr(streams, purpose)).standard_normal()
    assert drawn == FIRST[purpose]


def test_purposes_are_numbers_of_their_own() -> None:
    """What is kept of them is the number, in every stream: no purpose gets another's."""
    purposes = {
        name: value
        for name, value in vars(streams).items()
        if name.isupper() and not name.startswith("_")
    }
    assert purposes.keys() == FIRST.keys()
    assert len(set(purposes.values())) == len(purposes)


def test_a_pilot_run_depends_on_the_seed_alone() -> None:
    pilots = [streams.Streams(7, indices).pilot(2) for indices in ([3], [4, 5, 6])]
    like = torch.empty(2, 3)
    drawn = [(each.normal([0, 1], like), each.exponential([0, 1])) for each in pilots]
    assert all(torch.equal(one, other) for one, other in zip(*drawn, strict=True))
    normal = streams.stream(7, 1, streams.PILOT_NOISE).standard_normal(3, dtype="float32")
    assert drawn[0][0][1].tolist() == normal.tolist()
    number = streams.stream(7, 0, streams.PILOT_CHANCE).standard_exponential()
    assert drawn[0][1][0].item() == number
    assert len(pilots[0]) == 2
    assert not torch.equal(drawn[0][0], streams.Streams(7, [0, 1]).normal([0, 1], like))


def test_numbers_come_row_by_row_in_the_order_of_the_rows() -> None:
    """A row that stands there again, side by side or apart, goes on in its own stream."""
    asked = [1, 1, 0, 1]
    drawn, apart = streams.Streams(7, [3, 4]), streams.Streams(7, [3, 4])
    normal = drawn.normal(asked, torch.empty(4, 2))
    assert torch.equal(normal, torch.cat([apart.normal([row], torch.empty(1, 2)) for row in asked]))
    uniform = drawn.uniform(asked)
    assert torch.equal(uniform, torch.cat([apart.uniform([row]) for row in asked]))
    assert ((uniform >= 0) & (uniform < 1)).all()


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (2**64, 0), (0, -1), (0, 2**64)])
def test_seeds_and_indices_are_words_of_64_bits(seed: int, index: int) -> None:
    what, value = ("seed", seed) if index == 0 else ("sample index", index)
    with pytest.raises(UsageError) as refused:
        streams.stream(seed, index, streams.PRIOR)
    assert str(refused.value) == f"a {what} is a whole number from 0 to 2^64 - 1, not {value}"
    for fits in (0, 2**64 - 1):
        streams.stream(fits, fits, streams.PRIOR)


@pytest.mark.parametrize("bits", [53, 63, 64])
def test_large_seeds_and_parts_are_exact(bits: int) -> None:
    """Two that differ in their last bit alone are two."""
    large = 2**bits - 1
    keys = [(large, 0, 1, 0), (large - 1, 0, 1, 0), (0, large, 1, 0), (0, large - 1, 1, 0)]
    keys += [(0, 0, 1, large), (0, 0, 1, large - 1)]
    assert len({int(streams.stream(*key).integers(2**63)) for key in keys}) == len(keys)


def test_noise_belongs_to_as_many_samples() -> None:
    for given in (None, streams.Streams(7, range(2))):
        with pytest.raises(UsageError, match=r"^this needs a random stream for every sample$"):
            streams.owned(given, 3, "this")
    given = streams.Streams(7, range(3))
    assert streams.owned(given, 3, "this") is given


def test_no_draws_have_their_shape() -> None:
    assert streams.prior(7, [], 5).shape == (0, 5)


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

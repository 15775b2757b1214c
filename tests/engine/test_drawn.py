"""Values that `each` draws: which sample gets which, and that samplers reach them."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import AGE, GLASSES, TinyModel, program, statement

from lacelang import ir
from lacelang.energy import Wanted
from lacelang.engine.drawn import named, relative, values_of, wanted_columns
from lacelang.engine.sampling import energy_of
from lacelang.engine.truth import truth
from lacelang.samplers import SAMPLERS

COLOUR = ir.ChoiceAttribute("colour", values=("black", "brown", "blond", "gray"))
SIZE = ir.ContinuousAttribute("size", 0.0, 10.0)
weights = st.lists(st.integers(1, 4), min_size=2, max_size=4)
seeds, starts = st.integers(0, 2**32), st.integers(0, 10_000)


def colours(of: list[int]) -> ir.DrawnClass:
    return ir.DrawnClass(COLOUR, tuple(enumerate(of)))


def sizes(of: list[int]) -> ir.DrawnValue:
    return ir.DrawnValue(SIZE, tuple((float(k), weight) for k, weight in enumerate(of)))


def joint(*terms: ir.Predicate) -> ir.Predicate:
    return ir.conjunction(terms)


@given(weights, seeds, starts, st.integers(1, 80))
def test_any_stretch_of_samples_has_the_stated_proportions(
    of: list[int], seed: int, start: int, count: int
) -> None:
    values = values_of(colours(of), seed, range(start, start + count))[:, 0]
    for k, weight in enumerate(of):
        # At most one too many or too few at either end of the stretch.
        assert abs((values == k).sum() - count * weight / sum(of)) <= 2


@settings(max_examples=40)
@given(weights, weights, weights, seeds, starts)
def test_all_combinations_are_seen_in_their_proportions(
    one: list[int], two: list[int], three: list[int], seed: int, start: int
) -> None:
    other = ir.DrawnClass(
        ir.ChoiceAttribute("other", values=COLOUR.values), tuple(enumerate(three))
    )
    period = sum(one) * sum(two) * sum(three)
    found = values_of(joint(colours(one), sizes(two), other), seed, range(start, start + period))
    counts = Counter(map(tuple, found.astype(int).tolist()))
    for a, b, c in product(*(range(len(of)) for of in (one, two, three))):
        assert counts[a, b, c] == one[a] * two[b] * three[c]


@given(seeds, st.integers(1, 100))
def test_sixty_four_samples_share_sixteen_cells(seed: int, count: int) -> None:
    where = joint(ir.DrawnClass(GLASSES, ((0, 1), (1, 1))), colours([1, 1]), sizes([1, 1, 1, 1]))
    counts = Counter(map(tuple, values_of(where, seed, range(count)).tolist()))
    assert max(counts.values()) - (min(counts.values()) if len(counts) == 16 else 0) <= 1
    assert len(counts) == min(count, 16)


@given(seeds, starts)
def test_a_range_is_covered_evenly_and_by_different_numbers(seed: int, start: int) -> None:
    leaf = ir.DrawnRange(AGE, 20.0, 60.0)
    found = values_of(joint(leaf, colours([1, 1])), seed, range(start, start + 320))
    for part in (found, found[found[:, 1] == 0], found[found[:, 1] == 1]):
        at = np.sort((part[:, 0] - 20) / 40)
        middle = (np.arange(len(at)) + 0.5) / len(at)
        assert np.abs(at - middle).max() < 0.06
    assert len(np.unique(found[:, 0])) == 320


@given(seeds, st.permutations(range(12)))
def test_a_value_belongs_to_a_sample_and_not_to_its_batch(seed: int, order: list[int]) -> None:
    where = joint(colours([2, 1]), ir.DrawnRange(SIZE, 0.0, 1.0))
    whole = values_of(where, seed, range(12))
    assert np.array_equal(values_of(where, seed, order), whole[order])


def test_a_seed_is_the_same_values_everywhere() -> None:
    where = joint(colours([3, 1]), ir.DrawnRange(AGE, 20.0, 60.0))
    assert values_of(where, 7, range(6)).tolist() == PINNED
    assert named(where, values_of(where, 7, [0]))[0] == {
        "colour": COLOUR.values[int(PINNED[0][0])],
        AGE.name: PINNED[0][1],
    }


PINNED = [
    [1.0, 40.306],
    [0.0, 59.3511],
    [0.0, 38.3962],
    [0.0, 54.9413],
    [1.0, 23.9864],
    [0.0, 20.5314],
]


def test_seeds_differ() -> None:
    where = joint(colours([1, 1, 1]), sizes([1, 1, 1]))
    assert len({values_of(where, seed, range(9)).tobytes() for seed in range(20)}) > 10


def test_outputs_are_compared_with_what_is_wanted_of_each_row() -> None:
    where = joint(colours([1, 1, 1, 1]), ir.DrawnRange(SIZE, 0.0, 1.0))
    outputs = {"colour": torch.randn(5, 4), "size": torch.randn(5)}
    values = torch.tensor([[0, 0.5], [3, 0.1], [2, 0.9], [1, 0.0], [3, 1.0]], dtype=torch.float64)
    found = relative(where, outputs, values)
    wanted = outputs["colour"].softmax(1)[range(5), values[:, 0].long()]
    assert torch.allclose(found[Wanted("colour")].softmax(1)[:, 0], wanted)
    assert torch.allclose(found[Wanted("size")], outputs["size"] - values[:, 1].float())


def test_a_face_is_judged_by_what_was_drawn_for_it() -> None:
    where = joint(colours([1, 1]), ir.DrawnValue(SIZE, ((2.0, 1), (8.0, 1))))
    values = np.array([[0, 2.0], [1, 8.0], [1, 2.0], [0, 8.0]])
    seen = {
        "colour": np.array([0, 1, 0, np.nan], np.float32),
        "size": np.array([2.5, 8.0, 2.0, 8.0], np.float32),
    }
    shown = truth(where, {**seen, **wanted_columns(where, values)})
    assert shown.tolist() == [True, True, False, False]


SAMPLED = joint(ir.DrawnClass(GLASSES, ((0, 1), (1, 1))), ir.DrawnRange(AGE, 20.0, 60.0))


@pytest.mark.parametrize("name", ["exponential", "heun", "dopri5", "mala", "rejection", "smc"])
def test_every_sampler_reaches_the_values_of_its_samples(model: TinyModel, name: str) -> None:
    sampler = SAMPLERS[name]
    options = {"smc": {"particles": 16}, "rejection": {"max_tries": 2000}}.get(name, {})
    choice = ir.SamplerChoice(name, sampler.complete(options))
    whole = program(statement(where=SAMPLED, count=8, sampler=choice)).run()["kids"]
    drawn, ages = zip(
        *((s.drawn["glasses"], s.drawn["age"]) for s in whole.record.samples), strict=True
    )
    assert set(drawn) == {"0", "1"}
    held = [
        atom.of(sample.drawn).holds(sample.readings[atom.text] or 0.0)
        for sample in whole.record.samples
        for atom in whole.record.atoms
    ]
    assert np.mean(held) >= 0.75, (held, ages)
    alone = program(statement(where=SAMPLED, count=3, sampler=choice)).run()["kids"]
    assert np.array_equal(alone.latents, whole.latents[:3])


def test_the_energy_of_a_group_takes_the_values_as_an_argument(model: TinyModel) -> None:
    made = program(statement(where=SAMPLED, count=5))
    group = made.run()["kids"]
    values = torch.from_numpy(values_of(SAMPLED, group.record.seed, range(5)))
    energy = energy_of(made.samples[0], model)
    assert torch.allclose(energy(group.latents, values), group.energy.float(), atol=1e-4)

"""Labelling goes on from a table of the same draws, and from no other."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from attrs import evolve

from lacelang.classifiers import labels
from lacelang.classifiers.labelling import COUNT, SEED, label
from lacelang.classifiers.labels import Labels
from lacelang.classifiers.measuring import Source
from lacelang.cli.models import find_model
from lacelang.engine.loading import labels_of
from lacelang.errors import UsageError
from lacelang.generators.generator import Generator
from lacelang.progress import Silent

SPEC = find_model("ffhq")


@pytest.fixture(scope="module")
def table() -> Labels:
    return labels.load(labels_of(SPEC))


def _go_on(begun: Labels, generator: Any = None, **chosen: Any) -> Labels:
    source = Source("mobilestylegan", generator or cast(Any, begun.about["generator"]))
    # Nothing is drawn or decoded here, so no network is needed.
    none = cast(Generator, None)
    return label(none, source, SPEC.attributes, begun=begun, progress=Silent(), **chosen)


def test_a_whole_table_is_returned_as_it_is(table: Labels) -> None:
    found = _go_on(table)
    assert (len(found), found.prior_seed) == (COUNT, SEED)
    assert found.about == table.about
    for name, column in table.columns.items():
        np.testing.assert_array_equal(found.columns[name], column)


@pytest.mark.parametrize(
    "chosen",
    [{"seed": SEED + 1}, {"count": COUNT + 1}, {"count": COUNT // 2}, {"rare_share": 0.4}],
    ids=["seed", "count", "half", "share"],
)
def test_a_table_of_other_draws_is_refused(table: Labels, chosen: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is not the beginning of one with"):
        _go_on(table, **chosen)


def test_a_table_of_another_generator_is_refused(table: Labels) -> None:
    other = evolve(table, about={**table.about, "generator": "another"})
    own = cast(Any, table.about["generator"])
    with pytest.raises(UsageError, match="of the same generator"):
        _go_on(other, generator=own)


@pytest.mark.parametrize("change", ["fewer", "more"])
def test_a_table_of_other_attributes_is_refused(table: Labels, change: str) -> None:
    columns = dict(table.columns)
    if change == "fewer":
        del columns["smile"]
    else:
        columns["hat"] = columns["smile"]
    with pytest.raises(UsageError, match="and what is labelled is age, bald"):
        _go_on(evolve(table, columns=columns))

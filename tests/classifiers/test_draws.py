"""Label rows: reproducible from a seed, and stored without loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lacelang.classifiers import labels
from lacelang.classifiers.draws import (
    TRUNCATIONS,
    Draws,
    from_prior,
    rounded,
    truncations_around,
    unrounded,
)
from lacelang.errors import ResourceError


def test_rows_do_not_depend_on_how_many_there_are() -> None:
    few, many = from_prior(7, 3, 16), from_prior(7, 10, 16)
    assert np.array_equal(few.z, many.z[:3])
    assert np.array_equal(few.psi, many.psi[:3])
    assert few.fingerprint() != many.fingerprint()


def test_truncations_lie_around_the_default_of_a_model() -> None:
    assert truncations_around(0.7) == TRUNCATIONS
    assert truncations_around(1.0) == (0.8, 1.0)


def test_a_table_keeps_the_range_of_its_truncations(tmp_path: Path) -> None:
    none = from_prior(7, 0, 4)
    columns = {"digit": np.zeros(3, np.float32)}
    table = labels.Labels(7, 3, none, columns, {}, (0.8, 1.0))
    labels.save(tmp_path / "t.safetensors", table)
    found = labels.load(tmp_path / "t.safetensors")
    assert found.truncations == (0.8, 1.0)
    assert np.array_equal(found.draws().psi, from_prior(7, 3, 4, (0.8, 1.0)).psi)


def test_truncations_fill_their_range() -> None:
    psi = from_prior(7, 400, 4).psi
    low, high = TRUNCATIONS
    assert ((psi >= low) & (psi <= high)).all()
    # 400 uniform draws: the mean's standard error is 0.144 / 20; five of them.
    assert abs(psi.mean() - (low + high) / 2) < 5 * 0.144 / 20


@given(arrays(np.int8, (3, 5), elements=st.integers(-127, 127)))
def test_rounding_keeps_rounded_latents(steps: np.ndarray) -> None:
    assert np.array_equal(rounded(unrounded(steps)), steps)


def _table() -> labels.Labels:
    rng = np.random.default_rng(0)
    z = unrounded(rng.integers(-90, 90, (4, 512)).astype(np.int8))
    columns = {
        "smile": np.array([0, 1, 1, 0, 1, np.nan], np.float32),
        "age": np.array([1, 20.5, 33, 47, 60, np.nan], np.float32),
    }
    return labels.Labels(3, 2, Draws(z, np.full(4, 0.7, np.float32)), columns, {"generator": "g"})


def test_table_survives_the_file(tmp_path: Path) -> None:
    table = _table()
    labels.save(tmp_path / "t.safetensors", table)
    again = labels.load(tmp_path / "t.safetensors")
    assert len(again) == len(table) == 6
    assert np.array_equal(again.draws().z, table.draws().z)
    assert np.array_equal(again.draws().psi, table.draws().psi)
    for name, column in table.columns.items():
        assert np.array_equal(again.columns[name], column, equal_nan=True)
    assert again.about == table.about


@pytest.mark.parametrize("damage", ["missing", "truncated", "other"])
def test_bad_table_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "t.safetensors"
    labels.save(path, _table())
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:200])
    else:
        from safetensors.numpy import save_file

        save_file({"a": np.zeros(2)}, path, metadata={"format": "other"})
    with pytest.raises(ResourceError, match=r"t\.safetensors") as caught:
        labels.load(path)
    assert "lacelang label" in str(caught.value)

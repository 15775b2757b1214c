"""Edit paths of samples, and which comparisons a reading satisfies: against plain loops."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from lacelang.storage.latents import EditPath, Latents, arrays_of, latents_of
from lacelang.storage.records import Atom

COUNT, STYLES, D = 3, 4, 5
REPLACED = np.array([[True, False, True, False], [False, False, True, True]])


def drawn(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def gone(begun: EditPath) -> EditPath:
    for k, replaced in enumerate(REPLACED):
        begun = begun.gone(begun.w[:, -1] + drawn(COUNT, D) * (k + 1), replaced)
    return begun


@pytest.mark.parametrize("layered", [False, True])
def test_each_style_is_at_the_last_w_that_it_took(layered: bool) -> None:
    """And keeps what sets it apart from the mean of the styles that a sample began with."""
    w = drawn(COUNT, STYLES, D) if layered else drawn(COUNT, D)
    path = gone(EditPath.begun(w, STYLES))
    mean = w.mean(axis=1) if layered else w
    assert np.allclose(path.w[:, 0], mean, atol=1e-6)
    assert path.w.shape == (COUNT, 3, D)
    styles = path.styles(3)
    assert styles.shape == (COUNT, 3, STYLES, D)
    for i, moment, style in product(range(COUNT), range(3), range(STYLES)):
        last = 0
        for k in range(moment):
            last = k + 1 if REPLACED[k, style] else last
        apart = w[i, style] - mean[i] if layered else 0.0
        assert np.allclose(styles[i, moment, style], path.w[i, last] + apart, atol=1e-5)
    if layered:
        assert np.array_equal(styles[:, 0], w)
    assert np.array_equal(path.styles(), styles[:, 2:])


def test_rows_of_latents_are_those_of_every_part() -> None:
    path = gone(EditPath.begun(drawn(COUNT, STYLES, D), STYLES))
    whole = Latents(drawn(COUNT, 2), path.styles()[:, 0], path)
    assert len(whole) == COUNT
    for chosen in ([2, 0], slice(1, 3), [1]):
        some = arrays_of(whole.rows(chosen))
        for name, array in arrays_of(whole).items():
            expected = array if name == "trail.taken" else array[chosen]
            assert np.array_equal(some[name], expected), name
        back = latents_of(some)
        assert back is not None
        assert back.edit_path is not None
    joined = arrays_of(Latents.joined([whole.rows([0]), whole.rows([1, 2])]))
    for name, array in arrays_of(whole).items():
        assert np.array_equal(joined[name], array), name
    alone = whole.w[:, 0]
    assert arrays_of(Latents(None, alone).rows([1])).keys() == {"w"}


def test_an_edit_path_fits_the_styles_it_led_to_alone() -> None:
    path = gone(EditPath.begun(drawn(COUNT, STYLES, D), STYLES))
    w = path.styles()[:, 0]
    assert path.fits(w)
    assert gone(EditPath.begun(drawn(COUNT, D), STYLES)).fits(w)
    for other in (w[:2], w[:, :3], w[..., :4], w[:, 0]):
        assert not path.fits(other)
    taken, late = path.taken, path.taken.copy()
    late[1, 0] = 2  # a style cannot have taken a w that came later
    assert path.given is not None
    for changed in (
        EditPath(path.w[:, :0], taken[:0], path.given),
        EditPath(path.w[:, 0], taken, path.given),
        EditPath(path.w[:, :2], taken, path.given),
        EditPath(path.w, taken[:2], path.given),
        EditPath(path.w, taken[0], path.given),
        EditPath(path.w, taken - 1, path.given),
        EditPath(path.w, late, path.given),
        EditPath(path.w, taken, path.given[:, :3]),
        EditPath(path.w, taken, path.given[:2]),
    ):
        assert not changed.fits(w)
        assert latents_of(arrays_of(Latents(None, w, changed))) is None


@pytest.mark.parametrize("begun", [(D,), (STYLES, D)], ids=["w", "w+"])
@pytest.mark.parametrize("second", [[0], [1, 2], [0, 1, 2, 3]])
def test_styles_that_were_spread_stay_apart(begun: tuple[int, ...], second: list[int]) -> None:
    start = EditPath.begun(drawn(COUNT, *begun), STYLES)
    replaced, again = np.zeros(STYLES, bool), np.zeros(STYLES, bool)
    replaced[:3], again[second] = True, True
    own = drawn(COUNT, 3, D)
    spread = start.spread(own, replaced)
    assert np.allclose(spread.w[:, -1], own.mean(axis=1), atol=1e-6)
    first, last = start.styles()[:, 0], spread.styles()[:, 0]
    mean = start.w[:, :1]
    assert np.allclose(last[:, :3], first[:, :3] + own - mean, atol=1e-5)
    assert np.array_equal(last[:, 3:], first[:, 3:])
    move = drawn(COUNT, D)
    further = spread.gone(spread.w[:, -1] + move, again)
    assert np.allclose(further.w[:, -1], spread.w[:, -1] + move, atol=1e-5)
    films = further.styles(3)
    assert np.array_equal(films[:, 0], first)
    assert np.array_equal(films[:, 1], last)
    for style in range(STYLES):
        moved = last[:, style]
        if again[style]:
            # A style that was not spread takes where the mean is.
            since = move if replaced[style] else further.w[:, -1] - start.w[:, 0]
            moved = moved + since
        assert np.allclose(films[:, 2, style], moved, atol=1e-5)
    for path in (spread, further):
        assert path.fits(path.styles()[:, 0])
        back = latents_of(arrays_of(Latents(None, path.styles()[:, 0], path)))
        assert back is not None
        assert not EditPath(path.w[:, :-1], path.taken, path.given).fits(path.styles()[:, 0])


def test_one_style_that_is_spread_is_not_apart() -> None:
    start = EditPath.begun(drawn(COUNT, D), STYLES)
    replaced = np.arange(STYLES) == 1
    path = start.spread(drawn(COUNT, 1, D), replaced)
    assert path.w.shape == (COUNT, 2, D)
    assert path.fits(path.styles()[:, 0])


def test_arrays_that_are_no_latents() -> None:
    w = drawn(COUNT, D)
    assert latents_of({"w": w}) is not None
    assert latents_of({"w": w, "z": drawn(COUNT, 2)}) is not None
    assert latents_of({"z": w}) is None
    assert latents_of({"w": w, "z": drawn(COUNT + 1, 2)}) is None
    assert latents_of({"w": w[0]}) is None
    assert latents_of({"w": w[None, None]}) is None
    found = latents_of({"w": w, "trail.w": w})
    assert found is not None
    assert found.edit_path is None


@pytest.mark.parametrize(
    ("low", "high", "satisfied"),
    [
        (1.0, 3.0, (1.0, 2.0, 3.0)),
        (1.0, None, (1.0, 2.0, 3.0, 4.0)),
        (None, 3.0, (0.0, 1.0, 2.0, 3.0)),
        (None, None, (0.0, 1.0, 2.0, 3.0, 4.0)),
    ],
)
def test_a_reading_on_a_bound_satisfies_and_a_not_turns_it_round(
    low: float | None, high: float | None, satisfied: tuple[float, ...]
) -> None:
    atom = Atom("age in 1..3", "age", "value", low, high)
    denied = Atom("age in 1..3", "age", "value", low, high, negated=True)
    assert (atom.wanted, denied.wanted) == ("age in 1..3", "not age in 1..3")
    for value in (0.0, 1.0, 2.0, 3.0, 4.0):
        assert atom.holds(value) == (value in satisfied)
        assert denied.holds(value) != atom.holds(value)

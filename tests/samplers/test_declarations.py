"""What samplers say of themselves, held against what it means."""

from __future__ import annotations

import pytest
from torchdiffeq._impl.odeint import SOLVERS

from lacelang.registry import imported
from lacelang.samplers import DEFAULT_SAMPLER, SAMPLERS, Sampler
from lacelang.samplers.torchdiffeq_solvers import DECLARED

EACH = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=lambda sampler: sampler.name)

# Those whose acceptance or weights make samples exact, and flows, which begin anywhere.
EXACT = {"hmc", "mala", "rejection", "smc"}
EDITING = {"exponential", "heun", "dopri5", "euler"}


def test_what_is_exact_and_what_can_edit() -> None:
    assert {name for name, sampler in SAMPLERS.items() if sampler.exact} == EXACT
    assert {name for name, sampler in SAMPLERS.items() if sampler.edits} == EDITING
    assert DEFAULT_SAMPLER in EDITING


@EACH
def test_names_are_words_of_a_program_and_algorithms_are_there(sampler: Sampler) -> None:
    names = [option.name for option in sampler.options]
    assert len(set(names)) == len(names)
    for name in (sampler.name, *names):
        assert name.isidentifier()
        assert name == name.lower()
    assert callable(imported(sampler.algorithm))
    assert sampler.doc
    assert all(option.doc for option in sampler.options)


@EACH
def test_defaults_lie_within_their_limits(sampler: Sampler) -> None:
    values = sampler.complete({})
    assert values.keys() == {option.name for option in sampler.options}
    for option in sampler.options:
        value = values[option.name]
        assert option.low <= value <= option.high
        assert value >= option.least
        assert value > option.low or not option.above
        assert isinstance(value, int) or not option.whole
        assert (option.default is None) == (option.derived is not None)
        # What may come as near to 0 as one likes is lost in float32, or takes for ever.
        if option.above and option.derived is None:
            assert option.low < option.least <= option.high
    for preset in sampler.presets.values():
        assert preset.keys() <= values.keys()
        assert all(
            option.low <= preset.get(option.name, values[option.name]) <= option.high
            for option in sampler.options
        )


@pytest.mark.parametrize("sampler", DECLARED, ids=lambda sampler: sampler.name)
def test_solvers_are_torchdiffeq_s_of_that_name(sampler: Sampler) -> None:
    assert sampler.settings == {"method": sampler.name}
    assert sampler.name in SOLVERS
    adaptive = hasattr(SOLVERS[sampler.name], "_adaptive_step")
    names = {option.name for option in sampler.options}
    assert names == ({"atol", "rtol"} if adaptive else {"step"})

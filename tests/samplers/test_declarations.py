"""What samplers say of themselves, held against what it means."""

from __future__ import annotations

from pathlib import Path

import pytest
from torchdiffeq._impl.odeint import SOLVERS

from lacelang.registry import imported
from lacelang.samplers import DEFAULT_SAMPLER, SAMPLERS, Option, Sampler
from lacelang.samplers.declaration import whole
from lacelang.samplers.problem import Target
from lacelang.samplers.solution import Status
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


PAGE = Path(__file__).parents[2] / "docs" / "samplers.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").split("\n")
    if line.startswith("| `")
]


def test_the_page_of_samplers_says_what_they_take() -> None:
    """Defaults, limits and help: who changes them changes what programs mean, and the page."""
    options = {(row[0], name): row[2:] for row in ROWS for name in row[1].split(", ")}
    for name, sampler in SAMPLERS.items():
        values = [option.name for option in sampler.options if option.default is None]
        given = [o for o in sampler.options if o.default is not None]
        values += [f"{option.name}={option.default:g}" for option in given]
        values += [f"preset={preset}" for preset in sampler.presets]
        (row,) = [row for row in ROWS if row[1] == sampler.doc]
        assert row[0].startswith(f"`{name}`")
        assert set(row[2].split(", ")) == {f"`{value}`" for value in values}
        for option in sampler.options:
            limits, doc = options[f"`{option.name}`", f"`{name}`"]
            assert doc == option.doc
            low, high = limits.replace("integer, ", "").removeprefix("from ").split(" to ")
            assert limits.startswith("integer, ") is option.whole
            assert float(low) == pytest.approx(option.least or option.low, rel=1e-6)
            assert float(high.replace(" ", "")) == option.high


def test_the_page_of_samplers_says_how_they_end() -> None:
    told = {row[0]: row[1:] for row in ROWS if len(row) == 3}
    assert all(told[f"`{s.name}`"] == [s.sentence, s.remedy] for s in Status)


PASSED: list[dict[str, object]] = []


def noted(target: object, z0: object, **options: object) -> str:
    """An algorithm that notes what it is given."""
    PASSED.append({"target": target, "z0": z0, **options})
    return "solution"


DOUBLE = Sampler(
    "double",
    "notes what it is given",
    f"{__name__}:noted",
    (
        Option("steps", 8, 1, 100, "of the sampler", above=False, whole=True),
        Option("size", None, 0.0, 9.0, "a quarter", derived=lambda values: values["steps"] / 4),
        Option("bound", 1.2, 0.0, 9.0, "of the target", of_target=True),
    ),
    presets={"long": {"steps": 80}},
    settings={"method": "this"},
)


def test_what_is_given_comes_before_a_preset_and_that_before_defaults() -> None:
    assert DOUBLE.complete({}) == {"steps": 8, "size": 2.0, "bound": 1.2}
    assert DOUBLE.complete({"bound": 3.0}, "long") == {"steps": 80, "size": 20.0, "bound": 3.0}
    assert DOUBLE.complete({"steps": 4, "size": 5.0}, "long")["size"] == 5.0
    assert DOUBLE.complete({"steps": 4}, "long") == {"steps": 4, "size": 1.0, "bound": 1.2}
    assert list(DOUBLE.complete({})) == [option.name for option in DOUBLE.options]
    with pytest.raises(KeyError):
        DOUBLE.complete({}, "unknown")
    assert DOUBLE.option("size") is DOUBLE.options[1]
    assert DOUBLE.option("sizes") is None


def test_an_algorithm_gets_its_options_and_settings_and_a_target() -> None:
    z0, streams, energy = object(), object(), object()
    found = DOUBLE(energy, z0, streams=streams, on_step=print, size=3.0, more=7)  # type: ignore[arg-type]
    assert found == "solution"  # type: ignore[comparison-overlap]
    given = PASSED.pop()
    target = given.pop("target")
    assert isinstance(target, Target)
    assert target.condition is target.regularised is energy
    assert target.args == ()
    assert given == {
        "z0": z0,
        "streams": streams,
        "on_step": print,
        "steps": 8,
        "size": 3.0,
        "more": 7,  # what only an algorithm knows, such as a limit for tests
        "method": "this",
    }
    DOUBLE(target, z0)  # type: ignore[arg-type]
    given = PASSED.pop()
    assert given["target"] is target
    assert given["streams"] is given["on_step"] is None


def test_whole_numbers_may_be_their_least() -> None:
    option = whole("steps", 3, 1, 9, "how many")
    assert option == Option("steps", 3, 1, 9, "how many", above=False, whole=True)
    plain = Option("size", 1.0, 0.0, 9.0, "how large")
    assert (plain.above, plain.whole, plain.least, plain.derived) == (True, False, 0.0, None)
    assert not plain.of_target


def test_what_a_sampler_does_not_say_it_does_not_promise() -> None:
    plain = Sampler("plain", "promises nothing", "module:function")
    assert not any((plain.exact, plain.edits, plain.probability, plain.pilots))
    assert (plain.options, plain.presets, plain.settings) == ((), {}, {})
    promises = {name for name, sampler in SAMPLERS.items() if sampler.probability}
    assert promises == {"rejection"}
    assert {name for name, sampler in SAMPLERS.items() if sampler.pilots} == {"smc"}

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tiny import AGE, GLASSES, GLASSES_1, statement

import lacelang
from lacelang import ir
from lacelang.engine.fingerprint import condition_text, fingerprint, sampler_text, settings_of
from lacelang.errors import Span

WEIGHTS = {"generator": "a", "classifiers": "b", "device": "cpu"}


def digest(seed: int = 7, weights: dict[str, str] = WEIGHTS, **fields: Any) -> str:
    return fingerprint(statement(**fields), seed, weights)


def test_what_changes_no_sample_changes_no_fingerprint() -> None:
    plain = digest()
    assert digest(name="other") == plain
    assert digest(count=99) == plain
    assert digest(span=Span(9, 9, 9, 9)) == plain
    # The seed in force counts, not the one that the program names.
    assert digest(seed=7) == plain
    respelt = ir.And(
        (evolve(GLASSES_1, text="spectacled"), ir.Equals(AGE, 40.0, text="age = 40")), text="x"
    )
    assert digest(where=respelt) == plain
    moved = evolve(statement().model, path=Path("elsewhere"))
    assert digest(model=moved) == plain


@pytest.mark.parametrize(
    "fields",
    [
        {"where": GLASSES_1},
        {"where": None},
        {"where": ir.Not(GLASSES_1)},
        {"where": evolve(GLASSES_1, classes=frozenset({0}))},
        {"where": evolve(GLASSES_1, weight=2.0)},
        {"where": evolve(GLASSES_1, temp=0.5)},
        {"temp": 0.5},
        {"truncation": 0.5},
        {"negation": ("contrast", 0.1)},
        {"disjunction": "balanced"},
        {"sigma": "paper"},
        {"sampler": ir.SamplerChoice("heun", {"tolerance": 1e-4})},
        {"sampler": ir.SamplerChoice("langevin", {"steps": 100})},
    ],
)
def test_what_changes_a_sample_changes_the_fingerprint(fields: dict[str, Any]) -> None:
    assert digest(**fields) != digest()


# What earlier versions computed: a change here makes every such group in every run folder anew, so
# that it goes with other samples only.
OF_OLD = [
    ("86017003bbee4468ba14b576a2398ff8", "sample from digits as it"),
    (
        "d9b82d6a085b3ca04ac27f77ecb90f7a",
        "sample from digits where digit=three or not digit in {one, two} temp 0.5 as it",
    ),
    (
        "fe294db9321739524b6e58b0b06e8633",
        "sample from ffhq where smile=1 and age in 20..30 with heun(tolerance=1e-2) as it",
    ),
    (
        "114e038e2a19e7e5aa2d23049eb6c228",
        "sample from ffhq where gender = each {female, male} verified as it",
    ),
    (
        "37ef6278972f24a2252e728c85572510",
        "sample from ffhq as some edit some { smile = 0 glasses = 1 [weight 5] } stay 0.04 as it",
    ),
    ("14dde25ce462acd7dbc96925228a3b0b", "measure glasses=1 given age < 20 from ffhq as it"),
]


@pytest.mark.parametrize(("known", "source"), OF_OLD)
def test_statements_keep_their_fingerprints(
    known: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lacelang.engine.fingerprint.__version__", "0.1.0")
    made = lacelang.compile(source).checked.statements[-1]
    begun = "source" if made.kind == "edit" else None
    assert fingerprint(made, 7, WEIGHTS, begun) == known


def test_weights_and_seed_are_part_of_it() -> None:
    assert digest(seed=8) != digest()
    for role in WEIGHTS:
        assert digest(weights={**WEIGHTS, role: "changed"}) != digest()


def test_attributes_are_told_apart_by_name() -> None:
    other = ir.BinaryAttribute("smile")
    assert digest(where=evolve(GLASSES_1, attribute=other)) != digest(where=GLASSES_1)
    assert digest(where=evolve(GLASSES_1, attribute=evolve(GLASSES, layers=(1, 2)))) == digest(
        where=GLASSES_1
    )


def test_a_sampler_is_named_with_what_is_unusual_about_it() -> None:
    from lacelang.samplers import SAMPLERS

    usual = SAMPLERS["heun"].complete({})
    assert sampler_text(ir.SamplerChoice("heun", usual)) == "heun"
    finer = SAMPLERS["heun"].complete({"tolerance": 1e-4})
    assert sampler_text(ir.SamplerChoice("heun", finer)) == "heun(tolerance=0.0001)"
    settings = settings_of(statement(sampler=ir.SamplerChoice("heun", usual)), {}, 0.7)
    assert settings["options"] == usual
    assert settings_of(statement(where=None), {}, 0.7)["sampler"] == "prior"


def test_a_condition_reads_as_one_line() -> None:
    assert condition_text(evolve(GLASSES_1, text="glasses=1\n   and x")) == "glasses=1 and x"
    assert condition_text(None) == ""

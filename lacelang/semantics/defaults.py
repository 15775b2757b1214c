"""The defaults of the language; no other module has any."""

from __future__ import annotations

from typing import Literal

from lacelang import ir
from lacelang.generators import ARCHITECTURES
from lacelang.samplers import DEFAULT_SAMPLER, SAMPLERS, Sampler

COUNT = 8
"""Samples of a statement."""

TRUNCATION = 0.7
"""Of a model whose architecture is not known."""

SEED = 0
"""The seed of a statement that names none, where whoever runs it names none either."""

STAY = 0.04
HOLD = 0.01
HELD: Literal["later", "all"] = "all"
"""Whose attributes an edit holds: those that later steps are about, or all others."""

KEEP = 1.0
"""How strongly `keep identity` keeps it, where the clause has no number."""

CONDITION_OPTIONS = ir.ConditionOptions(
    temp=None, logit_temp=None, negation=("complement",), disjunction="equal", sigma="residual"
)


def truncation(model: ir.ModelSpec | None) -> float:
    """Return the truncation of a statement about a model that names none."""
    known = None if model is None else ARCHITECTURES.get(model.generator)
    return TRUNCATION if known is None else known.truncation


def sampler(model: ir.ModelSpec | None = None) -> ir.SamplerChoice:
    """Return the sampler of a statement, about a model, that names none."""
    default = SAMPLERS[DEFAULT_SAMPLER]
    return ir.SamplerChoice(default.name, default.complete(flow(model, default)))


def flow(model: ir.ModelSpec | None, sampler: Sampler) -> dict[str, float]:
    """Return the options of a sampler whose defaults are other ones for a model."""
    known = None if model is None else ARCHITECTURES.get(model.generator)
    own = () if known is None else known.flow
    return {name: value for name, value in own if sampler.option(name) is not None}


TRIES = 8
"""Candidates for each sample, at most, that the annotators are to agree with."""

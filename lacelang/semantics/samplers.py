"""The samplers that `with` can name and their options: names, defaults and limits only.

The samplers themselves live in `lacelang.samplers`; this table lets a program be checked, and an
editor complete it, without importing them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from attrs import evolve, field, frozen

DEFAULT_SAMPLER = "exponential"

EDITORS = ("exponential", "heun", "dopri5", "euler")
"""Samplers that can edit, the default first: those that follow the flow from where a sample is."""

FLOW_TIME = 5.024945
"""tau(1e-3) of LACE.md: the integral of beta(t)/2 from t = 1e-3 to 1, beta from 0.1 to 20."""


@frozen
class Option:
    """One option of a sampler.

    Attributes:
        default: None where it follows from the other options (see `complete`).
        low: the least value; excluded if `above` is true.
        high: the greatest value, included.
        whole: only whole numbers.
        least: what lies between `low` and this is lost in float32, or takes for ever.
        doc: what it does, one line.
    """

    name: str
    default: float | int | None
    low: float
    high: float
    doc: str
    above: bool = True
    whole: bool = False
    least: float = 0.0


@frozen
class SamplerTable:
    """A sampler's name, its options and its presets (`with langevin(preset=paper)`).

    Attributes:
        probability: it takes e^-E for a probability, and needs energies of at least 0.
    """

    name: str
    doc: str
    options: tuple[Option, ...]
    presets: Mapping[str, Mapping[str, float | int]] = field(factory=dict, hash=False)
    probability: bool = False

    def option(self, name: str) -> Option | None:
        """Return the option called `name`, or None."""
        return next((option for option in self.options if option.name == name), None)

    def complete(
        self, given: Mapping[str, float | int], preset: str | None = None
    ) -> dict[str, float | int]:
        """Return every option's value: given ones first, then the preset's, then defaults."""
        chosen = {**(self.presets[preset] if preset else {}), **given}
        values: dict[str, float | int] = {}
        for option in self.options:
            value = chosen.get(option.name, option.default)
            if value is not None:
                values[option.name] = value
        if self.name == "langevin" and "noise" not in values:
            # The scale at which the chain is an unbiased discretisation of the diffusion.
            values["noise"] = math.sqrt(2.0 * values["step"])
        return values


TYPICAL = Option(
    "typical", 1.2, 0.0, 1000.0, "how atypical of the prior, 1 on average; 0 sets no bound", False
)

WARMUP = Option("warmup", 100, 0, 1_000_000, "steps that adapt the step size", False, True)

FINEST = 1e-9
"""The least tolerance of an adaptive solver."""

_TOLERANCES = (
    Option("atol", 1e-3, 0.0, 1.0, "absolute tolerance", least=FINEST),
    Option("rtol", 1e-3, 0.0, 1.0, "relative tolerance", least=FINEST),
)


def _step(slopes: int) -> tuple[Option]:
    """The option of a solver that takes so many slopes a step; 10 000 steps are the most."""
    return (Option("step", 0.01, 0.0, 1.0, "step size in t", least=slopes * 1e-4),)


_FLOW = (
    Option("time", FLOW_TIME, 0.0, 1000.0, "length of the flow", least=1e-3),
    Option("max_steps", 1000, 1, 1_000_000, "steps before giving up", False, True),
    TYPICAL,
)

_ADAPTIVE = ("dopri8", "bosh3", "adaptive_heun")
_FIXED = {"midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4}

_TABLES = (
    SamplerTable(
        "exponential",
        "exponential Heun steps along the same flow: few of them, however stiff the condition",
        (Option("tolerance", 2e-3, 0.0, 1.0, "error allowed per step", least=FINEST), *_FLOW),
    ),
    SamplerTable(
        "heun",
        "adaptive Heun steps along the energy's gradient flow, each sample at its own pace",
        (Option("tolerance", 1e-3, 0.0, 1.0, "local error allowed per step", least=FINEST), *_FLOW),
    ),
    SamplerTable(
        "dopri5",
        "the paper's solver: torchdiffeq's dopri5, each sample with steps of its own",
        _TOLERANCES,
    ),
    SamplerTable(
        "euler",
        "the paper's LACE-euler: steps of one size in t",
        _step(1),
    ),
    SamplerTable(
        "langevin",
        "noisy gradient steps on the whole energy, prior included",
        (
            Option("steps", 100, 1, 1_000_000, "number of steps", False, True),
            Option("step", 0.01, 0.0, 10.0, "step size", least=1e-9),
            Option("noise", None, 0.0, 10.0, "noise per step; sqrt(2 step) if not given", False),
        ),
        presets={"paper": {"steps": 100, "step": 0.01, "noise": 0.01}},
    ),
    SamplerTable(
        "pc",
        "the paper's LACE-PC: predictor and corrector on the reverse SDE",
        (
            Option("steps", 100, 20, 1_000_000, "predictor steps", False, True),
            Option("corrector_steps", 2, 0, 1000, "after each predictor step", False, True),
            Option("snr", 0.16, 0.0, 10.0, "signal-to-noise ratio of the corrector", least=1e-3),
        ),
    ),
    SamplerTable(
        "rejection",
        "independent and exact: draws from the prior until one is accepted",
        (Option("max_tries", 10_000, 1, 1_000_000_000, "draws before giving up", False, True),),
        probability=True,
    ),
    SamplerTable(
        "mala",
        "a Metropolis-adjusted Langevin chain for each sample",
        (
            Option("steps", 200, 1, 1_000_000, "steps after the warm-up", False, True),
            WARMUP,
            Option(
                "accept", 0.6, 0.0, 0.99, "acceptance rate that steps are adapted to", least=0.01
            ),
        ),
    ),
    SamplerTable(
        "hmc",
        "a Hamiltonian Monte Carlo chain for each sample",
        (
            Option("steps", 40, 1, 1_000_000, "trajectories after the warm-up", False, True),
            evolve(WARMUP, default=20),
            Option("leapfrog", 8, 1, 10_000, "steps of a trajectory", False, True),
            Option(
                "accept", 0.8, 0.0, 0.99, "acceptance rate that steps are adapted to", least=0.01
            ),
        ),
    ),
    SamplerTable(
        "hybrid",
        "`exponential`, and then a few steps of `mala` from where it ends",
        (
            Option(
                "tolerance", 2e-3, 0.0, 1.0, "of the flow: error allowed per step", least=FINEST
            ),
            Option("time", FLOW_TIME, 0.0, 1000.0, "length of the flow", least=1e-3),
            Option("max_steps", 1000, 1, 1_000_000, "of the flow", False, True),
            TYPICAL,
            Option("steps", 20, 1, 1_000_000, "of the chain, after its warm-up", False, True),
            evolve(WARMUP, default=20),
            Option(
                "accept", 0.6, 0.0, 0.99, "acceptance rate that steps are adapted to", least=0.01
            ),
        ),
    ),
    SamplerTable(
        "smc",
        "particles carried from the prior to the condition, and how probable that is",
        (
            Option("particles", 32, 2, 100_000, "of each sample", False, True),
            Option("moves", 4, 1, 10_000, "at each temperature", False, True),
            Option(
                "ess", 0.5, 0.0, 0.99, "share of particles a change leaves effective", least=0.01
            ),
            Option("max_steps", 100, 1, 1_000_000, "temperatures before giving up", False, True),
        ),
    ),
    *(
        SamplerTable(name, f"torchdiffeq's {name}, each sample with steps of its own", _TOLERANCES)
        for name in _ADAPTIVE
    ),
    *(
        SamplerTable(name, f"torchdiffeq's {name}: steps of one size in t", _step(slopes))
        for name, slopes in _FIXED.items()
    ),
)

SAMPLERS: Mapping[str, SamplerTable] = {table.name: table for table in _TABLES}
"""All samplers by name, the default first."""

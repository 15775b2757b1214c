"""The flow, and then a Metropolis-adjusted chain from where it ends."""

from attrs import evolve

from lacelang.samplers.declaration import (
    MAX_STEPS,
    TIME,
    TYPICAL,
    Sampler,
    accept,
    tolerance,
    warmup,
    whole,
)

DECLARED = (
    Sampler(
        "hybrid",
        "`exponential`, and then a few steps of `mala` from where it ends",
        "lacelang.samplers.hybrid.algorithm:hybrid",
        (
            tolerance(2e-3, "of the flow: error allowed per step"),
            TIME,
            evolve(MAX_STEPS, doc="of the flow"),
            TYPICAL,
            whole("steps", 20, 1, 1_000_000, "of the chain, after its warm-up"),
            warmup(20),
            accept(0.6),
        ),
    ),
)

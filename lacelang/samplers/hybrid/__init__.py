"""The flow, and then a Metropolis-adjusted chain from where it ends."""

from attrs import evolve

from lacelang.samplers.declaration import (
    ACCEPT,
    MAX_STEPS,
    TIME,
    TOLERANCE,
    TYPICAL,
    WARMUP,
    Sampler,
    whole,
)

DECLARED = (
    Sampler(
        "hybrid",
        "`exponential`, and then a few steps of `mala` from where it ends",
        "lacelang.samplers.hybrid.algorithm:hybrid",
        (
            evolve(TOLERANCE, doc="of the flow: error allowed per step"),
            TIME,
            evolve(MAX_STEPS, doc="of the flow"),
            TYPICAL,
            whole("steps", 20, 1, 1_000_000, "of the chain, after its warm-up"),
            WARMUP,
            ACCEPT,
        ),
    ),
)

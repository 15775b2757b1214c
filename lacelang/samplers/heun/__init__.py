"""Adaptive Heun steps along the gradient flow of the energy, each sample at its own pace."""

from attrs import evolve

from lacelang.samplers.declaration import FLOW, TOLERANCE, Sampler

DECLARED = (
    Sampler(
        "heun",
        "adaptive Heun steps along the energy's gradient flow, each sample at its own pace",
        "lacelang.samplers.heun.algorithm:heun",
        (evolve(TOLERANCE, default=1e-3, doc="local error allowed per step"), *FLOW),
        edits=True,
    ),
)

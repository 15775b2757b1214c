"""Adaptive Heun steps along the gradient flow of the energy, each sample at its own pace."""

from lacelang.samplers.declaration import FLOW, Sampler, tolerance

DECLARED = (
    Sampler(
        "heun",
        "adaptive Heun steps along the energy's gradient flow, each sample at its own pace",
        "lacelang.samplers.heun.algorithm:heun",
        (tolerance(1e-3, "local error allowed per step"), *FLOW),
        edits=True,
    ),
)

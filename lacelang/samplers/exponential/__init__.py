"""Exponential Heun steps along the gradient flow of the energy (ETD2RK)."""

from lacelang.samplers.declaration import FLOW, Sampler, tolerance

DECLARED = (
    Sampler(
        "exponential",
        "exponential Heun steps along the same flow: few of them, however stiff the condition",
        "lacelang.samplers.exponential.algorithm:exponential",
        (tolerance(2e-3, "error allowed per step"), *FLOW),
        edits=True,
    ),
)

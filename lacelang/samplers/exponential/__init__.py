"""Exponential Heun steps along the gradient flow of the energy (ETD2RK)."""

from lacelang.samplers.declaration import FLOW, TOLERANCE, Sampler

DECLARED = (
    Sampler(
        "exponential",
        "exponential Heun steps along the same flow: few of them, however stiff the condition",
        "lacelang.samplers.exponential.algorithm:exponential",
        (TOLERANCE, *FLOW),
        edits=True,
    ),
)

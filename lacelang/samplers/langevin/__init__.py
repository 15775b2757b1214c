"""Unadjusted Langevin dynamics on the whole energy, prior included (LACE, LD)."""

import math

from lacelang.samplers.declaration import Option, Sampler, whole

DECLARED = (
    Sampler(
        "langevin",
        "noisy gradient steps on the whole energy, prior included",
        "lacelang.samplers.langevin.algorithm:langevin",
        (
            whole("steps", 100, 1, 1_000_000, "number of steps"),
            Option("step", 0.01, 0.0, 10.0, "step size", least=1e-9),
            Option(
                "noise",
                None,
                0.0,
                10.0,
                "noise per step; sqrt(2 step) if not given",
                above=False,
                derived=lambda values: math.sqrt(2.0 * values["step"]),
            ),
        ),
        # Noise below sqrt(2 step) is biased and shrinks ||z||.
        presets={"paper": {"steps": 100, "step": 0.01, "noise": 0.01}},
    ),
)

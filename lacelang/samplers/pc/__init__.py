"""Predictor and corrector on the reverse SDE: LACE-PC (Song et al. 2021)."""

from lacelang.samplers.declaration import Option, Sampler, whole

DECLARED = (
    Sampler(
        "pc",
        "the paper's LACE-PC: predictor and corrector on the reverse SDE",
        "lacelang.samplers.pc.algorithm:pc",
        (
            whole("steps", 100, 20, 1_000_000, "predictor steps"),
            whole("corrector_steps", 2, 0, 1000, "after each predictor step"),
            Option("snr", 0.16, 0.0, 10.0, "signal-to-noise ratio of the corrector", least=1e-3),
        ),
    ),
)

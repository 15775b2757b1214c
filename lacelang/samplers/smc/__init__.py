"""Sequential Monte Carlo with tempering, particles of its own for each sample."""

from lacelang.samplers.declaration import Option, Sampler, whole

DECLARED = (
    Sampler(
        "smc",
        "particles carried from the prior to the condition, and how probable that is",
        "lacelang.samplers.smc.algorithm:smc",
        (
            whole("particles", 32, 2, 100_000, "of each sample"),
            whole("moves", 4, 1, 10_000, "at each temperature"),
            Option(
                "ess", 0.5, 0.0, 0.99, "share of particles a change leaves effective", least=0.01
            ),
            whole("max_steps", 100, 1, 1_000_000, "temperatures before giving up"),
        ),
        exact=True,
        pilots=True,
    ),
)

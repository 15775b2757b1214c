"""The Metropolis-adjusted Langevin algorithm, one chain a sample."""

from lacelang.samplers.declaration import Option, Sampler
from lacelang.samplers.options import accept, warmup

DECLARED = (
    Sampler(
        "mala",
        "a Metropolis-adjusted Langevin chain for each sample",
        "lacelang.samplers.mala.algorithm:mala",
        (
            Option("steps", 200, 1, 1_000_000, "steps after the warm-up", False, True),
            warmup(100),
            accept(0.6),
        ),
        exact=True,
    ),
)

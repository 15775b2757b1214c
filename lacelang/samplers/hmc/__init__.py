"""Hamiltonian Monte Carlo, one chain a sample."""

from lacelang.samplers.declaration import Option, Sampler
from lacelang.samplers.options import accept, warmup

DECLARED = (
    Sampler(
        "hmc",
        "a Hamiltonian Monte Carlo chain for each sample",
        "lacelang.samplers.hmc.algorithm:hmc",
        (
            Option("steps", 40, 1, 1_000_000, "trajectories after the warm-up", False, True),
            warmup(20),
            Option("leapfrog", 8, 1, 10_000, "steps of a trajectory", False, True),
            accept(0.8),
        ),
        exact=True,
    ),
)

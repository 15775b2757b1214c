"""Metropolis chains, one a sample: Hamiltonian Monte Carlo, and the adjusted Langevin algorithm."""

from lacelang.samplers.declaration import Sampler, accept, warmup, whole

_WALK = "lacelang.samplers.chain:walk"

DECLARED = (
    Sampler(
        "hmc",
        "a Hamiltonian Monte Carlo chain for each sample",
        _WALK,
        (
            whole("steps", 40, 1, 1_000_000, "trajectories after the warm-up"),
            warmup(20),
            whole("leapfrog", 8, 1, 10_000, "steps of a trajectory"),
            accept(0.8),
        ),
        exact=True,
    ),
    Sampler(
        "mala",
        "a Metropolis-adjusted Langevin chain for each sample",
        _WALK,
        (
            whole("steps", 200, 1, 1_000_000, "steps after the warm-up"),
            warmup(100),
            accept(0.6),
        ),
        settings={"leapfrog": 1},
        exact=True,
    ),
)

"""Metropolis chains, one a sample: Hamiltonian Monte Carlo, and the adjusted Langevin algorithm."""

from attrs import evolve

from lacelang.samplers.declaration import ACCEPT, WARMUP, Sampler, whole

_WALK = "lacelang.samplers.chain:walk"

DECLARED = (
    Sampler(
        "hmc",
        "a Hamiltonian Monte Carlo chain for each sample",
        _WALK,
        (
            whole("steps", 40, 1, 1_000_000, "trajectories after the warm-up"),
            WARMUP,
            whole("leapfrog", 8, 1, 10_000, "steps of a trajectory"),
            evolve(ACCEPT, default=0.8),
        ),
        exact=True,
    ),
    Sampler(
        "mala",
        "a Metropolis-adjusted Langevin chain for each sample",
        _WALK,
        (
            whole("steps", 200, 1, 1_000_000, "steps after the warm-up"),
            evolve(WARMUP, default=100),
            ACCEPT,
        ),
        settings={"leapfrog": 1},
        exact=True,
    ),
)

"""Rejection sampling from the prior: independent and exact."""

from lacelang.samplers.declaration import Sampler, whole

DECLARED = (
    Sampler(
        "rejection",
        "independent and exact: draws from the prior until one is accepted",
        "lacelang.samplers.rejection.algorithm:rejection",
        (whole("max_tries", 10_000, 1, 1_000_000_000, "draws before giving up"),),
        exact=True,
        probability=True,
    ),
)

"""The paper's flow in its own time t, by torchdiffeq's solvers (LACE eq. 7)."""

from lacelang.samplers.declaration import Option, Sampler
from lacelang.samplers.options import FINEST

_TOLERANCES = (
    Option("atol", 1e-3, 0.0, 1.0, "absolute tolerance", least=FINEST),
    Option("rtol", 1e-3, 0.0, 1.0, "relative tolerance", least=FINEST),
)


def _adaptive(method: str, doc: str, edits: bool = False) -> Sampler:
    return Sampler(
        method,
        doc,
        "lacelang.samplers.torchdiffeq_solvers.algorithm:adaptive",
        _TOLERANCES,
        settings={"method": method},
        edits=edits,
    )


def _fixed(method: str, slopes: int, doc: str, edits: bool = False) -> Sampler:
    """A solver that takes so many slopes a step; 10 000 steps are the most."""
    return Sampler(
        method,
        doc,
        "lacelang.samplers.torchdiffeq_solvers.algorithm:fixed",
        (Option("step", 0.01, 0.0, 1.0, "step size in t", least=slopes * 1e-4),),
        settings={"method": method},
        edits=edits,
    )


# torchdiffeq's `fehlberg2` is left out: at 1e-4 it misses the end of a plain linear flow by a half.
# So are its methods of Adams, unstable on what is stiff.
DECLARED = (
    _adaptive(
        "dopri5",
        "the paper's solver: torchdiffeq's dopri5, each sample with steps of its own",
        edits=True,
    ),
    _fixed("euler", 1, "the paper's LACE-euler: steps of one size in t", edits=True),
    *(
        _adaptive(method, f"torchdiffeq's {method}, each sample with steps of its own")
        for method in ("dopri8", "bosh3", "adaptive_heun")
    ),
    *(
        _fixed(method, slopes, f"torchdiffeq's {method}: steps of one size in t")
        for method, slopes in {"midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4}.items()
    ),
)

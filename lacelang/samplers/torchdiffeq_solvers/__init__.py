"""The paper's flow in its own time t, by torchdiffeq's solvers (LACE eq. 7)."""

from lacelang.samplers.declaration import FINEST, Option, Sampler

_TOLERANCES = (
    Option("atol", 1e-3, 0.0, 1.0, "absolute tolerance", least=FINEST),
    Option("rtol", 1e-3, 0.0, 1.0, "relative tolerance", least=FINEST),
)
_OWN_STEPS = "each sample with steps of its own"


def _solver(
    method: str, kind: str, options: tuple[Option, ...], doc: str, edits: bool = False
) -> Sampler:
    algorithm = f"lacelang.samplers.torchdiffeq_solvers.algorithm:{kind}"
    return Sampler(method, doc, algorithm, options, settings={"method": method}, edits=edits)


def _step(slopes: int) -> tuple[Option, ...]:
    """The step of a solver that takes so many slopes in one; 10 000 steps are the most."""
    return (Option("step", 0.01, 0.0, 1.0, "step size in t", least=slopes * 1e-4),)


# torchdiffeq's `fehlberg2` is left out: at 1e-4 it misses the end of a plain linear flow by a half.
# So are its methods of Adams, unstable on what is stiff.
DECLARED = (
    _solver(
        "dopri5",
        "adaptive",
        _TOLERANCES,
        f"the paper's solver: torchdiffeq's dopri5, {_OWN_STEPS}",
        edits=True,
    ),
    _solver(
        "euler", "fixed", _step(1), "the paper's LACE-euler: steps of one size in t", edits=True
    ),
    *(
        _solver(
            name,
            "adaptive",
            _TOLERANCES,
            f"torchdiffeq's {name}, each sample with steps of its own",
        )
        for name in ("dopri8", "bosh3", "adaptive_heun")
    ),
    *(
        _solver(name, "fixed", _step(slopes), f"torchdiffeq's {name}: steps of one size in t")
        for name, slopes in {"midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4}.items()
    ),
)

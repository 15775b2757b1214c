"""The paper's flow in its own time t, by torchdiffeq's solvers (LACE eq. 7)."""

from lacelang.samplers.declaration import FINEST, Option, Sampler

_TOLERANCES = (
    Option("atol", 1e-3, 0.0, 1.0, "absolute tolerance", least=FINEST),
    Option("rtol", 1e-3, 0.0, 1.0, "relative tolerance", least=FINEST),
)


def _step(slopes: int) -> tuple[Option, ...]:
    """The step of a solver that takes so many slopes in one; 10 000 steps are the most."""
    return (Option("step", 0.01, 0.0, 1.0, "step size in t", least=slopes * 1e-4),)


_OWN, _EQUAL = "each sample with steps of its own", "steps of one size in t"
# torchdiffeq's `fehlberg2` is left out: at 1e-4 it misses the end of a plain linear flow by a half.
# So are its methods of Adams, unstable on what is stiff.
_SOLVERS = (
    ("dopri5", "adaptive", _TOLERANCES, f"the paper's solver: torchdiffeq's dopri5, {_OWN}"),
    ("dopri8", "adaptive", _TOLERANCES, f"torchdiffeq's dopri8, {_OWN}"),
    ("bosh3", "adaptive", _TOLERANCES, f"torchdiffeq's bosh3, {_OWN}"),
    ("adaptive_heun", "adaptive", _TOLERANCES, f"torchdiffeq's adaptive_heun, {_OWN}"),
    ("euler", "fixed", _step(1), f"the paper's LACE-euler: {_EQUAL}"),
    ("midpoint", "fixed", _step(2), f"torchdiffeq's midpoint: {_EQUAL}"),
    ("heun2", "fixed", _step(2), f"torchdiffeq's heun2: {_EQUAL}"),
    ("heun3", "fixed", _step(3), f"torchdiffeq's heun3: {_EQUAL}"),
    ("rk4", "fixed", _step(4), f"torchdiffeq's rk4: {_EQUAL}"),
)
DECLARED = tuple(
    Sampler(
        name,
        doc,
        f"lacelang.samplers.torchdiffeq_solvers.algorithm:{kind}",
        options,
        settings={"method": name},
        edits=name in ("dopri5", "euler"),
    )
    for name, kind, options, doc in _SOLVERS
)

"""Options that several samplers have."""

from __future__ import annotations

from lacelang.samplers.declaration import Option
from lacelang.samplers.schedule import HORIZON

FINEST = 1e-9
"""The least tolerance of an adaptive solver."""


def whole(name: str, default: int, low: int, high: int, doc: str) -> Option:
    """A whole number, its limits included."""
    return Option(name, default, low, high, doc, above=False, whole=True)


TIME = Option("time", HORIZON, 0.0, 1000.0, "length of the flow", least=1e-3)
MAX_STEPS = whole("max_steps", 1000, 1, 1_000_000, "steps before giving up")
TYPICAL = Option(
    "typical",
    1.2,
    0.0,
    1000.0,
    "how atypical of the prior, 1 on average; 0 sets no bound",
    above=False,
    of_target=True,
)
FLOW = (TIME, MAX_STEPS, TYPICAL)


def tolerance(default: float, doc: str) -> Option:
    """The tolerance of an adaptive solver."""
    return Option("tolerance", default, 0.0, 1.0, doc, least=FINEST)


def warmup(default: int) -> Option:
    """How long a chain adapts its steps."""
    return whole("warmup", default, 0, 1_000_000, "steps that adapt the step size")


def accept(default: float) -> Option:
    """The share of proposals that a chain is to accept."""
    return Option(
        "accept", default, 0.0, 0.99, "acceptance rate that steps are adapted to", least=0.01
    )

"""Conditions of the checked program and what a model knows in; energies out."""

from lacelang.compiler.condition import (
    Settings,
    balance,
    lower,
    spread_of,
)
from lacelang.compiler.editing import (
    changes,
    standing,
    step_condition,
    step_energy,
)

__all__ = [
    "Settings",
    "balance",
    "changes",
    "lower",
    "spread_of",
    "standing",
    "step_condition",
    "step_energy",
]

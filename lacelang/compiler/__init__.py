"""Conditions of the checked program and what a model knows in; energies out."""

from lacelang.compiler.condition import (
    LoadedModel,
    Settings,
    balance,
    lower,
    meaning_of,
    spread_of,
)
from lacelang.compiler.editing import (
    changes,
    standing,
    step_condition,
    step_energy,
)

__all__ = [
    "LoadedModel",
    "Settings",
    "balance",
    "changes",
    "lower",
    "meaning_of",
    "spread_of",
    "standing",
    "step_condition",
    "step_energy",
]

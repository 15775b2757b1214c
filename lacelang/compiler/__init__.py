"""Conditions of the checked program and what a model knows in; energies out."""

from lacelang.compiler.condition import (
    LoadedModel,
    balance,
    compile_condition,
    meaning_of,
    spread_of,
)
from lacelang.compiler.editing import (
    changes,
    standing,
    step_condition,
    step_energy,
)
from lacelang.compiler.lower import Settings, lower

__all__ = [
    "LoadedModel",
    "Settings",
    "balance",
    "changes",
    "compile_condition",
    "lower",
    "meaning_of",
    "spread_of",
    "standing",
    "step_condition",
    "step_energy",
]

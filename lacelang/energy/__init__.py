"""Outputs of latent classifiers in; energies in nats, and their gradients, out.

Nodes read the outputs of attribute classifiers and know neither syntax nor generators.
"""

from lacelang.energy.conditional import ConditionalEnergy, Features
from lacelang.energy.continuous import AtLeast, AtMost, Between, Equals, Penalty
from lacelang.energy.discrete import Degree, Discrete, LogitTempered
from lacelang.energy.logic import And, Balanced, Not, Or, conjunction, disjunction, negation
from lacelang.energy.modifiers import Contrast, Tempered, contrast, tempered
from lacelang.energy.node import (
    ATYPICALITY,
    DISPLACEMENT,
    Atom,
    Key,
    Node,
    Outputs,
    Quantity,
    Scope,
)
from lacelang.energy.trees import atoms, balanced, map_atoms, map_children, with_components

__all__ = [
    "ATYPICALITY",
    "DISPLACEMENT",
    "And",
    "AtLeast",
    "AtMost",
    "Atom",
    "Balanced",
    "Between",
    "ConditionalEnergy",
    "Contrast",
    "Degree",
    "Discrete",
    "Equals",
    "Features",
    "Key",
    "LogitTempered",
    "Node",
    "Not",
    "Or",
    "Outputs",
    "Penalty",
    "Quantity",
    "Scope",
    "Tempered",
    "atoms",
    "balanced",
    "conjunction",
    "contrast",
    "disjunction",
    "map_atoms",
    "map_children",
    "negation",
    "tempered",
    "with_components",
]

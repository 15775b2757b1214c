"""Outputs of latent classifiers in; energies in nats, and their gradients, out.

Nodes read the outputs of attribute classifiers and know neither syntax nor generators.
"""

# All that these modules define, so that a new node is a class in one of them alone.
from lacelang.energy.comparisons import *
from lacelang.energy.conditional import *
from lacelang.energy.formula import *
from lacelang.energy.logic import *
from lacelang.energy.node import *

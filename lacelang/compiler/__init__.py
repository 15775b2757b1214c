"""Conditions of the checked program and what a model knows in; energies out."""

from lacelang.compiler.condition import *
from lacelang.compiler.editing import *

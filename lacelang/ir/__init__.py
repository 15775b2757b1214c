"""The checked program as plain data: what `semantics` makes and all later parts read."""

# All that the modules of this folder define, so that a new kind is a class in one of them alone.
from lacelang.ir.comparisons import *
from lacelang.ir.conditions import *
from lacelang.ir.diagrams import *
from lacelang.ir.drawn import *
from lacelang.ir.models import *
from lacelang.ir.own_terms import *
from lacelang.ir.programs import *
from lacelang.ir.statements import *

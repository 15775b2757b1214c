"""The syntax tree: frozen nodes, each with the stretch of text it was read from.

Spans take no part in equality: two trees are equal when they say the same thing. What they mean
is for `lacelang.semantics` to find out.
"""

# All that the modules of this folder define, so that a new kind is a class in one of them alone.
from lacelang.syntax.node import Node as Node
from lacelang.syntax.nodes.clauses import *
from lacelang.syntax.nodes.models import *
from lacelang.syntax.nodes.predicates import *
from lacelang.syntax.nodes.statements import *
from lacelang.syntax.nodes.values import *

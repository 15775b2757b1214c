"""Statements, and the program."""

from __future__ import annotations

from typing import TypeAlias

from lacelang.syntax.node import Node
from lacelang.syntax.nodes.clauses import Clause, LayersClause
from lacelang.syntax.nodes.models import Item
from lacelang.syntax.nodes.predicates import Predicate
from lacelang.syntax.nodes.values import Quantity, Text, Value, Word


class Model(Node, rules="model"):
    """A model's declaration."""

    name: Word
    items: tuple[Item, ...]


class Import(Node, rules="import"):
    """`import faces` or `import "my/faces.lace"`."""

    target: Word | Text


class Let(Node, rules="let"):
    """`let grandpa = …`: a name for a predicate or for a number."""

    name: Word
    value: Predicate | Quantity


class Def(Node, rules="def"):
    """`def exactly_one(a, b) = …`."""

    name: Word
    parameters: tuple[Word, ...]
    body: Predicate


class Sample(Node, rules="sample"):
    """`sample 16 from ffhq where …`."""

    count: Value | None
    clauses: tuple[Clause, ...]


class Photo(Node, rules="photo"):
    """`photo "me.jpg" from ffhq face 2 as me`; inside a loop, its variable for the file."""

    file: Word | Text
    clauses: tuple[Clause, ...]


class Step(Node, rules="step"):
    """One line of an edit: `smile=1 or glasses=1`, `smile = 0 in layers 4..5`."""

    predicate: Predicate
    layers: LayersClause | None = None


class Edit(Node, rules="edit"):
    """`edit men { yaw = left  smile = 0 } as men_edited`."""

    group: Word | Text
    steps: tuple[Step, ...]
    clauses: tuple[Clause, ...]


class LoopRange(Node, rules="loop_range"):
    """`1..4` among the values of a loop: the whole numbers from the first to the last."""

    first: Value
    last: Value


class Pick(Node, rules="pick"):
    """`pick 3, 5 of men as best`, `pick 0..3 of men`; numbers count from 0, as in a sheet."""

    indices: tuple[Value | LoopRange, ...]
    group: Word | Text
    clauses: tuple[Clause, ...]


class For(Node, rules="for"):
    """`for t in 2, 1, 0.5 { … }`, `for s in 1..4 { … }`."""

    variable: Word
    values: tuple[Value | LoopRange, ...]
    body: tuple[Statement, ...]


class Measure(Node, rules="measure"):
    """`measure glasses=1 given age < 20 from ffhq`."""

    what: Predicate
    clauses: tuple[Clause, ...]


class Expect(Node, rules="expect"):
    """`expect glasses=1 in 95% of bearded_kids`; `share` is the number before the %."""

    what: Predicate
    share: Quantity
    group: Word | Text


Statement: TypeAlias = (
    Model | Import | Let | Def | Sample | Photo | Edit | Pick | For | Measure | Expect
)


class Program(Node, rules="start"):
    """A whole file."""

    statements: tuple[Statement, ...] = ()

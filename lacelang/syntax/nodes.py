"""The syntax tree: frozen nodes, each with the stretch of text it was read from.

Spans take no part in equality, so two trees are equal when they say the same thing. Everything a
person can write has a node, parentheses included, so that the formatter loses nothing; what it
means is for `lacelang.semantics` to find out.
"""

from __future__ import annotations

from typing import TypeAlias

from attrs import field, frozen

from lacelang.errors import Span


@frozen
class Node:
    """What every node carries. `span` comes last so that nodes read well in tests."""

    span: Span = field(eq=False, repr=False, kw_only=True)


# Values


@frozen
class Word(Node):
    """A name, wherever it stands."""

    name: str


@frozen
class Text(Node):
    """Something in double quotes; `value` is without them."""

    value: str


@frozen
class Quantity(Node):
    """A number with the unit that follows it, if any; `text` is the number as written."""

    text: str
    unit: Word | None = None

    @property
    def number(self) -> float:
        """The number; infinite if it is too large for a float."""
        return float(self.text)


Value: TypeAlias = Quantity | Word | Text


# Predicates


@frozen
class Comparison(Node):
    """`smile = 1`; the operator is one of = != < <= > >= ~."""

    attribute: Word
    operator: str
    value: Value


@frozen
class InRange(Node):
    """`age in 60..70`."""

    attribute: Word
    low: Value
    high: Value


@frozen
class InSet(Node):
    """`haircolor in {gray, blond}`."""

    attribute: Word
    values: tuple[Value, ...]


@frozen
class Reference(Node):
    """A name standing alone where a predicate is expected."""

    name: Word


@frozen
class Call(Node):
    """`exactly_one(smile=1, glasses=1)`; a bare name among the arguments is a `Reference`."""

    name: Word
    arguments: tuple[Predicate | Quantity, ...]


@frozen
class Parenthesis(Node):
    """A predicate in round brackets."""

    inner: Predicate


@frozen
class Setting(Node):
    """`weight 2`, `temp 0.3` or `temp logit(2)`; `form` is the word before the bracket."""

    keyword: str
    value: Value
    form: Word | None = None


@frozen
class Tuned(Node):
    """An atom or a group followed by settings in square brackets."""

    term: Predicate
    settings: tuple[Setting, ...]


@frozen
class Not(Node):
    """`not p`."""

    term: Predicate


@frozen
class And(Node):
    """`p and q and …`, two terms or more."""

    terms: tuple[Predicate, ...]


@frozen
class Or(Node):
    """`p or q or …`, two terms or more."""

    terms: tuple[Predicate, ...]


@frozen
class Xor(Node):
    """`p xor q xor …`, taken from the left."""

    terms: tuple[Predicate, ...]


@frozen
class Implies(Node):
    """`p implies q implies …`, taken from the right."""

    terms: tuple[Predicate, ...]


Atom: TypeAlias = Comparison | InRange | InSet
Predicate: TypeAlias = (
    Comparison
    | InRange
    | InSet
    | Reference
    | Call
    | Parenthesis
    | Tuned
    | Not
    | And
    | Or
    | Xor
    | Implies
)


# Clauses


@frozen
class PredicateClause(Node):
    """`where p` or `given p`."""

    keyword: str
    predicate: Predicate


@frozen
class ValueClause(Node):
    """`truncation v`, `seed v`, `stay v` or `hold v`."""

    keyword: str
    value: Value


@frozen
class TempClause(Node):
    """`temp t` or `temp logit(t)` of a whole statement."""

    setting: Setting
    keyword: str = "temp"


@frozen
class WordClause(Node):
    """`negation contrast(0.1)`, `disjunction balanced`, `sigma paper`."""

    keyword: str
    word: Word
    argument: Value | None = None


@frozen
class FromClause(Node):
    """`from ffhq`."""

    model: Word
    keyword: str = "from"


@frozen
class Option(Node):
    """`tolerance=1e-3`, an option of a sampler."""

    name: Word
    value: Value


@frozen
class WithClause(Node):
    """`with heun(tolerance=1e-3)`."""

    sampler: Word
    options: tuple[Option, ...] = ()
    keyword: str = "with"


@frozen
class AsClause(Node):
    """`as men` or `as "beard at {t}"`."""

    name: Word | Text
    keyword: str = "as"


Clause: TypeAlias = (
    PredicateClause | ValueClause | TempClause | WordClause | FromClause | WithClause | AsClause
)


# Models


@frozen
class Generator(Node):
    """`generator mobilestylegan from "random-face==2021.7.21.1" sha256 "…"`."""

    architecture: Word
    source: Text | None = None
    sha256: Text | None = None


@frozen
class Classifiers(Node):
    """`classifiers "ffhq.safetensors" on w`."""

    file: Text
    space: Word | None = None


@frozen
class WordKind(Node):
    """A kind that is one word, such as `binary`."""

    word: Word


@frozen
class ChoiceKind(Node):
    """`one of female, male`; `word` should be `one`."""

    word: Word
    values: tuple[Word, ...]


@frozen
class RangeKind(Node):
    """`-45..45 deg`."""

    low: Quantity
    high: Quantity


@frozen
class Layer(Node):
    """`4..5`, or `10` alone, where `last` is None."""

    first: Quantity
    last: Quantity | None = None


@frozen
class Point(Node):
    """`left = -25`."""

    name: Word
    value: Quantity


@frozen
class Attribute(Node):
    """`attribute yaw : -45..45 deg  layers 0..3  { left = -25, front = 0 }`."""

    name: Word
    kind: WordKind | ChoiceKind | RangeKind
    layers: tuple[Layer, ...] = ()
    points: tuple[Point, ...] = ()


# Statements


@frozen
class Model(Node):
    """A model's declaration."""

    name: Word
    items: tuple[Generator | Classifiers | Attribute, ...]


@frozen
class Import(Node):
    """`import faces` or `import "my/faces.lace"`."""

    target: Word | Text


@frozen
class Let(Node):
    """`let grandpa = …`: a name for a predicate or for a number."""

    name: Word
    value: Predicate | Quantity


@frozen
class Def(Node):
    """`def exactly_one(a, b) = …`."""

    name: Word
    parameters: tuple[Word, ...]
    body: Predicate


@frozen
class Sample(Node):
    """`sample 16 from ffhq where …`."""

    count: Value | None
    clauses: tuple[Clause, ...]


@frozen
class Edit(Node):
    """`edit men { yaw = left  smile = 0 } as men_edited`."""

    group: Word | Text
    steps: tuple[Atom | Tuned, ...]
    clauses: tuple[Clause, ...]


@frozen
class For(Node):
    """`for t in 2, 1, 0.5 { … }`."""

    variable: Word
    values: tuple[Value, ...]
    body: tuple[Statement, ...]


@frozen
class Measure(Node):
    """`measure glasses=1 given age < 20 from ffhq`."""

    what: Predicate
    clauses: tuple[Clause, ...]


@frozen
class Expect(Node):
    """`expect glasses=1 in 95% of bearded_kids`; `share` is the number before the %."""

    what: Predicate
    share: Quantity
    group: Word | Text


Statement: TypeAlias = Model | Import | Let | Def | Sample | Edit | For | Measure | Expect


@frozen
class Program(Node):
    """A whole file."""

    statements: tuple[Statement, ...] = ()

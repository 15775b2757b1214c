"""The syntax tree: frozen nodes, each with the stretch of text it was read from.

Spans take no part in equality: two trees are equal when they say the same thing. What they mean
is for `lacelang.semantics` to find out.
"""

from __future__ import annotations

from typing import TypeAlias

from attrs import field, frozen

from lacelang.errors import Span
from lacelang.record import Record
from lacelang.text.names import nfc


@frozen(eq=False, repr=False)
class Node(Record):
    """What every node carries."""

    span: Span = field(eq=False, repr=False, kw_only=True)


# Values


@frozen(eq=False, repr=False)
class Word(Node):
    """A name, wherever it stands, in NFC."""

    name: str


@frozen(eq=False, repr=False)
class Text(Node):
    """Something in double quotes; `value` is without them, as written."""

    value: str

    @property
    def name(self) -> str:
        """The text as a name, in NFC."""
        return nfc(self.value)


@frozen(eq=False, repr=False)
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


@frozen(eq=False, repr=False)
class Comparison(Node):
    """`smile = 1`; the operator is one of = != < <= > >= ~."""

    attribute: Word
    operator: str
    value: Value


@frozen(eq=False, repr=False)
class InRange(Node):
    """`age in 60..70`."""

    attribute: Word
    low: Value
    high: Value


@frozen(eq=False, repr=False)
class InSet(Node):
    """`haircolor in {gray, blond}`."""

    attribute: Word
    values: tuple[Value, ...]


@frozen(eq=False, repr=False)
class Reference(Node):
    """A name standing alone where a predicate is expected."""

    name: Word


@frozen(eq=False, repr=False)
class Call(Node):
    """`exactly_one(smile=1, glasses=1)`; a bare name among the arguments is a `Reference`."""

    name: Word
    arguments: tuple[Predicate | Quantity, ...]


@frozen(eq=False, repr=False)
class Parenthesis(Node):
    """A predicate in round brackets."""

    inner: Predicate


@frozen(eq=False, repr=False)
class Setting(Node):
    """`weight 2`, `temp 0.3` or `temp logit(2)`; `form` is the word before the bracket."""

    keyword: str
    value: Value
    form: Word | None = None


@frozen(eq=False, repr=False)
class Tuned(Node):
    """An atom or a group followed by settings in square brackets."""

    term: Predicate
    settings: tuple[Setting, ...]


@frozen(eq=False, repr=False)
class Not(Node):
    """`not p`."""

    term: Predicate


@frozen(eq=False, repr=False)
class And(Node):
    """`p and q and …`, two terms or more."""

    terms: tuple[Predicate, ...]


@frozen(eq=False, repr=False)
class Or(Node):
    """`p or q or …`, two terms or more."""

    terms: tuple[Predicate, ...]


@frozen(eq=False, repr=False)
class Xor(Node):
    """`p xor q xor …`, taken from the left."""

    terms: tuple[Predicate, ...]


@frozen(eq=False, repr=False)
class Implies(Node):
    """`p implies q implies …`, taken from the right."""

    terms: tuple[Predicate, ...]


Atom: TypeAlias = Comparison | InRange | InSet
Predicate: TypeAlias = (
    Atom | Reference | Call | Parenthesis | Tuned | Not | And | Or | Xor | Implies
)


# Clauses


@frozen(eq=False, repr=False)
class PredicateClause(Node):
    """`where p` or `given p`."""

    keyword: str
    predicate: Predicate


@frozen(eq=False, repr=False)
class ValueClause(Node):
    """`truncation v`, `seed v`, `stay v`, `hold v` or `hold all(v)`, where `form` is `all`."""

    keyword: str
    value: Value
    form: Word | None = None


@frozen(eq=False, repr=False)
class TempClause(Node):
    """`temp t` or `temp logit(t)` of a whole statement."""

    setting: Setting
    keyword: str = "temp"


@frozen(eq=False, repr=False)
class WordClause(Node):
    """`negation contrast(0.1)`, `disjunction balanced`, `sigma paper`, `reweight off`."""

    keyword: str
    word: Word
    argument: Value | None = None


@frozen(eq=False, repr=False)
class FromClause(Node):
    """`from ffhq`."""

    model: Word
    keyword: str = "from"


@frozen(eq=False, repr=False)
class Option(Node):
    """`tolerance=1e-3`, an option of a sampler."""

    name: Word
    value: Value


@frozen(eq=False, repr=False)
class WithClause(Node):
    """`with heun(tolerance=1e-3)`."""

    sampler: Word
    options: tuple[Option, ...] = ()
    keyword: str = "with"


@frozen(eq=False, repr=False)
class AsClause(Node):
    """`as men` or `as "beard at {t}"`."""

    name: Word | Text
    keyword: str = "as"


@frozen(eq=False, repr=False)
class Layer(Node):
    """`4..5`, or `10` alone, where `last` is None."""

    first: Quantity
    last: Quantity | None = None


@frozen(eq=False, repr=False)
class LayersClause(Node):
    """`layers 4..5, 10`, or `layers all`, where `word` is `all`."""

    layers: tuple[Layer, ...]
    word: Word | None = None
    keyword: str = "layers"


Clause: TypeAlias = (
    PredicateClause
    | ValueClause
    | TempClause
    | WordClause
    | FromClause
    | WithClause
    | AsClause
    | LayersClause
)


# Models


@frozen(eq=False, repr=False)
class Generator(Node):
    """`generator mobilestylegan from "random-face==2021.7.21.1" sha256 "…"`."""

    architecture: Word
    source: Text | None = None
    sha256: Text | None = None


@frozen(eq=False, repr=False)
class Classifiers(Node):
    """`classifiers "ffhq.safetensors" on w`."""

    file: Text
    space: Word | None = None


@frozen(eq=False, repr=False)
class WordKind(Node):
    """A kind that is one word, such as `binary`."""

    word: Word


@frozen(eq=False, repr=False)
class ChoiceKind(Node):
    """`one of female, male`; `word` should be `one`."""

    word: Word
    values: tuple[Word, ...]


@frozen(eq=False, repr=False)
class RangeKind(Node):
    """`-45..45 deg`."""

    low: Quantity
    high: Quantity


@frozen(eq=False, repr=False)
class Point(Node):
    """`left = -25`."""

    name: Word
    value: Quantity


@frozen(eq=False, repr=False)
class Attribute(Node):
    """`attribute yaw : -45..45 deg  layers 0..3  { left = -25, front = 0 }`."""

    name: Word
    kind: WordKind | ChoiceKind | RangeKind
    layers: tuple[Layer, ...] = ()
    points: tuple[Point, ...] = ()


# Statements


@frozen(eq=False, repr=False)
class Model(Node):
    """A model's declaration."""

    name: Word
    items: tuple[Generator | Classifiers | Attribute, ...]


@frozen(eq=False, repr=False)
class Import(Node):
    """`import faces` or `import "my/faces.lace"`."""

    target: Word | Text


@frozen(eq=False, repr=False)
class Let(Node):
    """`let grandpa = …`: a name for a predicate or for a number."""

    name: Word
    value: Predicate | Quantity


@frozen(eq=False, repr=False)
class Def(Node):
    """`def exactly_one(a, b) = …`."""

    name: Word
    parameters: tuple[Word, ...]
    body: Predicate


@frozen(eq=False, repr=False)
class Sample(Node):
    """`sample 16 from ffhq where …`."""

    count: Value | None
    clauses: tuple[Clause, ...]


@frozen(eq=False, repr=False)
class Step(Node):
    """One line of an edit: `smile=1 or glasses=1`, `smile = 0 in layers 4..5`."""

    predicate: Predicate
    layers: LayersClause | None = None


@frozen(eq=False, repr=False)
class Edit(Node):
    """`edit men { yaw = left  smile = 0 } as men_edited`."""

    group: Word | Text
    steps: tuple[Step, ...]
    clauses: tuple[Clause, ...]


@frozen(eq=False, repr=False)
class For(Node):
    """`for t in 2, 1, 0.5 { … }`."""

    variable: Word
    values: tuple[Value, ...]
    body: tuple[Statement, ...]


@frozen(eq=False, repr=False)
class Measure(Node):
    """`measure glasses=1 given age < 20 from ffhq`."""

    what: Predicate
    clauses: tuple[Clause, ...]


@frozen(eq=False, repr=False)
class Expect(Node):
    """`expect glasses=1 in 95% of bearded_kids`; `share` is the number before the %."""

    what: Predicate
    share: Quantity
    group: Word | Text


Statement: TypeAlias = Model | Import | Let | Def | Sample | Edit | For | Measure | Expect


@frozen(eq=False, repr=False)
class Program(Node):
    """A whole file."""

    statements: tuple[Statement, ...] = ()

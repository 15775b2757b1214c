"""The syntax tree: frozen nodes, each with the stretch of text it was read from.

Spans take no part in equality: two trees are equal when they say the same thing. What they mean
is for `lacelang.semantics` to find out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, TypeAlias

from lacelang.errors import Span
from lacelang.syntax.node import Node as Node
from lacelang.text.names import nfc

# Values


class Word(Node):
    """A name, wherever it stands, in NFC."""

    name: str


class Text(Node):
    """Something in double quotes; `value` is without them, as written."""

    value: str

    @property
    def name(self) -> str:
        """The text as a name, in NFC."""
        return nfc(self.value)


class Quantity(Node, rules="quantity share"):
    """A number with the unit that follows it, if any; `text` is the number as written."""

    text: str
    unit: Word | None = None

    @classmethod
    def read(cls, parts: Sequence[Any], span: Span) -> Self:
        """Return the node; its number is a node already."""
        number, *unit = parts
        return cls(number.text, *unit, span=span)

    @property
    def number(self) -> float:
        """The number; infinite if it is too large for a float."""
        return float(self.text)


Value: TypeAlias = Quantity | Word | Text


# Predicates


class Comparison(Node, rules="comparison"):
    """`smile = 1`; the operator is one of = != < <= > >= ~."""

    attribute: Word
    operator: str
    value: Value


class InRange(Node, rules="range_comparison"):
    """`age in 60..70`."""

    attribute: Word
    low: Value
    high: Value


class InSet(Node, rules="set_comparison"):
    """`haircolor in {gray, blond}`."""

    attribute: Word
    values: tuple[Value, ...]


class Choice(Node, rules="choice"):
    """`black: 3` among the values that `each` draws from; without a weight it has weight 1."""

    value: Value
    weight: Quantity | None = None


class DrawnFromSet(Node, rules="drawn_from_set"):
    """`haircolor = each {black: 3, blond: 1}`."""

    attribute: Word
    choices: tuple[Choice, ...]


class DrawnFromRange(Node, rules="drawn_from_range"):
    """`age = each 20..60`."""

    attribute: Word
    low: Value
    high: Value


class Reference(Node, rules="reference"):
    """A name standing alone where a predicate is expected."""

    name: Word


class Call(Node, rules="call"):
    """`exactly_one(smile=1, glasses=1)`; a bare name among the arguments is a `Reference`."""

    name: Word
    arguments: tuple[Predicate | Quantity, ...]


class Parenthesis(Node, rules="parenthesis"):
    """A predicate in round brackets."""

    inner: Predicate


class _Formed(Node):
    keyword: str
    value: Value
    form: Word | None = None

    @classmethod
    def read(cls, parts: Sequence[Any], span: Span) -> Self:
        """Return the node; the word before the bracket comes before the value in it."""
        keyword, *form, value = parts
        return cls(keyword, value, *form, span=span)


class Setting(_Formed, rules="weight temp"):
    """`weight 2`, `temp 0.3` or `temp logit(2)`; `form` is the word before the bracket."""


class Tuned(Node, rules="tuned"):
    """An atom or a group followed by settings in square brackets."""

    term: Predicate
    settings: tuple[Setting, ...]


class Not(Node, rules="negation"):
    """`not p`."""

    term: Predicate


class _Joined(Node):
    terms: tuple[Predicate, ...]


class And(_Joined, rules="conjunction"):
    """`p and q and …`, two terms or more."""


class Or(_Joined, rules="disjunction"):
    """`p or q or …`, two terms or more."""


class Xor(_Joined, rules="exclusion"):
    """`p xor q xor …`, taken from the left."""


class Implies(_Joined, rules="implication"):
    """`p implies q implies …`, taken from the right."""


Drawn: TypeAlias = DrawnFromSet | DrawnFromRange
Atom: TypeAlias = Comparison | InRange | InSet | Drawn
Predicate: TypeAlias = (
    Atom | Reference | Call | Parenthesis | Tuned | Not | And | Or | Xor | Implies
)


# Clauses


class PredicateClause(Node, rules="predicate_clause"):
    """`where p` or `given p`."""

    keyword: str
    predicate: Predicate


class ValueClause(_Formed, rules="value_clause"):
    """`truncation v`, `seed v`, `stay v`, `hold v` or `hold all(v)`, where `form` is `all`."""


class TempClause(Node, rules="temp_clause"):
    """`temp t` or `temp logit(t)` of a whole statement."""

    setting: Setting
    keyword: ClassVar[str] = "temp"


class WordClause(Node, rules="word_clause"):
    """`negation contrast(0.1)`, `disjunction balanced`, `sigma paper`, `reweight off`."""

    keyword: str
    word: Word
    argument: Value | None = None


class FromClause(Node, rules="from_clause"):
    """`from ffhq`."""

    model: Word
    keyword: ClassVar[str] = "from"


class Option(Node, rules="option"):
    """`tolerance=1e-3`, an option of a sampler."""

    name: Word
    value: Value


class WithClause(Node, rules="with_clause"):
    """`with heun(tolerance=1e-3)`."""

    sampler: Word
    options: tuple[Option, ...] = ()
    keyword: ClassVar[str] = "with"


class AsClause(Node, rules="as_clause"):
    """`as men` or `as "beard at {t}"`."""

    name: Word | Text
    keyword: ClassVar[str] = "as"


class VerifiedClause(Node, rules="verified_clause"):
    """`verified`, or `verified(4)` with the most candidates for each sample."""

    tries: Value | None = None
    keyword: ClassVar[str] = "verified"


class Layer(Node, rules="layer"):
    """`4..5`, or `10` alone, where `last` is None."""

    first: Quantity
    last: Quantity | None = None


class LayersClause(Node, rules="layers_clause"):
    """`layers 4..5, 10`, or `layers all`, where `word` is `all`."""

    layers: tuple[Layer, ...]
    word: Word | None = None

    @classmethod
    def read(cls, parts: Sequence[Any], span: Span) -> Self:
        """Return the node; its parts are a word or layers."""
        is_word = isinstance(parts[0], Word)
        return cls(() if is_word else tuple(parts), parts[0] if is_word else None, span=span)

    keyword: ClassVar[str] = "layers"


Clause: TypeAlias = (
    PredicateClause
    | ValueClause
    | TempClause
    | WordClause
    | FromClause
    | WithClause
    | AsClause
    | LayersClause
    | VerifiedClause
)


# Models


class Generator(Node, rules="generator"):
    """`generator mobilestylegan from "random-face==2021.7.21.1" sha256 "…"`."""

    architecture: Word
    source: Text | None = None
    sha256: Text | None = None


class Classifiers(Node, rules="classifiers"):
    """`classifiers "ffhq.safetensors" on w`."""

    file: Text
    space: Word | None = None


class WordKind(Node, rules="word_kind"):
    """A kind that is one word, such as `binary`."""

    word: Word


class ChoiceKind(Node, rules="choice_kind"):
    """`one of female, male`; `word` should be `one`."""

    word: Word
    values: tuple[Word, ...]


class RangeKind(Node, rules="range_kind"):
    """`-45..45 deg`."""

    low: Quantity
    high: Quantity


class Point(Node, rules="point"):
    """`left = -25`."""

    name: Word
    value: Quantity


class Attribute(Node, rules="attribute"):
    """`attribute yaw : -45..45 deg  layers 0..3  { left = -25, front = 0 }`."""

    name: Word
    kind: WordKind | ChoiceKind | RangeKind
    layers: tuple[Layer, ...] = ()
    points: tuple[Point, ...] = ()


Item: TypeAlias = Generator | Classifiers | Attribute


# Statements


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


Statement: TypeAlias = Model | Import | Let | Def | Sample | Edit | For | Measure | Expect


class Program(Node, rules="start"):
    """A whole file."""

    statements: tuple[Statement, ...] = ()

"""Conditions as Python values: the operators build the nodes that the parser builds.

    from lacelang import attr

    wanted = (attr("glasses") == 1) & ~(attr("yaw") == "front") | (attr("age") > 60)

What a condition prints as (`str`) is its source text, and is read back as the same tree. Python's
`&` binds tighter than `==`, so every comparison stands in round brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Literal, NoReturn, TypeVar

from attrs import frozen

from lacelang import arguments
from lacelang.arguments import shown
from lacelang.embedding.values import Value, number_of, read_definition, value_of, word_of
from lacelang.errors import UsageError
from lacelang.ir import OwnTerm
from lacelang.syntax import nodes
from lacelang.syntax.format import unparse

MAX_DEPTH = 64
"""How deep a condition may nest; the text of a deeper one would be refused."""

_BRACKETS = (
    'put round brackets around every comparison, like `(attr("smile") == 1) & (attr("age") > 60)`'
)

_SEVERAL = "several values, like a list"

N = TypeVar("N", bound=nodes.Predicate)
J = TypeVar("J", nodes.And, nodes.Or, nodes.Xor, nodes.Implies)

# The loosest first; an operand that binds less tight than its place asks is bracketed.
_FORMS = (nodes.Implies, nodes.Or, nodes.Xor, nodes.And, nodes.Not, nodes.Tuned)
_BARE = len(_FORMS)

_BRACKETED = nodes.Parenthesis | nodes.Not | nodes.InSet | nodes.DrawnFromSet | nodes.Call


@frozen(repr=False)
class Condition:
    """A condition on the attributes of some model: immutable, hashable, equal by what it says.

    `a & b`, `a | b`, `a ^ b`, `~a` and `a.implies(b)` join conditions as `and`, `or`, `xor`, `not`
    and `implies` do. `str(a)` is its text.

    Attributes:
        node: its syntax tree.
        terms: those of `lacelang.term` that it names.

    Raises:
        UsageError: it nests too deep, or something else than a condition is joined to it.
    """

    # numpy's numbers leave operators to the class that has this.
    __array_ufunc__: ClassVar[None] = None

    node: nodes.Predicate
    terms: tuple[OwnTerm, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        """Both hold: `a and b`."""
        return _joined(nodes.And, "both", self, other)

    def __or__(self, other: Condition) -> Condition:
        """At least one holds: `a or b`."""
        return _joined(nodes.Or, "both", self, other)

    def __xor__(self, other: Condition) -> Condition:
        """Exactly one holds: `a xor b`."""
        return _joined(nodes.Xor, "first", self, other)

    def implies(self, other: Condition) -> Condition:
        """If this holds, the other does: `a implies b`."""
        if not isinstance(other, Condition | Attr):
            arguments.refuse(other, "other", "is a condition")
        return _joined(nodes.Implies, "last", self, other)

    def __invert__(self) -> Condition:
        """It does not hold: `not a`."""
        inner = self._operand(_FORMS.index(nodes.Not))
        return Condition(_nested(nodes.Not(inner)), self.terms)

    def weight(self, weight: float) -> Condition:
        """Multiply its energy under `and`, its odds under `or`: `a [weight 2]`."""
        return self._tuned("weight", weight)

    def temp(self, temp: float) -> Condition:
        """Divide its energy: `a [temp 0.5]`. Below 1 it is stricter."""
        return self._tuned("temp", temp)

    def logit_temp(self, temp: float) -> Condition:
        """Set the paper's temperature of the logits: `a [temp logit(2)]` (LACE A.10)."""
        return self._tuned("temp", temp, nodes.Word("logit"))

    def __str__(self) -> str:
        return unparse(self.node)

    def __repr__(self) -> str:
        return f"<Condition {self}>"

    def __bool__(self) -> NoReturn:
        raise UsageError(
            "a condition is neither true nor false in Python: join conditions by `&`, `|` and `~` "
            "instead of `and`, `or` and `not`, and write `.between(60, 70)` instead of a chain "
            f"of comparisons; {_BRACKETS}"
        )

    def __rand__(self, other: object) -> NoReturn:
        _refuse(other)

    __ror__ = __rxor__ = __rand__

    def _operand(self, tightness: int) -> nodes.Predicate:
        """Return the node, in brackets where its place needs them."""
        kind = type(self.node)
        if (_FORMS.index(kind) if kind in _FORMS else _BARE) >= tightness:
            return self.node
        return _nested(nodes.Parenthesis(self.node))

    def _tuned(self, keyword: str, value: float, form: nodes.Word | None = None) -> Condition:
        setting = nodes.Setting(keyword, number_of(value, keyword), form)
        node = self.node
        if isinstance(node, nodes.Tuned) and all(each.keyword != keyword for each in node.settings):
            return Condition(nodes.Tuned(node.term, (*node.settings, setting)), self.terms)
        tuned = nodes.Tuned(self._operand(_BARE), (setting,))
        return Condition(_nested(tuned), self.terms)


def _comparing(operator: str) -> Callable[[Attr, Value], Condition]:
    """Return what compares an attribute with a value by one of the language's operators."""

    def compare(self: Attr, value: Value) -> Condition:
        if isinstance(value, Attr | Condition):
            other = repr(value) if isinstance(value, Attr) else "a condition"
            raise UsageError(
                f"an attribute is compared with a value, not with {other}; {_BRACKETS}"
            )
        node = value_of(_member(value) if operator in ("=", "!=") else value, "value")
        return Condition(nodes.Comparison(self._word, operator, node))

    return compare


class Attr:
    """An attribute by its name, to be compared: `attr("age") > 60`.

    Whether a model has it, and which values it takes, is looked at when a program is made.
    """

    __slots__ = ("_word", "name")
    __array_ufunc__: ClassVar[None] = None
    # `==` makes a condition, so that no table of attributes could tell two of them apart.
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self._word = word_of(name, "the name of an attribute")
        self.name = self._word.name

    __eq__ = _comparing("=")  # type: ignore[assignment]
    __ne__ = _comparing("!=")  # type: ignore[assignment]
    __lt__ = _comparing("<")
    __le__ = _comparing("<=")
    __gt__ = _comparing(">")
    __ge__ = _comparing(">=")

    def between(self, low: Value, high: Value) -> Condition:
        """It lies between two values: `age in 60..70`."""
        ends = value_of(low, "low"), value_of(high, "high")
        return Condition(nodes.InRange(self._word, *ends))

    def isin(self, values: Collection[Value]) -> Condition:
        """It has one of the values: `haircolor in {gray, blond}`.

        A Python set is written in alphabetical order, anything else in its own.
        """
        found = tuple(value_of(value, "values") for value in _members(values))
        return Condition(nodes.InSet(self._word, found))

    def each(self, values: Collection[Value]) -> Condition:
        """Every sample gets one of the values: `haircolor = each {black: 3, blond: 1}`.

        A mapping gives their weights. A Python set is written in alphabetical order.
        """
        weights = values if isinstance(values, Mapping) else {}
        choices = [
            nodes.Choice(
                value_of(_member(value), "values"),
                number_of(weights[value], "a weight of `values`") if weights else None,
            )
            for value in _members(values)
        ]
        return Condition(nodes.DrawnFromSet(self._word, tuple(choices)))

    def each_between(self, low: Value, high: Value) -> Condition:
        """Every sample gets a number between two values: `age = each 20..60`."""
        ends = value_of(low, "low"), value_of(high, "high")
        return Condition(nodes.DrawnFromRange(self._word, *ends))

    def degree(self, degree: float) -> Condition:
        """The classifier gives it the probability `degree`: `smile ~ 0.6`."""
        value = number_of(degree, "degree")
        return Condition(nodes.Comparison(self._word, "~", value))

    def __repr__(self) -> str:
        return f"attr({self.name!r})"

    def __bool__(self) -> NoReturn:
        _refuse(self)

    __invert__ = __bool__

    def __and__(self, other: object) -> NoReturn:
        _refuse(self)

    __or__ = __xor__ = __and__

    def __rand__(self, other: object) -> NoReturn:
        _refuse(self if isinstance(other, Condition) else other)

    __ror__ = __rxor__ = __rand__


def attr(name: str) -> Attr:
    """Return the attribute called `name`, to be compared; a UsageError says that it is no name."""
    return Attr(name)


def condition(text: str) -> Condition:
    """Return the condition that `text` says, as after `where`; it may use names of definitions.

    Raises:
        ProgramError: with every syntax error in it.
        UsageError: it is not one condition.
    """
    text = arguments.text(text, "text", "the text of a condition")
    node = read_definition(text)
    if isinstance(node, nodes.Quantity):
        raise UsageError(f"`text`: {shown(text.strip())} is a number, not a condition")
    return Condition(node)


def _joined(
    kind: type[J], merged: Literal["both", "first", "last"], first: Condition, last: Condition
) -> Condition:
    """Join two conditions; an operand of the same kind is merged where that changes nothing.

    `merged` says which operands may be: `xor` is taken from the left, `implies` from the right.
    """
    if not isinstance(last, Condition):
        _refuse(last)
    terms: list[nodes.Predicate] = []
    for operand, side in ((first, "first"), (last, "last")):
        if isinstance(operand.node, kind) and merged in ("both", side):
            terms.extend(operand.node.terms)
        else:
            terms.append(operand._operand(_FORMS.index(kind) + 1))
    return Condition(kind(tuple(terms)), tuple(dict.fromkeys((*first.terms, *last.terms))))


def _nested(node: N) -> N:
    """Return a node that nests deeper than what it is made of, unless that is too deep."""
    if _depth(node) > MAX_DEPTH:
        raise UsageError(f"this condition nests more than {MAX_DEPTH} levels deep")
    return node


def _depth(node: nodes.Node) -> int:
    """How many brackets of its text are open at once, a `not` being one as well."""
    inner = max(map(_depth, node.parts), default=0)
    if isinstance(node, nodes.Tuned):
        return max(inner, 1) + 1
    return inner + isinstance(
        node, nodes.Parenthesis | nodes.Not | nodes.InSet | nodes.DrawnFromSet | nodes.Call
    )


def _member(value: Any) -> Any:
    """A value that an attribute may equal; True and False are 1 and 0 there."""
    plain = arguments.item(value)
    return int(plain) if isinstance(plain, bool) else plain


def _members(values: Collection[Value]) -> list[Any]:
    """Return the values of a collection, those of a Python set in alphabetical order."""
    members = [_member(value) for value in arguments.several(values, "values", _SEVERAL)]
    if not members:
        raise UsageError("`values` holds at least one value")
    if isinstance(values, set | frozenset):
        members.sort(key=_alphabetical)
    return members


def _alphabetical(value: object) -> tuple[bool, str | float]:
    """The key that values are sorted by: numbers come first."""
    if isinstance(value, str):
        return True, str.__str__(value)
    return False, arguments.real(value, "values")


def _refuse(value: object) -> NoReturn:
    """Say what is wrong with something that stands where a condition is wanted."""
    if isinstance(value, Attr):
        raise UsageError(
            f"{value!r} alone is no condition; say what it should be, like `{value!r} == 1`"
        )
    raise UsageError(f"a condition is wanted, not {shown(value)}; {_BRACKETS}")

"""What sliders can act on: the `sample` and `edit` statements of a program, as far as it is read.

A slider is a view of the text. A term of the topmost `and` of a condition, or of a line of an edit,
that compares one attribute with plain values is shown as a setting of that attribute. What else a
condition says of an attribute stays text, and is shown beside its slider.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from lacelang import ir
from lacelang.language.document import Document
from lacelang.semantics.context import Module
from lacelang.syntax import nodes
from lacelang.syntax.lines import Lines, with_line_feeds

Form: TypeAlias = Literal["any", "is", "above", "below", "between", "degree", "text"]
"""How a condition is about an attribute: not at all, by one of five comparisons, or otherwise."""

_FORMS: Mapping[str, Form] = {
    "=": "is",
    ">": "above",
    ">=": "above",
    "<": "below",
    "<=": "below",
    "~": "degree",
}


@frozen
class Setting:
    """What a condition says of one attribute.

    Attributes:
        values: none, one or two: numbers, or a class by its name.
        term: the term that says so, with its settings in brackets; None where there is none.
        beside: the texts of other terms that mention the attribute.
    """

    form: Form = "any"
    values: tuple[float | str, ...] = ()
    term: nodes.Predicate | None = None
    beside: tuple[str, ...] = ()


@frozen(eq=False)
class Target:
    """A statement that sliders can act on.

    Attributes:
        node: its `sample` or `edit`.
        name: of its group as it is written, or the one that the program gives it.
        model: of its samples; None where that is not known.
        settings: by attribute, for each of the model's.
    """

    node: nodes.Sample | nodes.Edit
    name: str
    model: ir.ModelSpec | None
    settings: Mapping[str, Setting] = field(factory=dict)

    @property
    def clauses(self) -> Mapping[str, nodes.Clause]:
        """Its clauses by keyword."""
        return {clause.keyword: clause for clause in self.node.clauses}

    @property
    def where(self) -> nodes.PredicateClause | None:
        """The condition of a `sample`."""
        found = self.clauses.get("where")
        return found if isinstance(found, nodes.PredicateClause) else None


@frozen(eq=False)
class Reading:
    """A text as far as it can be read.

    Attributes:
        broken: the text has errors of syntax, so that nothing can be changed in it.
        groups: all groups that it makes, and their models; None where that is not known.
        picks: its `pick` statements, by the names of their groups.
    """

    text: str
    targets: tuple[Target, ...] = ()
    broken: bool = False
    groups: Mapping[str, ir.ModelSpec | None] = field(factory=dict)
    picks: Mapping[str, nodes.Pick] = field(factory=dict)

    def place(self, node: nodes.Node) -> tuple[int, int]:
        """Return the offsets at which a node begins and ends."""
        return Lines(with_line_feeds(self.text)).offsets(node.span)

    def written(self, node: nodes.Node) -> str:
        """Return the text of a node."""
        begin, end = self.place(node)
        return self.text[begin:end]

    def find(self, name: str | None) -> Target | None:
        """Return the target of that name, or the last one."""
        named = [target for target in self.targets if target.name == name]
        return next(reversed(named or self.targets), None)


def read_targets(document: Document) -> Reading:
    """Return the statements of a program that sliders can act on; never raises for its errors."""
    module, known = document.examined.module, document.scope.models
    # Codes of the text itself begin with a zero.
    unread = any(one.code < "LACE1" for one in document.examined.errors)
    reading = Reading(document.text, (), unread)
    # A loop makes groups of other names than its statements have here.
    made = document.examined.groups.models
    models: dict[str, ir.ModelSpec | None] = {}
    targets: list[Target] = []
    picks: dict[str, nodes.Pick] = {}
    for node in _statements(module.program.statements):
        kind = type(node).__name__.lower()
        named = next((c.name for c in node.clauses if isinstance(c, nodes.AsClause)), None)
        name = named.name if named is not None else _numbered(kind, models)
        word = next((c.model for c in node.clauses if isinstance(c, nodes.FromClause)), None)
        model = known.get(word.name) if word is not None else None
        if not isinstance(node, nodes.Sample) and model is None:
            model = models.get(node.group.name) or made.get(node.group.name)
        models[name] = model
        if isinstance(node, nodes.Pick):
            picks[name] = node
            continue
        terms = list(_terms(node))
        settings = {} if model is None else _settings(model, terms, module, reading)
        targets.append(Target(node, name, model, settings))
    return evolve(reading, targets=tuple(targets), groups={**made, **models}, picks=picks)


def _numbered(kind: str, taken: Container[str]) -> str:
    """Return the name of a group that the program gives none."""
    number = 1
    while f"{kind}{number}" in taken:
        number += 1
    return f"{kind}{number}"


def _statements(
    found: Sequence[nodes.Statement],
) -> Iterator[nodes.Sample | nodes.Edit | nodes.Pick]:
    for node in found:
        if isinstance(node, nodes.Sample | nodes.Edit | nodes.Pick):
            yield node
        elif isinstance(node, nodes.For):
            yield from _statements(node.body)


def _terms(node: nodes.Sample | nodes.Edit) -> Iterator[nodes.Predicate]:
    """Yield the terms of the topmost `and` of a condition, or of every line of an edit."""
    if isinstance(node, nodes.Edit):
        for step in node.steps:
            yield from conjuncts(step.predicate)
        return
    for clause in node.clauses:
        if isinstance(clause, nodes.PredicateClause) and clause.keyword == "where":
            yield from conjuncts(clause.predicate)


def conjuncts(predicate: nodes.Predicate) -> Iterator[nodes.Predicate]:
    """Yield the terms of a condition's topmost `and`, through round brackets."""
    if isinstance(predicate, nodes.And):
        for term in predicate.terms:
            yield from conjuncts(term)
    elif isinstance(predicate, nodes.Parenthesis) and isinstance(predicate.inner, nodes.And):
        yield from conjuncts(predicate.inner)
    else:
        yield predicate


def bare(term: nodes.Predicate) -> nodes.Predicate:
    """Return a term without the settings in square brackets behind it."""
    return term.term if isinstance(term, nodes.Tuned) else term


def _settings(
    model: ir.ModelSpec,
    terms: Sequence[nodes.Predicate],
    module: Module,
    reading: Reading,
) -> dict[str, Setting]:
    found: dict[str, Setting] = {attribute.name: Setting() for attribute in model.attributes}
    beside: dict[str, list[str]] = {name: [] for name in found}
    for term in terms:
        atom = bare(term)
        own = getattr(atom, "attribute", None)
        name = own.name if isinstance(own, nodes.Word) else None
        if name in found:
            before = found[name].term
            if before is not None:
                beside[name].append(reading.written(before))
            form, values = _said(atom, model.attribute(name))
            found[name] = Setting(form, values, term)
            continue
        for each in _mentioned(term, module, frozenset()) & found.keys():
            beside[each].append(reading.written(term))
    return {
        name: Setting(said.form, said.values, said.term, tuple(beside[name]))
        for name, said in found.items()
    }


def _said(atom: nodes.Predicate, attribute: ir.Attribute) -> tuple[Form, tuple[float | str, ...]]:
    """Return what an atom says of its attribute, if sliders can say it, too."""
    otherwise: tuple[Form, tuple[float | str, ...]] = ("text", ())
    if isinstance(atom, nodes.InRange) and not attribute.discrete:
        ends = [_number(value, attribute) for value in (atom.low, atom.high)]
        return (
            ("between", tuple(e for e in ends if e is not None)) if None not in ends else otherwise
        )
    if not isinstance(atom, nodes.Comparison):
        return otherwise
    form = _FORMS.get(atom.operator, "text")
    if attribute.discrete:
        word = atom.value.name if isinstance(atom.value, nodes.Word) else None
        if isinstance(atom.value, nodes.Quantity):
            word = atom.value.text
        if form == "is" and word in attribute.values:
            return "is", (str(word),)
        degree = isinstance(atom.value, nodes.Quantity) and attribute.kind == "binary"
        if form == "degree" and degree and isinstance(atom.value, nodes.Quantity):
            return "degree", (atom.value.number,)
        return otherwise
    number = _number(atom.value, attribute)
    if number is None or form not in ("is", "above", "below"):
        return otherwise
    return form, (number,)


def _number(value: nodes.Value, attribute: ir.Attribute) -> float | None:
    if isinstance(value, nodes.Quantity):
        return value.number
    points = attribute.points if isinstance(attribute, ir.ContinuousAttribute) else {}
    return points.get(value.name) if isinstance(value, nodes.Word) else None


def _mentioned(node: nodes.Node, module: Module, seen: frozenset[str]) -> set[str]:
    """Names of attributes in a term, those of the definitions that it uses included."""
    found: set[str] = set()
    attribute = getattr(node, "attribute", None)
    if isinstance(attribute, nodes.Word):
        found.add(attribute.name)
    if isinstance(node, nodes.Reference | nodes.Call):
        name = node.name.name
        definition = module.named.get(name)
        if definition is not None and name not in seen:
            body = definition.node
            inner = body.value if isinstance(body, nodes.Let) else body.body
            found |= _mentioned(inner, definition.module, seen | {name})
    for part in node.parts:
        found |= _mentioned(part, module, seen)
    return found

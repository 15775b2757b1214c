"""Conditions: definitions expanded, operators reduced to three, settings attached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from attrs import evolve, frozen

from lacelang import ir
from lacelang.errors import Span
from lacelang.semantics.atoms import Comparisons
from lacelang.semantics.display import (
    grouped,
    is_plain,
    placed,
    span_in_program,
    unknown_name,
    with_settings,
)
from lacelang.semantics.report import LostError, Report
from lacelang.semantics.scope import Binding, Definition, Frame, Site
from lacelang.semantics.settings import Settings, settings_of
from lacelang.syntax import nodes

MAX_TERMS = 10_000
"""How many comparisons one condition may come to when all its definitions are written out."""

MAX_DEPTH = 150
"""How deep a condition may become when all its definitions are written out."""

Role: TypeAlias = Literal["root", "and", "or", "not", "xor", "implies"]


@frozen
class Place:
    """Where in a condition something stands.

    Attributes:
        role: the operator above.
        barred: the operator further up under which `temp logit(…)` is refused, if any.
        logit: temperature of the logits that a group around gives to its discrete atoms.
        depth: number of nodes above, definitions written out.
    """

    role: Role = "root"
    barred: str | None = None
    logit: float | None = None
    depth: int = 0

    def under(self, role: Role) -> Place:
        """Return the place of an operand."""
        barred = self.barred or (role if role in ("not", "xor", "implies") else None)
        return Place(role, barred, self.logit, self.depth + 1)


class TooLargeError(Exception):
    """The condition outgrows `MAX_TERMS` or `MAX_DEPTH`; the text says which."""


class Conditions:
    """Turns the conditions of one statement to predicates.

    `model` is None where a definition is looked at that no statement uses: then only names and
    numbers of arguments are checked.
    """

    def __init__(self, model: ir.ModelSpec | None, report: Report) -> None:
        self.report = report
        self.comparisons = Comparisons(model, report) if model is not None else None
        self._left = MAX_TERMS
        self._sizes: dict[int, tuple[ir.Predicate, int]] = {}

    def resolve(self, node: nodes.Predicate, frame: Frame) -> ir.Predicate | None:
        """Return the predicate, or None if anything in it is wrong; that has been reported."""
        self._left = MAX_TERMS
        try:
            predicate = self._resolve(node, frame, Place())
            if self._size(predicate) > MAX_TERMS:
                self._grow(MAX_TERMS + 1)
            return predicate
        except LostError:
            return None
        except TooLargeError as outgrown:
            hint = "say it in several statements"
            self.report.say("LACE307", f"this condition {outgrown}", node, frame, hint)
            return None

    def _resolve(self, node: nodes.Predicate, frame: Frame, place: Place) -> ir.Predicate:
        if place.depth > MAX_DEPTH:
            raise TooLargeError(f"nests more than {MAX_DEPTH} levels deep, definitions written out")
        match node:
            case nodes.Parenthesis():
                return self._resolve(node.inner, frame, evolve(place, depth=place.depth + 1))
            case nodes.Comparison() | nodes.InRange() | nodes.InSet():
                return self._atom(node, frame, place)
            case nodes.And() | nodes.Or():
                return self._joined(node, frame, place)
            case nodes.Not():
                term = self._resolve(node.term, frame, place.under("not"))
                return self._not(term, span_in_program(node, frame))
            case nodes.Reference():
                return self._reference(node, frame, place)
            case nodes.Tuned():
                return self._tuned(node, frame, place)
            case nodes.Call():
                return self._call(node, frame, place)
            case nodes.Xor():
                return self._xor(node, frame, place)
            case nodes.Implies():
                terms = self._operands(node.terms, frame, place.under("implies"))
                span = span_in_program(node, frame)
                denied = [self._not(term, span) for term in terms[:-1]]
                text = " implies ".join(grouped(term) for term in terms)
                return evolve(self._join(ir.Or, [*denied, terms[-1]], span), text=text)

    # Atoms

    def _atom(self, node: nodes.Atom, frame: Frame, place: Place) -> ir.Predicate:
        self._grow(1)
        word, where = self._named(node.attribute, frame)
        if self.comparisons is None:
            raise LostError
        attribute = self.comparisons.attribute(word, where)
        if isinstance(node, nodes.Comparison):
            atom = self.comparisons.compare(node, attribute, frame)
        elif isinstance(node, nodes.InRange):
            atom = self.comparisons.in_range(node, attribute, frame)
        else:
            atom = self.comparisons.in_set(node, attribute, frame)
        atom = placed(atom, span_in_program(node, frame))
        if place.logit is not None and isinstance(atom, ir.Discrete | ir.Degree):
            atom = evolve(atom, logit_temp=place.logit)
        return atom

    def _named(self, word: nodes.Word, frame: Frame) -> tuple[nodes.Word, Frame]:
        """Return the attribute's name, through a parameter if it is one, and where it stands."""
        binding = frame.bindings.get(word.name)
        if binding is None:
            return word, frame
        binding.used = True
        argument = binding.argument
        if argument is None:
            raise LostError
        if isinstance(argument, nodes.Reference):
            argument = argument.name
        if not isinstance(argument, nodes.Word):
            self._not_an_attribute(word, argument, binding, frame)
            raise LostError
        return self._named(argument, binding.frame)

    def _not_an_attribute(
        self, word: nodes.Word, argument: nodes.Node, binding: Binding, frame: Frame
    ) -> None:
        known = self.comparisons.model.attributes if self.comparisons is not None else ()
        if any(attribute.name == word.name for attribute in known):
            message = f"`{word.name}` stands for something else here and hides the attribute"
            self.report.say("LACE118", message, word, frame, "give the other one another name")
            return
        message = f"the name of an attribute is wanted here: `{word.name}` is compared with a value"
        self.report.say("LACE118", message, argument, binding.frame)

    # Operators

    def _joined(self, node: nodes.And | nodes.Or, frame: Frame, place: Place) -> ir.Predicate:
        kind: type[ir.And | ir.Or] = ir.And if isinstance(node, nodes.And) else ir.Or
        role: Role = "and" if kind is ir.And else "or"
        terms = self._operands(node.terms, frame, place.under(role))
        span = span_in_program(node, frame)
        if kind is ir.Or and all(term.weight == 0 for term in terms):
            message = "every arm of this `or` has weight 0: nothing is left of it"
            self.report.say("LACE218", message, node, frame)
            raise LostError
        return self._join(kind, terms, span)

    def _operands(
        self, operands: Sequence[nodes.Predicate], frame: Frame, place: Place
    ) -> list[ir.Predicate]:
        """Resolve all operands, so that one mistake does not hide the next."""
        terms, lost = [], False
        for operand in operands:
            try:
                terms.append(self._resolve(operand, frame, place))
            except LostError:
                lost = True
        if lost:
            raise LostError
        return terms

    def _join(
        self, kind: type[ir.And | ir.Or], terms: Sequence[ir.Predicate], span: Span
    ) -> ir.Predicate:
        flat: list[ir.Predicate] = []
        for term in terms:
            if isinstance(term, kind) and is_plain(term):
                flat.extend(evolve(inner, via=(*term.via, *inner.via)) for inner in term.terms)
            else:
                flat.append(term)
        word = " and " if kind is ir.And else " or "
        return kind(tuple(flat), span=span, text=word.join(grouped(t) for t in flat))

    def _not(self, term: ir.Predicate, span: Span) -> ir.Predicate:
        return ir.Not(term, span=span, text=f"not {grouped(term)}")

    def _xor(self, node: nodes.Xor, frame: Frame, place: Place) -> ir.Predicate:
        terms = self._operands(node.terms, frame, place.under("xor"))
        span = span_in_program(node, frame)
        result = terms[0]
        for term in terms[1:]:
            # Each step writes both sides twice.
            self._grow(self._size(result) + self._size(term))
            either = self._join(ir.Or, [result, term], span)
            both = self._join(ir.And, [result, term], span)
            result = self._join(ir.And, [either, self._not(both, span)], span)
            result = evolve(result, text=" xor ".join(grouped(t) for t in terms))
        return result

    # Settings in brackets

    def _tuned(self, node: nodes.Tuned, frame: Frame, place: Place) -> ir.Predicate:
        settings = settings_of(node, frame, self.report)
        self._check_weight(settings, place, frame)
        logit, temp = settings.logit, settings.temp
        if logit is not None:
            self._check_logit(node, settings, place, frame)
        # The nearest temperature counts: it stands in place of one that a group around gives.
        inherited = None if temp is not None else logit or place.logit
        inner = Place(place.role, place.barred, inherited, place.depth + 1)
        term = self._resolve(node.term, frame, inner)
        if temp is not None and term.logit_temp is not None:
            message = "this has a temperature of its logits already"
            hint = "give one of the two, inside the brackets or behind them"
            self.report.say("LACE217", message, settings.temp_at or node, frame, hint)
            raise LostError
        if logit is not None and isinstance(term, _MEASURED):
            message = "`temp logit(…)` is for discrete attributes; this one is measured"
            self.report.say("LACE215", message, settings.temp_at or node, frame, "write `temp …`")
            raise LostError
        return with_settings(term, settings)

    def _check_weight(self, settings: Settings, place: Place, frame: Frame) -> None:
        if settings.weight_at is None or place.role not in ("not", "xor", "implies"):
            return
        message = f"a weight right under `{place.role}` has no meaning"
        hint = "weights belong to the terms of `and` and `or`"
        if place.role == "not":
            hint = "put the `not` inside round brackets: `(not smile=1) [weight 2]`"
        self.report.say("LACE213", message, settings.weight_at, frame, hint)
        raise LostError

    def _check_logit(
        self, node: nodes.Tuned, settings: Settings, place: Place, frame: Frame
    ) -> None:
        at = settings.temp_at or node
        if place.barred is not None:
            message = (
                f"`temp logit(…)` cannot stand under `{place.barred}`: its energy may be negative"
            )
            self.report.say("LACE214", message, at, frame, "write `temp …` without `logit`")
            raise LostError

    # Definitions

    def _reference(self, node: nodes.Reference, frame: Frame, place: Place) -> ir.Predicate:
        name = node.name.name
        binding = frame.bindings.get(name)
        if binding is not None:
            return self._bound(binding, node, place)
        definition = frame.module.find(name)
        if definition is None:
            unknown_name(node.name, frame, self.comparisons, self.report)
        elif isinstance(definition.node, nodes.Def) and definition.parameters:
            definition.used = True
            wanted = ", ".join(p.name for p in definition.parameters)
            message = f"`{name}` needs its arguments"
            self.report.say("LACE117", message, node, frame, f"write `{name}({wanted})`")
        else:
            return self._expand(definition, (), node, frame, place)
        raise LostError

    def _bound(self, binding: Binding, node: nodes.Reference, place: Place) -> ir.Predicate:
        binding.used = True
        argument = binding.argument
        if isinstance(argument, nodes.Word):
            argument = nodes.Reference(argument, span=argument.span)
        if argument is None:
            raise LostError
        if isinstance(argument, nodes.Quantity | nodes.Text):
            message = f"`{node.name.name}` stands for a value here, not for a condition"
            self.report.say("LACE118", message, argument, binding.frame)
            raise LostError
        return self._resolve(argument, binding.frame, evolve(place, depth=place.depth + 1))

    def _call(self, node: nodes.Call, frame: Frame, place: Place) -> ir.Predicate:
        name = node.name.name
        definition = frame.module.find(name)
        if definition is None:
            unknown_name(node.name, frame, self.comparisons, self.report)
            raise LostError
        wanted = len(definition.parameters)
        if isinstance(definition.node, nodes.Let):
            message = f"`{name}` takes no arguments"
            self.report.say("LACE117", message, node, frame, f"write `{name}`")
        elif wanted != len(node.arguments):
            given = len(node.arguments)
            plural, verb = "" if wanted == 1 else "s", "is" if given == 1 else "are"
            message = f"`{name}` takes {wanted} argument{plural}, and {given} {verb} given"
            hint = f"it is defined as `{name}({', '.join(p.name for p in definition.parameters)})`"
            self.report.say("LACE117", message, node, frame, hint)
        else:
            return self._expand(definition, node.arguments, node, frame, place)
        definition.used = True
        raise LostError

    def _expand(
        self,
        definition: Definition,
        arguments: Sequence[nodes.Predicate | nodes.Quantity],
        node: nodes.Reference | nodes.Call,
        frame: Frame,
        place: Place,
    ) -> ir.Predicate:
        self._grow(1)
        definition.used = definition.seen = True
        if definition.circular:
            raise LostError
        body = definition.body
        if isinstance(body, nodes.Quantity):
            message = f"`{node.name.name}` is a number, not a condition"
            self.report.say("LACE118", message, node, frame)
            raise LostError
        site = frame.site
        if site is None and definition.module is not frame.module:
            site = Site(node.name.name, node.span, frame.module)
        bindings = {
            parameter.name: Binding(argument, frame)
            for parameter, argument in zip(definition.parameters, arguments, strict=True)
        }
        inner = Frame(definition.module, bindings, site)
        predicate = self._resolve(body, inner, evolve(place, depth=place.depth + 1))
        return evolve(predicate, via=(node.name.name, *predicate.via))

    # Size

    def _grow(self, by: int) -> None:
        self._left -= max(by, 0)
        if self._left < 0:
            raise TooLargeError(
                f"comes to more than {MAX_TERMS} comparisons, definitions written out"
            )

    def _size(self, predicate: ir.Predicate) -> int:
        """Return the number of atoms of a tree whose parts may be shared."""
        known = self._sizes.get(id(predicate))
        if known is not None:
            return known[1]
        if isinstance(predicate, ir.And | ir.Or):
            size = sum(self._size(term) for term in predicate.terms)
        elif isinstance(predicate, ir.Not):
            size = self._size(predicate.term)
        else:
            size = 1
        # The predicate is kept beside its size, so that its id stays its own.
        self._sizes[id(predicate)] = (predicate, size)
        return size


_MEASURED = ir.Equals | ir.AtLeast | ir.AtMost | ir.Between

"""Conditions: definitions expanded, operators reduced to three, settings attached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from attrs import Factory, define, evolve, frozen

from lacelang import ir
from lacelang.semantics.atoms import Comparisons
from lacelang.semantics.context import (
    Binding,
    Definition,
    Frame,
    LostError,
    Site,
    Suggestion,
    all_of,
    did_you_mean,
)
from lacelang.semantics.drawn import refuse_place
from lacelang.semantics.modules import library_homes
from lacelang.semantics.values import settings_of
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS

MAX_TERMS = 10_000
"""How many comparisons, names and brackets one condition may have, its definitions expanded."""

MAX_ALL_TERMS = 20_000
"""How many all conditions of a program may have, beyond what its text has room for."""

_LINTED = 5_000
"""In how many of these it is looked for contradictions: what loops repeat has mostly the same."""

_CLASSES = 1000
"""Classes of an attribute that make its comparisons count twice."""

_SHORTEST = 3
"""Tokens of what counts as one: a name or a comparison, and what joins it to the next."""

MAX_DEPTH = 150
"""How deep a condition may nest when all its definitions are expanded."""

Role: TypeAlias = Literal["root", "and", "or", "not", "xor", "implies"]


@frozen
class Place:
    """A position in a condition: under the operator `role`, `depth` nodes deep.

    `barred` is an operator further up under which `temp logit(…)` is refused, `logit` the
    temperature that an enclosing group gives to the logits of its comparisons of classes, `apart`
    the outermost operator further up that is no `and`.
    """

    role: Role = "root"
    barred: str | None = None
    logit: float | None = None
    depth: int = 0
    apart: str | None = None

    def under(self, role: Role) -> Place:
        """Return the place of an operand."""
        barred = self.barred or (role if role in ("not", "xor", "implies") else None)
        apart = self.apart or (None if role == "and" else role)
        return Place(role, barred, self.logit, self.depth + 1, apart)

    def deeper(self) -> Place:
        """Return the place of what is in brackets, or of what a name refers to."""
        return Place(self.role, self.barred, self.logit, self.depth + 1, self.apart)


class TooLargeError(Exception):
    """The condition outgrows `MAX_TERMS` or `MAX_DEPTH`; the text says which."""


@define
class Budget:
    """How many comparisons, names and brackets the conditions of a program may still have.

    A text of definitions and loops stands for one that may be any number of times as long.
    """

    most: int
    left: int
    _comparisons: dict[int, Comparisons] = Factory(dict)

    @classmethod
    def of(cls, size: int) -> Budget:
        """Return that of a program of so many tokens; what is written out is never too much."""
        most = MAX_ALL_TERMS + size // _SHORTEST
        return cls(most, most)

    @property
    def lints(self) -> bool:
        """Whether so little has been resolved that contradictions are still looked for."""
        return self.left >= MAX_ALL_TERMS - _LINTED

    def comparisons(self, model: ir.ModelSpec) -> Comparisons:
        """Return what turns those of a model into predicates; there is one for each model."""
        found = self._comparisons.get(id(model))
        if found is None:
            found = self._comparisons[id(model)] = Comparisons(model)
        return found


class Conditions:
    """Turns the conditions of one statement into predicates.

    `model` is None for a definition that no statement uses: only names and numbers of arguments are
    checked then. `statement` is the kind of a statement that draws no samples, in which `each` has
    no meaning.
    """

    def __init__(
        self, model: ir.ModelSpec | None, budget: Budget, statement: str | None = None
    ) -> None:
        self.comparisons = budget.comparisons(model) if model is not None else None
        self._attributes = model.attributes if model is not None else ()
        self._budget = budget
        self._statement = statement
        self._left = MAX_TERMS
        # What definitions come to, by these and what they are given, and the terms that it has.
        # The bindings are kept, so that no other has the identity of one.
        self._known: dict[object, tuple[ir.Predicate, int, Iterable[Binding]]] = {}

    def resolve(self, node: nodes.Predicate, frame: Frame) -> ir.Predicate | None:
        """Return the predicate, or None if anything in it is wrong; that has been reported."""
        self._left = MAX_TERMS
        try:
            return self._resolve(node, frame, Place())
        except LostError:
            return None
        except TooLargeError as outgrown:
            hint = "say it in several statements"
            message = f"this condition {outgrown}, with definitions expanded"
            frame.say("LACE307", message, node, hint)
            return None
        finally:
            self._budget.left -= MAX_TERMS - self._left

    def _resolve(self, node: nodes.Predicate, frame: Frame, place: Place) -> ir.Predicate:
        if place.depth > MAX_DEPTH:
            raise TooLargeError(f"nests more than {MAX_DEPTH} levels deep")
        span = frame.span_of(node)
        match node:
            case nodes.Parenthesis():
                self._grow(1)
                return self._resolve(node.inner, frame, place.deeper())
            case nodes.And():
                return ir.conjunction(self._operands("and", node, frame, place), span)
            case nodes.Or():
                terms = self._operands("or", node, frame, place)
                if all(term.weight == 0 for term in terms):
                    message = "every disjunct of this `or` has weight 0: nothing is left of it"
                    raise frame.say("LACE218", message, node)
                return ir.disjunction(terms, span)
            case nodes.Not():
                self._grow(1)
                return ir.Not(self._resolve(node.term, frame, place.under("not")), span=span)
            case nodes.Xor():
                # Each term after the second comes to two more levels of `or` and of `not … and`.
                inside = evolve(place, depth=place.depth + 2 * (len(node.terms) - 2))
                if inside.depth > MAX_DEPTH:
                    raise TooLargeError(f"joins more than {MAX_DEPTH // 2} conditions by `xor`")
                return ir.exclusive(self._operands("xor", node, frame, inside), span)
            case nodes.Implies():
                terms = self._operands("implies", node, frame, place)
                denied = [ir.Not(term, span=span) for term in terms[:-1]]
                text = " implies ".join(term.as_operand for term in terms)
                return ir.disjunction([*denied, terms[-1]], span, text)
            case nodes.Tuned():
                return self._tuned(node, frame, place)
            case nodes.Reference() if node.name.name in frame.bindings:
                return self._bound(frame.bindings[node.name.name], node, place)
            case nodes.Reference() | nodes.Call():
                return self._named_condition(node, frame, place)
        return self._atom(node, frame, place)

    # Atoms

    def _atom(self, node: nodes.Atom, frame: Frame, place: Place) -> ir.Predicate:
        self._grow(max(1, len(node.parts) - 2))  # each value of a set is one
        if isinstance(node, nodes.Drawn):
            refuse_place(node, self._statement, place.apart, frame)
        word, where = self._named(node.attribute, frame)
        if self.comparisons is None:
            raise LostError
        attribute = self.comparisons.attribute(word, where)
        # What a comparison allows is a set of classes.
        self._grow(len(attribute.values) // _CLASSES)
        atom = self.comparisons.resolve(node, attribute, frame)
        if place.logit is not None and isinstance(atom, ir.ClassComparison):
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
            if any(attribute.name == word.name for attribute in self._attributes):
                message = f"`{word.name}` is a parameter or a loop variable here"
                hint = "give it another name"
                raise frame.say("LACE118", f"{message}, and hides the attribute", word, hint)
            message = f"`{word.name}` is compared with a value: it must be the name of an attribute"
            raise binding.frame.say("LACE118", message, argument)
        return self._named(argument, binding.frame)

    # Operators

    def _operands(
        self,
        role: Role,
        node: nodes.And | nodes.Or | nodes.Xor | nodes.Implies,
        frame: Frame,
        place: Place,
    ) -> list[ir.Predicate]:
        inner = place.under(role)
        return all_of(lambda term: self._resolve(term, frame, inner), node.terms)

    # Settings in brackets

    def _tuned(self, node: nodes.Tuned, frame: Frame, place: Place) -> ir.Predicate:
        self._grow(len(node.settings))
        settings = settings_of(node, frame)
        logit, temp, temp_at = settings.logit, settings.temp, settings.temp_at or node
        if settings.weight_at is not None and place.role in ("not", "xor", "implies"):
            message = f"a weight right under `{place.role}` has no meaning"
            hint = "weights belong to the terms of `and` and `or`"
            if place.role == "not":
                hint = "put the `not` inside round brackets: `(not smile=1) [weight 2]`"
            raise frame.say("LACE213", message, settings.weight_at, hint)
        if logit is not None and place.barred is not None:
            message = f"`temp logit(…)` cannot stand under `{place.barred}`"
            hint = "write `temp …` without `logit`"
            raise frame.say("LACE214", f"{message}: its energy may be negative", temp_at, hint)
        # The innermost temperature replaces that of an enclosing group.
        inherited = None if temp is not None else logit or place.logit
        term = self._resolve(node.term, frame, evolve(place.deeper(), logit=inherited))
        if temp is not None and term.logit_temp is not None:
            message = "this has a temperature of its logits already"
            hint = "give one of the two, inside the brackets or behind them"
            raise frame.say("LACE217", message, temp_at, hint)
        if logit is not None and isinstance(term, ir.NumberComparison):
            message = "`temp logit(…)` is for discrete attributes; this one is measured"
            raise frame.say("LACE215", message, temp_at, "write `temp …`")
        # Temperatures of nested brackets multiply.
        if temp is not None and term.temp is not None:
            temp *= term.temp
        return evolve(
            term,
            weight=term.weight * settings.weight,
            temp=term.temp if temp is None else temp,
            settings=f"{term.settings} {settings.text}".strip(),
        )

    # Definitions

    def _bound(self, binding: Binding, node: nodes.Reference, place: Place) -> ir.Predicate:
        binding.used = True
        argument = binding.argument
        if isinstance(argument, nodes.Word):
            argument = nodes.Reference(argument, span=argument.span)
        if argument is None:
            raise LostError
        if isinstance(argument, nodes.Quantity | nodes.Text):
            message = f"`{node.name.name}` is a value here, not a condition"
            raise binding.frame.say("LACE118", message, argument)
        return self._resolve(argument, binding.frame, place.deeper())

    def _named_condition(
        self, node: nodes.Reference | nodes.Call, frame: Frame, place: Place
    ) -> ir.Predicate:
        name = node.name.name
        if name in frame.module.terms:
            return self._own_term(frame.module.terms[name], node, frame)
        definition = frame.module.find(name)
        if definition is None:
            raise self._unknown(node.name, frame)
        definition.used = True
        given = node.arguments if isinstance(node, nodes.Call) else ()
        names = [parameter.name for parameter in definition.parameters]
        problem = _wrong_arguments(node, definition, len(given))
        if problem is not None:
            signature = f"{name}({', '.join(names)})"
            raise frame.say("LACE117", problem[0], node, problem[1].format(signature))
        self._grow(1 + len(given))
        definition.seen = True
        if definition.circular:
            raise LostError
        body = definition.body
        if isinstance(body, nodes.Quantity):
            raise frame.say("LACE118", f"`{name}` is a number, not a condition", node)
        site = frame.site
        if site is None and definition.module is not frame.module:
            site = Site(name, node.span, frame.module)
        bindings = {n: _bound_to(a, frame) for n, a in zip(names, given, strict=True)}
        at = None if site is None else (site.name, site.span)
        key = id(definition), tuple(map(id, bindings.values())), at, place
        known = self._known.get(key)
        if known is not None:
            self._grow(known[1])
            return known[0]
        left = self._left
        inner = Frame(definition.module, frame.report, bindings, site)
        predicate = self._resolve(body, inner, place.deeper())
        predicate = evolve(predicate, via=(name, *predicate.via))
        self._known[key] = predicate, left - self._left, bindings.values()
        return predicate

    def _own_term(
        self, term: ir.OwnTerm, node: nodes.Reference | nodes.Call, frame: Frame
    ) -> ir.Predicate:
        self._grow(1)
        if isinstance(node, nodes.Call):
            message = f"`{term.name}` takes no arguments"
            raise frame.say("LACE117", message, node, f"write `{term.name}`")
        if self._statement == "expect":
            message = f"`{term.name}` is a term of latents, which no annotator sees in an image"
            raise frame.say("LACE312", message, node)
        if self._statement == "edit" and term.on == "z":
            message = f"edits move in w, and `{term.name}` is a term of z"
            raise frame.say("LACE315", message, node, 'make it one of w: term(…, on="w")')
        return evolve(term, span=frame.span_of(node))

    def _unknown(self, word: nodes.Word, frame: Frame) -> LostError:
        name, module = word.name, frame.module
        if frame.is_known_wrong(name) or module.has_error_on(word.span.line):
            return LostError()
        for attribute in self._attributes:
            if attribute.name == name:
                message = f"`{name}` is an attribute; say what it should be"
                hint = f"like `{name}={attribute.example}`"
                if isinstance(attribute, ir.BinaryAttribute):
                    hint = Suggestion(hint, f"{name}=1", name)
                return frame.say("LACE118", message, word, hint)
            if name in attribute.named:
                message = f"`{name}` is a value; say of which attribute"
                written = f"{attribute.name}={name}"
                hint = Suggestion(f"write `{written}`", written, name)
                return frame.say("LACE118", message, word, hint)
        home = library_homes().get(name)
        if home is not None and home != module.name:
            hint = Suggestion(f"`import {home}` brings it in", f"import {home}", top=True)
        else:
            attributes = (attribute.name for attribute in self._attributes)
            # In an edit, `age = 10 yaers` looks like two lines.
            known = (*frame.bindings, *module.named, *module.terms, *attributes, *UNITS)
            meant = did_you_mean(name, known)
            hint = meant or f"define it with `let {name} = …`"
        return frame.say("LACE103", f"nothing is called `{name}`", word, hint)

    def _grow(self, by: int) -> None:
        self._left -= by
        if self._left < 0:
            raise TooLargeError(f"has more than {MAX_TERMS} comparisons, names and brackets")


def _bound_to(argument: nodes.Predicate | nodes.Quantity, frame: Frame) -> Binding:
    """Return the binding of an argument; a parameter that is only passed on keeps its own."""
    passed = (
        frame.bindings.get(argument.name.name) if isinstance(argument, nodes.Reference) else None
    )
    return passed or Binding(argument, frame)


def _wrong_arguments(
    node: nodes.Reference | nodes.Call, definition: Definition, given: int
) -> tuple[str, str] | None:
    """Return what is wrong with a definition's arguments, and a hint; {} is its signature."""
    name, wanted = node.name.name, len(definition.parameters)
    if isinstance(node, nodes.Reference) and wanted:
        return f"`{name}` needs its arguments", "write `{}`"
    if isinstance(node, nodes.Call) and isinstance(definition.node, nodes.Let):
        return f"`{name}` takes no arguments", f"write `{name}`"
    if wanted == given:
        return None
    plural, verb = "" if wanted == 1 else "s", "is" if given == 1 else "are"
    message = f"`{name}` takes {wanted} argument{plural}, and {given} {verb} given"
    return message, "it is defined as `{}`"

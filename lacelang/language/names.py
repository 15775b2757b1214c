"""Every name in a document, with what it refers to and where that is declared.

Names are resolved as the checker resolves them: parameters and loop variables come first, then the
values of an attribute, then definitions. A name that the checker does not understand refers to
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from attrs import evolve, field, frozen

from lacelang import ir
from lacelang.errors import Span
from lacelang.language.document import Document
from lacelang.language.positions import Position
from lacelang.language.scope import Scope, model_around
from lacelang.semantics.context import Definition, Module
from lacelang.semantics.modules import library_program
from lacelang.syntax import nodes
from lacelang.syntax.build import span_of
from lacelang.syntax.rewriting import holes
from lacelang.system.filenames import resolved


@frozen
class Target:
    """What a name refers to.

    Attributes:
        kind: `definition`, `parameter`, `variable`, `attribute`, `value`, `group`, `model`,
            `module`, `sampler`, `option`, `unit` or `architecture`.
        name: its own name.
        of: what it belongs to: the model of an attribute, the attribute of a value.
        path: the file that declares it, links followed; None for a document without a file.
        span: where its name stands there; None where no text declares it.
    """

    kind: str
    name: str
    of: str = ""
    path: str | None = None
    span: Span | None = None


@frozen
class Name:
    """A name in a document: where it stands, what it refers to, whether it is declared here.

    `model` is that of the statement, and `declared` what it refers to if that is a definition.
    """

    span: Span
    target: Target
    defines: bool = False
    model: ir.ModelSpec | None = field(default=None, eq=False)
    declared: Definition | None = field(default=None, eq=False)


def names(document: Document) -> tuple[Name, ...]:
    """Return all names of a document, in the order of its text."""
    return _names(document)


@lru_cache(maxsize=16)
def _names(document: Document) -> tuple[Name, ...]:
    module, walk = document.examined.module, _Walk(document)
    found = [name for node in module.program.statements for name in walk.statement(node, {})]
    return tuple(sorted(set(found), key=lambda name: (name.span.line, name.span.column)))


def name_at(document: Document, position: Position) -> Name | None:
    """Return the name at a position; of two that touch there, the one that begins.

    In a statement that cannot be read, a name is what it would be at the head of a condition.
    """
    found = None
    for name in names(document):
        span = name.span
        if (span.line, span.column) > (position.line, position.column):
            break
        if (span.end_line, span.end_column) >= (position.line, position.column):
            found = name
    return found or _unread(document, document.places.offset(position))


def _unread(document: Document, offset: int) -> Name | None:
    """Return the name at an offset where no statement was read."""
    for i, token in enumerate(document.tokens):
        if (token.end_pos or 0) >= offset >= (token.start_pos or 0) and token.type == "NAME":
            tokens = document.tokens
            model = model_around(document.scope, tokens[:i], tokens[i + 1 :])
            words = [nodes.Word(str(token), span=span_of(token))]
            return next(iter(_Walk(document).words(words, model)), None)
    return None


Bound = Mapping[str, Target]


class _Walk:
    """Goes through the statements of a document."""

    def __init__(self, document: Document) -> None:
        self._module: Module = document.examined.module
        self._path = file_of(self._module)
        self._scope: Scope = document.scope
        self._declarations = _Declarations((self._module, *document.examined.modules.values()))
        self._groups: dict[str, Target] = {}

    # Statements

    def statement(self, node: nodes.Statement, bound: Bound) -> Iterator[Name]:
        """Yield the names of a statement, in which names are bound."""
        match node:
            case nodes.Model(name, items):
                yield self._defining("model", name)
                for item in items:
                    yield from self._item(item, name.name)
            case nodes.Import(target):
                yield from self._import(node, target)
            case nodes.Let(name, value):
                yield self._definition(name, self._module.find(name.name), defines=True)
                yield from self._parts((value,), bound, self._scope.model)
            case nodes.Def(name, parameters, body):
                yield self._definition(name, self._module.find(name.name), defines=True)
                inner = dict(bound)
                for word in parameters:
                    made = self._defining("parameter", word, name.name)
                    inner[word.name] = made.target
                    yield made
                yield from self._parts((body,), inner, self._scope.model)
            case nodes.For(variable, values, body):
                yield from self._parts(values, bound, None)
                made = self._defining("variable", variable)
                yield made
                for inside in body:
                    yield from self.statement(inside, {**bound, variable.name: made.target})
            case _:
                yield from self._run(node, bound)

    def _run(self, node: nodes.Statement, bound: Bound) -> Iterator[Name]:
        model = self._scope.model
        group = getattr(node, "group", None)
        if group is not None:
            model = self._scope.groups.get(group.name) or model
            yield from self._group(group, bound)
        for clause in getattr(node, "clauses", ()):
            if isinstance(clause, nodes.FromClause):
                model = self._scope.models.get(clause.model.name, model)
        for part in node.parts:
            if isinstance(part, nodes.AsClause):
                yield from self._group(part.name, bound, defines=True)
            elif part is not group:
                yield from self._parts((part,), bound, model)

    def _item(self, item: nodes.Item, model: str) -> Iterator[Name]:
        if isinstance(item, nodes.Generator):
            word = item.architecture
            yield Name(word.span, Target("architecture", word.name))
        elif isinstance(item, nodes.Attribute):
            spec = self._scope.models.get(model)
            yield evolve(self._defining("attribute", item.name, model), model=spec)
            values = item.kind.values if isinstance(item.kind, nodes.ChoiceKind) else ()
            for word in (*values, *(point.name for point in item.points)):
                yield evolve(self._defining("value", word, item.name.name), model=spec)
            yield from self._parts(item.parts[1:], {}, None)

    def _import(self, node: nodes.Import, target: nodes.Word | nodes.Text) -> Iterator[Name]:
        read = next((other for each, other in self._module.imports if each is node), None)
        if read is not None:
            start = Span(1, 1, 1, 1)
            yield Name(target.span, Target("module", read.name, "", file_of(read), start))

    def _group(
        self, group: nodes.Word | nodes.Text, bound: Bound, defines: bool = False
    ) -> Iterator[Name]:
        filled = list(holes(group)) if isinstance(group, nodes.Text) else []
        if filled:
            for word in filled:
                yield from self._word(word, bound, None)
            return
        name = group.name
        if defines:
            target = self._groups[name] = Target("group", name, "", self._path, group.span)
        else:
            target = self._groups.get(name) or Target("group", name, "", self._path)
        if defines or name in self._scope.groups:
            model = self._scope.groups.get(name)
            yield Name(group.span, target, defines, model)

    # Conditions, clauses and values

    def _parts(
        self, parts: Iterable[nodes.Node], bound: Bound, model: ir.ModelSpec | None
    ) -> Iterator[Name]:
        """Yield the names in nodes; a model is None where conditions are of none."""
        pending = list(reversed(list(parts)))
        while pending:
            node = pending.pop()
            match node:
                case nodes.Comparison() | nodes.InRange() | nodes.InSet():
                    yield from self._comparison(node, node.parts[1:], bound, model)
                case nodes.DrawnFromSet(_, choices):
                    values = [choice.value for choice in choices]
                    yield from self._comparison(node, values, bound, model)
                case nodes.DrawnFromRange(_, low, high):
                    yield from self._comparison(node, (low, high), bound, model)
                case nodes.Reference(name):
                    yield from self._word(name, bound, model)
                case nodes.Call(name, arguments):
                    yield from self._word(name, bound, None)
                    pending += reversed(arguments)
                case nodes.FromClause(word):
                    if word.name in bound:
                        yield Name(word.span, bound[word.name])
                    elif word.name in self._scope.models:
                        yield Name(word.span, self._declarations.model(word.name), model=model)
                case nodes.WithClause(sampler, options):
                    yield Name(sampler.span, Target("sampler", sampler.name))
                    for option in options:
                        target = Target("option", option.name.name, sampler.name)
                        yield Name(option.name.span, target)
                        yield from self._parts((option.value,), bound, None)
                case nodes.WordClause(_, _, argument):
                    pending += [argument] if argument is not None else []
                case nodes.ValueClause(_, value) | nodes.Setting(_, value):
                    pending.append(value)  # the word before its bracket is the language's
                case nodes.Quantity(_, unit):
                    if unit is not None:
                        yield Name(unit.span, Target("unit", unit.name))
                case nodes.Word():
                    yield from self._word(node, bound, None)
                case nodes.LayersClause() | nodes.Text():
                    pass
                case _:
                    pending += reversed(node.parts)

    def _comparison(
        self,
        node: nodes.Atom,
        values: Iterable[nodes.Node],
        bound: Bound,
        model: ir.ModelSpec | None,
    ) -> Iterator[Name]:
        word, attribute = node.attribute, None
        if word.name in bound:
            yield Name(word.span, bound[word.name])
        elif model is not None:
            attribute = next((a for a in model.attributes if a.name == word.name), None)
            if attribute is not None:
                yield Name(word.span, self._declarations.attribute(model, word.name), model=model)
        for value in values:
            named = isinstance(value, nodes.Word) and value.name not in bound
            if attribute is not None and named and value.name in attribute.named:  # type: ignore[attr-defined]
                target = self._declarations.value(model, attribute.name, value.name)  # type: ignore[arg-type,attr-defined]
                yield Name(value.span, target, model=model)
            else:
                yield from self._parts((value,), bound, None)

    def words(self, words: Iterable[nodes.Word], model: ir.ModelSpec | None) -> Iterator[Name]:
        """Yield words that stand at the head of a condition on a model."""
        for word in words:
            yield from self._word(word, {}, model)

    def _word(self, word: nodes.Word, bound: Bound, model: ir.ModelSpec | None) -> Iterator[Name]:
        """Yield a word that stands for a definition or what is bound; an attribute in arguments."""
        name = word.name
        if name in bound:
            yield Name(word.span, bound[name])
        elif (definition := self._module.find(name)) is not None:
            yield self._definition(word, definition)
        elif model is not None and any(a.name == name for a in model.attributes):
            yield Name(word.span, self._declarations.attribute(model, name), model=model)

    # What names refer to

    def _defining(self, kind: str, word: nodes.Word, of: str = "") -> Name:
        return Name(word.span, Target(kind, word.name, of, self._path, word.span), defines=True)

    def _definition(
        self, word: nodes.Word, definition: Definition | None, defines: bool = False
    ) -> Name:
        if definition is None or (defines and definition.module is not self._module):
            return self._defining("definition", word)
        node, module = definition.node, definition.module
        target = Target("definition", word.name, "", file_of(module), node.name.span)
        defines = defines and node.name.span == word.span
        return Name(word.span, target, defines, declared=definition)


class _Declarations:
    """Where the models of some files are declared."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._models: dict[str, tuple[nodes.Model, str | None]] = {}
        for module in modules:
            for node in module.program.statements:
                if isinstance(node, nodes.Model):
                    self._models.setdefault(node.name.name, (node, file_of(module)))

    def model(self, name: str) -> Target:
        node, path = self._find(name)
        if node is None:
            return Target("model", name)
        return Target("model", name, "", path, node.name.span)

    def attribute(self, model: ir.ModelSpec, name: str) -> Target:
        item, path = self._attribute(model, name)
        if item is None:
            return Target("attribute", name, model.name)
        return Target("attribute", name, model.name, path, item.name.span)

    def value(self, model: ir.ModelSpec, attribute: str, name: str) -> Target:
        item, path = self._attribute(model, attribute)
        if item is not None:
            values = item.kind.values if isinstance(item.kind, nodes.ChoiceKind) else ()
            for word in (*values, *(point.name for point in item.points)):
                if word.name == name:
                    return Target("value", name, attribute, path, word.span)
        return Target("value", name, attribute)

    def _find(self, name: str) -> tuple[nodes.Model | None, str | None]:
        """Return the declaration of a model; conditions without one are on one of the library."""
        if name not in self._models and (found := library_program(name)) is not None:
            file, program = found
            for node in program.statements:
                if isinstance(node, nodes.Model):
                    self._models.setdefault(node.name.name, (node, str(resolved(file))))
        return self._models.get(name, (None, None))

    def _attribute(
        self, model: ir.ModelSpec, name: str
    ) -> tuple[nodes.Attribute | None, str | None]:
        node, path = self._find(model.name)
        for item in node.items if node is not None else ():
            if isinstance(item, nodes.Attribute) and item.name.name == name:
                return item, path
        return None, None


def file_of(module: Module) -> str | None:
    """Return where the file of a module is, links followed; None where it has none."""
    return None if module.path is None else str(resolved(Path(module.path)))

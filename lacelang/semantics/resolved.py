"""A program as one text that needs no other file: what it imports stands in it.

The definitions that it uses of imported modules take the place of its `import`s, those of the
standard library too, for their texts may change from version to version. So do models that imported
files declare. Models of the standard library and of the user's folder stay names: what they are is
known by the digests of their weights.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from attrs import define, evolve, field, frozen

from lacelang import ir
from lacelang.errors import LaceError, ProgramError, Span
from lacelang.semantics.check import check
from lacelang.syntax import nodes
from lacelang.syntax.format import format_source
from lacelang.syntax.lines import Lines, with_line_feeds
from lacelang.syntax.parser import read
from lacelang.syntax.rewriting import Patch, patched, target_text, words_in_quotes, words_used
from lacelang.syntax.tokens import tokenize
from lacelang.text.names import nfc

MOST_FORMATTED = 256 << 10
"""Characters of a program that is formatted; a longer one takes as long again as its check did."""

Key: TypeAlias = tuple[int, str]
"""A definition: the number of its module, and its name there."""

_MAIN = 0


def resolved_text(program: ir.CheckedProgram) -> str:
    """Return the text of a checked program with what it imports in it, formatted.

    Raises:
        LaceError: no one text means the same.
    """
    source = program.source.removeprefix("\ufeff")
    text = source
    if program.imports:
        text = _Resolving(program, source).text()
    if len(text) <= MOST_FORMATTED:
        text = format_source(text)
    if program.imports:
        _require_same(program, text)
    return text


def _require_same(program: ir.CheckedProgram, text: str) -> None:
    terms = ir.own_terms(*(c for s in program.statements for c in s.conditions.values()))
    try:
        # Below the root of the drive: the files were allowed when the program was checked.
        root = Path(Path.cwd().anchor)
        again = check(text, program.path, root=root, terms=terms)
    except ProgramError as error:
        raise LaceError(f"its imports cannot be written into it: {error}") from error
    if list(map(_comparable, again.statements)) != list(map(_comparable, program.statements)):
        raise LaceError("its imports cannot be written into it: their names would clash")


def _comparable(statement: ir.Statement) -> tuple[object, ...]:
    """A statement without what differs where its model is declared in another folder."""
    model = statement.model
    return evolve(statement, model=ir.ModelSpec("", "")), model.name, model.generator, model.sha256


@define(eq=False, slots=False)
class _Module:
    """A module: the program, or a file that it imports."""

    number: int
    text: str
    folder: Path
    library: bool
    tree: nodes.Program
    imports: Mapping[str, ir.SourceFile]
    definitions: dict[str, nodes.Let | nodes.Def] = field(factory=dict)
    models: dict[str, nodes.Model] = field(factory=dict)
    visible: dict[str, Key] = field(factory=dict)  # by the name of what its imports bring in
    visible_models: dict[str, Key] = field(factory=dict)

    @cached_property
    def _lines(self) -> Lines:
        return Lines(with_line_feeds(self.text))

    def at(self, span: Span) -> tuple[int, int]:
        """The offsets in its text at which a span begins and ends."""
        return self._lines.offsets(span)

    def find(self, name: str) -> Key | None:
        """What a name stands for here."""
        return (self.number, name) if name in self.definitions else self.visible.get(name)


@frozen
class _Use:
    """A place in the text of a module that names a definition."""

    span: Span
    key: Key


class _Resolving:
    """Collects what a program uses of its imports, and gives each its name in the program."""

    def __init__(self, program: ir.CheckedProgram, source: str) -> None:
        self._modules: list[_Module] = []
        self._numbers: dict[int, int] = {}
        folder = program.path.parent if program.path is not None else Path()
        terms = ir.own_terms(*(c for s in program.statements for c in s.conditions.values()))
        self._terms = frozenset(terms)
        self._values: dict[str, set[str]] = {}
        for model in {s.model.name: s.model for s in program.statements}.values():
            for attribute in model.attributes:
                self._values.setdefault(attribute.name, set()).update(attribute.named)
        self._any_values = set().union(*self._values.values())
        self.main = self._module(source, folder, False, program.imports)
        self._names: dict[Key, str] = {}
        self._taken = {nfc(str(t)) for t in tokenize(source).tokens if t.type == "NAME"}
        self._taken |= self._terms | self.main.visible.keys()

    def _module(
        self, text: str, folder: Path, library: bool, imports: Mapping[str, ir.SourceFile]
    ) -> _Module:
        made = _Module(len(self._modules), text, folder, library, read(text, None).program, imports)
        self._modules.append(made)
        for node in made.tree.statements:
            match node:
                case nodes.Let() | nodes.Def():
                    made.definitions[node.name.name] = node
                case nodes.Model():
                    made.models[node.name.name] = node
                case nodes.Import():
                    other = self._imported(imports[target_text(node)])
                    made.visible.update({n: (other.number, n) for n in other.definitions})
                    made.visible_models.update({n: (other.number, n) for n in other.models})
        return made

    def _imported(self, file: ir.SourceFile) -> _Module:
        if id(file) not in self._numbers:
            text = file.source.removeprefix("\ufeff")
            # What it imports itself is read first.
            made = self._module(text, file.folder, file.library, file.imports)
            self._numbers[id(file)] = made.number
        return self._modules[self._numbers[id(file)]]

    def text(self) -> str:
        """Return the program with all that it uses in place of its imports."""
        needed = self._needed()
        for key in needed:
            self._names[key] = self._name(key)
        models = self._models()
        patches = list(self._renamed(self.main, self.main.tree.statements))
        placed: set[Key] = set()
        for node in self.main.tree.statements:
            if not isinstance(node, nodes.Import):
                continue
            new = self._in_place_of(node, needed, models, placed)
            patches.append((*self.main.at(node.span), new))
        return patched(self.main.text, patches)

    # What is used

    def _uses(self, module: _Module, node: nodes.Node) -> Iterator[_Use]:
        values = {(w.span, w.name) for w in self._values_named(node)}
        used = (word for word in words_used(node) if (word.span, word.name) not in values)
        for word in chain(used, words_in_quotes(node)):
            own = word.name in self._terms and module is self.main
            key = None if own else module.find(word.name)
            if key is not None:
                yield _Use(word.span, key)

    def _values_named(self, node: nodes.Node) -> Iterator[nodes.Word]:
        """Words that name values of attributes, such as `gray` behind `haircolor=`.

        They mean that whatever else is called so.
        """
        pending = [node]
        while pending:
            each = pending.pop()
            pending += each.parts
            if isinstance(each, nodes.Atom):
                attribute = each.attribute.name
                # A parameter may stand for any attribute.
                named = self._values.get(attribute, self._any_values)
                words = [part for part in _all_parts(each) if isinstance(part, nodes.Word)]
                yield from (word for word in words if word.name in named)

    def _needed(self) -> list[Key]:
        """The imported definitions that the program uses, in the order in which it meets them."""
        needed: dict[Key, None] = {}
        pending: list[tuple[_Module, nodes.Node]] = [
            (self.main, node) for node in reversed(self.main.tree.statements)
        ]
        while pending:
            module, node = pending.pop()
            for use in self._uses(module, node):
                number, name = use.key
                if number != _MAIN and use.key not in needed:
                    needed[use.key] = None
                    other = self._modules[number]
                    pending.append((other, other.definitions[name]))
        return list(needed)

    def _models(self) -> list[Key]:
        """The models of imported files that the program names and does not declare itself."""
        words = {nfc(str(t)) for t in tokenize(self.main.text).tokens if t.type == "NAME"}
        found = self.main.visible_models.items()
        return [k for n, k in found if n in words and n not in self.main.models]

    # How it is called

    def _name(self, key: Key) -> str:
        """Return a name for an imported definition: its own, unless that means something else."""
        _, name = key
        if self.main.find(name) == key:
            return name
        free, number = name, 1
        while free in self._taken:
            number += 1
            free = f"{name}_{number}"
        self._taken.add(free)
        return free

    def _renamed(self, module: _Module, parts: Iterable[nodes.Node]) -> Iterator[Patch]:
        for node in parts:
            for use in self._uses(module, node):
                new = self._names.get(use.key)
                if new is not None and new != use.key[1]:
                    yield (*module.at(use.span), new)

    # What stands in place of an import

    def _in_place_of(
        self,
        node: nodes.Import,
        needed: Collection[Key],
        models: Collection[Key],
        placed: set[Key],
    ) -> str:
        """Return what a module brings in, and what that uses of others."""
        first = self._numbers[id(self.main.imports[target_text(node)])]
        behind = self._behind(first)
        lines, kept = [], False
        for key in models:
            if key[0] == first and key not in placed:
                if self._modules[first].library:
                    kept = kept or key[1] != self.main.imports[target_text(node)].name
                else:
                    placed.add(key)
                    lines.append(self._model(key))
        for key in needed:
            if key[0] in behind and key not in placed:
                placed.add(key)
                lines.append(self._definition(key))
        if kept:
            lines.append(f"import {target_text(node)}")
        if not lines:
            return ""
        name = " ".join(self.main.imports[target_text(node)].name.split())
        return "\n".join(["", f"# From {name}.", *lines, ""])

    def _behind(self, first: int) -> set[int]:
        """The numbers of a module and of all that it imports."""
        found, pending = {first}, [first]
        while pending:
            for file in self._modules[pending.pop()].imports.values():
                number = self._numbers[id(file)]
                if number not in found:
                    found.add(number)
                    pending.append(number)
        return found

    def _definition(self, key: Key) -> str:
        module, name = self._modules[key[0]], key[1]
        node = module.definitions[name]
        patches = [*self._renamed(module, [node])]
        patches.append((*module.at(node.name.span), self._names[key]))
        return _cut(module, node, patches)

    def _model(self, key: Key) -> str:
        """Return a model's declaration, with the way to its files from the program's folder."""
        module, name = self._modules[key[0]], key[1]
        node = module.models[name]
        patches = []
        for item in node.items:
            file = None
            if isinstance(item, nodes.Classifiers):
                file = item.file
            elif isinstance(item, nodes.Generator) and item.source is not None:
                file = None if "==" in item.source.value else item.source
            if file is not None:
                way = self._way(module, file.value)
                patches.append((*module.at(file.span), f'"{way}"'))
        return _cut(module, node, patches)

    def _way(self, module: _Module, name: str) -> str:
        try:
            way = os.path.relpath(module.folder / name, self.main.folder)
        except ValueError:  # on another drive
            way = str(module.folder / name)
        return Path(way).as_posix()


def _all_parts(node: nodes.Node) -> Iterator[nodes.Node]:
    for part in node.parts:
        yield part
        yield from _all_parts(part)


def _cut(module: _Module, node: nodes.Node, patches: Iterable[Patch]) -> str:
    """Return the text of a node with patches of it made."""
    begin, end = module.at(node.span)
    moved = [(a - begin, b - begin, new) for a, b, new in patches]
    return patched(module.text[begin:end], moved)

"""What names stand for: modules, their definitions, and the bindings of parameters and loops."""

from __future__ import annotations

from pathlib import Path

from attrs import Factory, define, field, frozen

from lacelang.errors import Span
from lacelang.ir import ModelSpec
from lacelang.syntax import nodes


@define(eq=False)
class Module:
    """A file, read: the program itself or something that it imports.

    Attributes:
        name, path: for messages; no path for text without a file.
        folder: where quoted imports are looked for.
        definitions: its own `let`s and `def`s.
        order: the same, each behind those that it uses.
        models: its own models; None for one whose declaration is wrong.
        earlier: definitions of the pieces before it, where a program is read piece by piece.
        visible, visible_models: what its imports bring in.
        uncertain: names that its broken statements seem to define, so that nothing is said of
            their absence. None means any name.
        error_spans: where its syntax errors are.
    """

    name: str
    path: str | None
    folder: Path | None
    source: str
    program: nodes.Program
    definitions: dict[str, Definition] = Factory(dict)
    order: tuple[Definition, ...] = ()
    models: dict[str, ModelSpec | None] = Factory(dict)
    earlier: dict[str, Definition] = Factory(dict)
    visible: dict[str, Definition] = Factory(dict)
    visible_models: dict[str, ModelSpec | None] = Factory(dict)
    uncertain: frozenset[str] | None = frozenset()
    error_spans: tuple[Span, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether it has syntax errors."""
        return bool(self.error_spans)

    def has_error_in(self, span: Span) -> bool:
        """Whether a syntax error touches `span`; what else is wrong there may be due to it."""
        start, end = (span.line, span.column), (span.end_line, span.end_column)
        return any(
            (s.line, s.column) < end and start < (s.end_line, s.end_column)
            for s in self.error_spans
        )

    def has_error_on(self, line: int) -> bool:
        """Whether a syntax error stands on the line."""
        return any(s.line <= line <= s.end_line for s in self.error_spans)

    def is_uncertain(self, name: str) -> bool:
        """Whether a missing `name` may be the fault of a broken statement."""
        return self.uncertain is None or name in self.uncertain

    def find(self, name: str) -> Definition | None:
        """Return the definition that `name` stands for here."""
        own = self.definitions.get(name) or self.earlier.get(name)
        return own or self.visible.get(name)

    @property
    def named(self) -> dict[str, Definition]:
        """All definitions that a name can stand for here."""
        return {**self.visible, **self.earlier, **self.definitions}


@define(eq=False)
class Definition:
    """A `let` or a `def`, with the module whose names its body uses.

    Attributes:
        circular: it refers to itself, which has been reported.
        used: something refers to it.
        seen: its body has been checked.
    """

    node: nodes.Let | nodes.Def
    module: Module
    circular: bool = False
    used: bool = False
    seen: bool = False

    @property
    def body(self) -> nodes.Predicate | nodes.Quantity:
        """What the name stands for."""
        return self.node.value if isinstance(self.node, nodes.Let) else self.node.body

    @property
    def parameters(self) -> tuple[nodes.Word, ...]:
        """The parameters of a `def`; none for a `let`."""
        return () if isinstance(self.node, nodes.Let) else self.node.parameters


@frozen
class Site:
    """The place in the program that uses an imported definition."""

    name: str
    span: Span
    module: Module


@define(eq=False)
class Binding:
    """What a parameter or a loop variable stands for, and the frame in which that is meant.

    `argument` is None for a parameter of a definition that is checked without being called.
    """

    argument: nodes.Predicate | nodes.Value | None
    frame: Frame
    used: bool = False


@frozen(eq=False)
class Frame:
    """Where a piece of syntax stands: its module and the bindings around it.

    `site` is set inside imported definitions: diagnostics stand there.
    """

    module: Module
    bindings: dict[str, Binding] = field(factory=dict)
    site: Site | None = None

    def bind(self, name: str, argument: nodes.Value) -> Frame:
        """Return this frame with one more binding, as `for` makes it."""
        return Frame(self.module, {**self.bindings, name: Binding(argument, self)}, self.site)

"""A program in an editor, and what is known of it however wrong it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from attrs import evolve, field, frozen
from lark import Token

from lacelang import ir
from lacelang.errors import Diagnostic
from lacelang.language.positions import Text
from lacelang.language.scope import FIRST, Scope
from lacelang.semantics.check import Examined, examine
from lacelang.semantics.context import Module
from lacelang.semantics.modules import library_models
from lacelang.syntax.grammar import STATEMENTS
from lacelang.syntax.pieces import read_in_pieces
from lacelang.syntax.tokens import Tokens, tokenize


@frozen(eq=False, slots=False)
class Document:
    """A text as somebody types it. What is asked of it is computed once.

    Attributes:
        text: all of it.
        path: its file, from whose folder quoted imports count; None where it has none.
        root: the folder below which imported files lie; that of the file if None.
        opened: texts that stand for those of files, by their places, links followed.
    """

    text: str
    path: Path | None = None
    root: Path | None = None
    opened: Mapping[Path, str] = field(factory=dict)

    @cached_property
    def places(self) -> Text:
        """Its places."""
        return Text(self.text)

    @cached_property
    def examined(self) -> Examined:
        """What the checker knows of it."""
        # Somebody types here and there: what stays the same need not be read again.
        return examine(
            self.text,
            self.path,
            pedantic=True,
            root=self.root,
            opened=self.opened,
            reader=read_in_pieces,
        )

    @cached_property
    def _taken(self) -> Tokens:
        # Not those of the parser, which takes some away and puts others in where it mends a text.
        return tokenize(self.text)

    @property
    def tokens(self) -> Sequence[Token]:
        """Its tokens, without comments."""
        return self._taken.tokens

    @property
    def comments(self) -> Sequence[Token]:
        """Its comments."""
        return self._taken.comments

    @cached_property
    def scope(self) -> Scope:
        """What names mean in it, wherever they stand."""
        examined = self.examined
        declared = {**examined.module.visible_models, **examined.module.models}
        own = {name: model for name, model in declared.items() if model is not None}
        models = {**library_models(), **own, **examined.models}
        used: Sequence[ir.ModelSpec] = (*examined.models.values(), *own.values())
        model = used[0] if used else models.get(FIRST)
        return Scope(models, examined.module.named, examined.groups.models, model)

    def statement_start(self, offset: int) -> int:
        """Return where the statement begins, outside of braces, in which an offset lies."""
        start = depth = 0
        for token in self.tokens:
            if (token.start_pos or 0) >= offset:
                break
            if token.type in STATEMENTS and depth <= 0:
                start, depth = token.start_pos or 0, 0
            depth += (token.type == "LBRACE") - (token.type == "RBRACE")
        return start


def diagnostics(document: Document) -> tuple[Diagnostic, ...]:
    """Return all that is wrong and all that is odd with a document, in its order.

    What is wrong in a file that it imports is said at the import.
    """
    examined = document.examined
    module = examined.module
    found = [*examined.errors, *examined.warnings]
    own = [one for one in found if one.path == module.path]
    wrong = {one.path: one for one in reversed(examined.errors) if one.path != module.path}
    for node, other in module.imports:
        first = next((wrong[path] for path in _files_of(other) if path in wrong), None)
        if first is not None:
            message = f"in {Path(first.path or '').name}: {first.message}"
            own.append(
                evolve(
                    first,
                    message=message,
                    span=node.target.span,
                    path=module.path,
                    source=module.source,
                    fix=(),  # of another file
                )
            )
    return tuple(sorted(own, key=lambda one: (one.span.line, one.span.column)))


def _files_of(module: Module) -> Iterator[str | None]:
    """Yield the file of a module, and those that it imports, each once."""
    pending, seen = [module], {id(module)}
    while pending:
        module = pending.pop()
        yield module.path
        for _, other in module.imports:
            if id(other) not in seen:
                seen.add(id(other))
                pending.append(other)

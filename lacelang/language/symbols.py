"""What a document declares and makes, as an outline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import field, frozen

from lacelang.errors import Span
from lacelang.language.document import Document
from lacelang.syntax import nodes


@frozen
class Symbol:
    """Something with a name: what it is, all of it, its name, and what is inside.

    `kind` is `model`, `attribute`, `condition`, `number`, `function`, `group`, `measure`,
    `expectation`, `loop` or `import`.
    """

    name: str
    kind: str
    span: Span
    selection: Span
    about: str = ""
    children: tuple[Symbol, ...] = field(default=())


def symbols(document: Document) -> tuple[Symbol, ...]:
    """Return the outline of a document, in its order."""
    return tuple(_symbols(document.examined.module.program.statements))


def found_symbols(documents: Iterable[Document], query: str) -> Iterator[tuple[Document, Symbol]]:
    """Yield the symbols of documents, inner ones too, whose names hold the letters of a query."""
    wanted = query.casefold()
    for document in documents:
        pending = list(symbols(document))
        while pending:
            symbol = pending.pop(0)
            pending = [*symbol.children, *pending]
            if symbol.kind != "import" and _holds(symbol.name.casefold(), wanted):
                yield document, symbol


def _holds(name: str, letters: str) -> bool:
    rest = iter(name)
    return all(letter in rest for letter in letters)


def _symbols(statements: Iterable[nodes.Statement]) -> Iterator[Symbol]:
    for node in statements:
        match node:
            case nodes.Model(name, items):
                inside = tuple(
                    Symbol(item.name.name, "attribute", item.span, item.name.span)
                    for item in items
                    if isinstance(item, nodes.Attribute)
                )
                yield Symbol(name.name, "model", node.span, name.span, "", inside)
            case nodes.Import(target):
                yield Symbol(target.name, "import", node.span, target.span)
            case nodes.Let(name, value):
                kind = "number" if isinstance(value, nodes.Quantity) else "condition"
                yield Symbol(name.name, kind, node.span, name.span)
            case nodes.Def(name, parameters):
                about = f"({', '.join(word.name for word in parameters)})"
                yield Symbol(name.name, "function", node.span, name.span, about)
            case nodes.For(variable, _, body):
                inside = tuple(_symbols(body))
                yield Symbol(variable.name, "loop", node.span, variable.span, "for", inside)
            case nodes.Expect(_, _, group):
                yield Symbol(group.name, "expectation", node.span, group.span, "expect")
            case _:
                yield _run(node)


def _run(
    node: nodes.Sample | nodes.Photo | nodes.Edit | nodes.Pick | nodes.Measure,
) -> Symbol:
    word = type(node).__name__.lower()
    kind = "measure" if isinstance(node, nodes.Measure) else "group"
    named = next((c.name for c in node.clauses if isinstance(c, nodes.AsClause)), None)
    if named is not None:
        return Symbol(named.name or word, kind, node.span, named.span, word)
    start = node.span
    head = Span(start.line, start.column, start.line, start.column + len(word))
    return Symbol(word, kind, node.span, head)

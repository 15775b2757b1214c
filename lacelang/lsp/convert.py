"""From what `language` says to the types of the Language Server Protocol, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen
from lsprotocol import types

from lacelang.errors import Change, Diagnostic, Span
from lacelang.language.completion import Offer
from lacelang.language.document import Document
from lacelang.language.folding import Fold
from lacelang.language.positions import Position, Text
from lacelang.language.semantic_tokens import MODIFIERS, TYPES, SemanticToken
from lacelang.language.signatures import Signature
from lacelang.language.symbols import Symbol
from lacelang.semantics.context import is_pedantic

_COMPLETIONS = {
    "attribute": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.EnumMember,
    "unit": types.CompletionItemKind.Unit,
    "definition": types.CompletionItemKind.Function,
    "variable": types.CompletionItemKind.Variable,
    "model": types.CompletionItemKind.Class,
    "group": types.CompletionItemKind.Struct,
    "module": types.CompletionItemKind.Module,
    "sampler": types.CompletionItemKind.Method,
    "option": types.CompletionItemKind.Field,
}
_SYMBOLS = {
    "model": types.SymbolKind.Class,
    "attribute": types.SymbolKind.Property,
    "condition": types.SymbolKind.Boolean,
    "number": types.SymbolKind.Number,
    "function": types.SymbolKind.Function,
    "group": types.SymbolKind.Array,
    "measure": types.SymbolKind.Event,
    "expectation": types.SymbolKind.Event,
    "loop": types.SymbolKind.Namespace,
    "import": types.SymbolKind.Module,
}
_FOLDS = {
    "region": types.FoldingRangeKind.Region,
    "comment": types.FoldingRangeKind.Comment,
    "imports": types.FoldingRangeKind.Imports,
}
LEGEND = types.SemanticTokensLegend(list(TYPES), list(MODIFIERS))


@frozen
class Converter:
    """Places of one text in the units that an editor and this server have agreed on."""

    text: Text
    encoding: str = "utf-16"

    def position(self, place: types.Position) -> Position:
        """Return a position of the editor's."""
        return self.text.position(self._offset(place))

    def span(self, stretch: types.Range) -> Span:
        """Return a range of the editor's."""
        return self.text.span(self._offset(stretch.start), self._offset(stretch.end))

    def range(self, span: Span) -> types.Range:
        """Return a span as a range."""
        start, end = self.text.offsets(span)
        return types.Range(self._place(start), self._place(end))

    def edits(self, changes: Iterable[Change]) -> list[types.TextEdit]:
        """Return changes as edits."""
        return [types.TextEdit(self.range(change.span), change.text) for change in changes]

    def diagnostic(self, one: Diagnostic) -> types.Diagnostic:
        """Return a diagnostic, its hint below its message."""
        severity = types.DiagnosticSeverity.Error
        if one.severity == "warning":
            pedantic = is_pedantic(one.code)
            severity = types.DiagnosticSeverity.Information if pedantic else severity.Warning
        unused = one.code == "LACE511"
        return types.Diagnostic(
            range=self.range(one.span),
            message=one.message if one.hint is None else f"{one.message}\nhint: {one.hint}",
            severity=severity,
            code=one.code,
            source="lace",
            tags=[types.DiagnosticTag.Unnecessary] if unused else None,
        )

    def completion(self, offer: Offer, span: Span, rank: int) -> types.CompletionItem:
        """Return a completion in place of a span; `rank` keeps them in their order."""
        return types.CompletionItem(
            label=offer.word,
            kind=_COMPLETIONS.get(offer.kind, types.CompletionItemKind.Keyword),
            detail=offer.about or None,
            sort_text=f"{rank:04}",
            text_edit=types.TextEdit(self.range(span), offer.word),
        )

    def symbol(self, symbol: Symbol) -> types.DocumentSymbol:
        """Return a symbol with those inside of it."""
        return types.DocumentSymbol(
            name=symbol.name,
            kind=_SYMBOLS[symbol.kind],
            range=self.range(symbol.span),
            selection_range=self.range(symbol.selection),
            detail=symbol.about or None,
            children=[self.symbol(child) for child in symbol.children],
        )

    def fold(self, fold: Fold) -> types.FoldingRange:
        """Return a fold."""
        first, last = (self.range(Span(n, 1, n, 1)).start.line for n in (fold.first, fold.last))
        return types.FoldingRange(first, last, kind=_FOLDS[fold.kind])

    def signature(self, found: Signature) -> types.SignatureHelp:
        """Return a signature."""
        parameters = [
            types.ParameterInformation((one.start, one.end), one.about or None)
            for one in found.parameters
        ]
        known = types.SignatureInformation(found.label, found.about or None, parameters)
        return types.SignatureHelp([known], 0, found.active)

    def tokens(self, tokens: Sequence[SemanticToken]) -> types.SemanticTokens:
        """Return tokens, each relative to the one before."""
        data: list[int] = []
        line = character = 0
        for token in tokens:
            start, end = self._place(token.start), self._place(token.end)
            if start.line != end.line:
                continue
            if start.line != line:
                character = 0
            flags = sum(1 << MODIFIERS.index(each) for each in token.modifiers)
            length = end.character - start.character
            data += [start.line - line, start.character - character, length]
            data += [TYPES.index(token.type), flags]
            line, character = start.line, start.character
        return types.SemanticTokens(data)

    def _offset(self, place: types.Position) -> int:
        return self.text.from_editor(place.line, place.character, self.encoding)

    def _place(self, offset: int) -> types.Position:
        return types.Position(*self.text.in_editor(offset, self.encoding))


def converter(document: Document, encoding: str) -> Converter:
    """Return what converts places of a document."""
    return Converter(document.places, encoding)

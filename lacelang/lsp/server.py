"""The language server: buffers of an editor, one worker that reads them, answers.

All reading of programs happens in one thread beside that of the messages: a text that takes long to
read delays what is asked of it, and nothing else; a newer text takes its place. Nothing is written,
fetched or run.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from lacelang.errors import LaceError, unexpected
from lacelang.language.actions import actions, fix_all
from lacelang.language.completion import Offer, completions
from lacelang.language.document import Document, diagnostics
from lacelang.language.folding import folds
from lacelang.language.formatting import formatted
from lacelang.language.hover import hover, of_offer
from lacelang.language.navigation import Place, definition, references, renamable, rename
from lacelang.language.positions import Text
from lacelang.language.semantic_tokens import semantic_tokens
from lacelang.language.signatures import signature
from lacelang.language.symbols import found_symbols, symbols
from lacelang.lsp.buffers import Buffer, Buffers, path_of, uri_of
from lacelang.lsp.convert import LEGEND, Converter, converter
from lacelang.version import __version__

T = TypeVar("T")

PAUSE = 0.005
"""Seconds without another keystroke after which a text is read."""

_MOST_SYMBOLS = 500
_FIX_ALL = types.CodeActionKind.SourceFixAll


class LaceServer(LanguageServer):
    """What an editor speaks with."""

    def __init__(self) -> None:
        # The text is sent whole with each change: editors and Python disagree on what ends a line.
        full = types.TextDocumentSyncKind.Full
        super().__init__("lacelang", __version__, text_document_sync_kind=full)
        self.buffers = Buffers()
        self._worker = ThreadPoolExecutor(1, "programs")
        self._pending: dict[str, asyncio.Task[None]] = {}
        self._register()

    def serve(self) -> None:
        """Answer messages from standard input until the editor leaves."""
        # Messages go to standard output, and nothing else may.
        logging.getLogger("pygls").setLevel(logging.CRITICAL)
        # Reading a text makes many objects and no cycles: to look for some takes time alone.
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        stdin, stdout = sys.__stdin__, sys.__stdout__
        assert stdin is not None
        assert stdout is not None
        self.start_io(cast(BinaryIO, stdin.buffer), cast(BinaryIO, stdout.buffer))

    @property
    def _encoding(self) -> str:
        agreed = self.workspace.position_encoding
        return str(getattr(agreed, "value", agreed) or "utf-16")

    async def _work(self, job: Callable[[], T]) -> T:
        """Do something in the worker; what goes wrong there ends that request alone."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, job)
        except LaceError as error:
            raise JsonRpcInvalidParams(str(error)) from None
        except Exception as error:
            said = types.LogMessageParams(types.MessageType.Error, unexpected(error))
            self.window_log_message(said)
            raise JsonRpcInvalidParams(f"unexpected {type(error).__name__}") from None

    async def _ask(self, uri: str, question: Callable[[Document, Converter], T]) -> T | None:
        """Answer a question about a buffer; None if it is not open."""

        def job() -> T | None:
            document = self.buffers.document(uri)
            if document is None:
                return None
            return question(document, converter(document, self._encoding))

        return await self._work(job)

    # Buffers and their diagnostics

    def _changed(self, uris: list[str]) -> None:
        """Have the diagnostics of buffers made anew after a pause, unless they change again."""
        for uri in uris:
            if (pending := self._pending.get(uri)) is not None:
                pending.cancel()
            self._pending[uri] = asyncio.ensure_future(self._diagnose(uri))

    async def _diagnose(self, uri: str) -> None:
        await asyncio.sleep(PAUSE)
        version = self.buffers.version(uri)

        def found(document: Document, place: Converter) -> list[types.Diagnostic]:
            return [place.diagnostic(one) for one in diagnostics(document)]

        made = await self._ask(uri, found)
        if made is not None and self.buffers.version(uri) == version:
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri, made, version)
            )

    # Places

    def _location(self, place: Place, document: Document) -> types.Location | None:
        if place.path is None or place.path == document.path:
            own = converter(document, self._encoding)
            uri = next((u for u in self._uris() if self.buffers.document(u) is document), None)
            return None if uri is None else types.Location(uri, own.range(place.span))
        text = Text(self.buffers.text(place.path))
        there = Converter(text, self._encoding).range(place.span)
        return types.Location(self._open_uri(place.path), there)

    def _uris(self) -> list[str]:
        return list(self.workspace.text_documents)

    def _edit(self, document: Document, uri: str, new: str, at: Any) -> types.WorkspaceEdit:
        """Return the edit that renames what stands at a position."""
        edits: list[Any] = []
        others = list(self.buffers.others(document))
        for one in rename(document, at, new, others):
            own = one.path is None or one.path == document.path
            place = converter(document, self._encoding)
            where, version = uri, self.buffers.version(uri)
            if not own and one.path is not None:
                place = Converter(Text(self.buffers.text(one.path)), self._encoding)
                where = self._open_uri(one.path)
                version = self.buffers.version(where)
            named = types.OptionalVersionedTextDocumentIdentifier(where, version)
            edits.append(types.TextDocumentEdit(named, list(place.edits(one.changes))))
        return types.WorkspaceEdit(document_changes=edits)

    def _open_uri(self, path: Path) -> str:
        """Return the address of a file, as the editor spells it if it is open."""
        spelt = uri_of(path)
        same = (u for u in self._uris() if (p := path_of(u)) is not None and uri_of(p) == spelt)
        return next(same, spelt)

    # Requests

    def _register(self) -> None:
        for name, options, handler in self._features():
            self.feature(name, options)(handler)

    def _features(self) -> list[tuple[str, Any, Callable[..., Any]]]:
        """Return what the server can do: the name of each, its options and what does it."""

        async def initialized(params: types.InitializedParams) -> None:
            folders = (path_of(each.uri) for each in self.workspace.folders.values())
            self.buffers.folders = [folder for folder in folders if folder is not None]
            if not self.buffers.folders and self.workspace.root_path:
                self.buffers.folders = [Path(self.workspace.root_path)]

        async def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
            await initialized(types.InitializedParams())

        async def opened(params: types.DidOpenTextDocumentParams) -> None:
            one = params.text_document
            self._changed(self.buffers.put(Buffer(one.uri, one.text, one.version)))

        async def changed(params: types.DidChangeTextDocumentParams) -> None:
            one = params.text_document
            text = self.workspace.get_text_document(one.uri).source
            self._changed(self.buffers.put(Buffer(one.uri, text, one.version)))

        async def saved(params: types.DidSaveTextDocumentParams) -> None:
            self._changed(self.buffers.noted())

        async def closed(params: types.DidCloseTextDocumentParams) -> None:
            uri = params.text_document.uri
            if (pending := self._pending.pop(uri, None)) is not None:
                pending.cancel()
            self._changed(self.buffers.close(uri))
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

        async def complete(params: types.CompletionParams) -> types.CompletionList | None:
            def found(document: Document, place: Converter) -> types.CompletionList:
                made = completions(document, place.position(params.position))
                items = [place.completion(o, made.span, n) for n, o in enumerate(made.offers)]
                for item, offer in zip(items, made.offers, strict=True):
                    item.data = [params.text_document.uri, offer.word, offer.about, offer.kind]
                return types.CompletionList(is_incomplete=False, items=items)

            return await self._ask(params.text_document.uri, found)

        async def resolve(item: types.CompletionItem) -> types.CompletionItem:
            data: Any = item.data
            if isinstance(data, list) and len(data) == 4 and all(isinstance(d, str) for d in data):
                uri, *words = data
                said = await self._ask(uri, lambda document, _: of_offer(document, Offer(*words)))
                item.documentation = _markdown(said) if said else None
            return item

        async def hovered(params: types.HoverParams) -> types.Hover | None:
            def found(document: Document, place: Converter) -> types.Hover | None:
                said = hover(document, place.position(params.position))
                if said is None:
                    return None
                return types.Hover(_markdown(said.markdown), place.range(said.span))

            return await self._ask(params.text_document.uri, found)

        async def called(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
            def found(document: Document, place: Converter) -> types.SignatureHelp | None:
                said = signature(document, place.position(params.position))
                return None if said is None else place.signature(said)

            return await self._ask(params.text_document.uri, found)

        async def declared(params: types.DefinitionParams) -> types.Location | None:
            def found(document: Document, place: Converter) -> types.Location | None:
                at = definition(document, place.position(params.position))
                return None if at is None else self._location(at, document)

            return await self._ask(params.text_document.uri, found)

        async def used(params: types.ReferenceParams) -> list[types.Location] | None:
            def found(document: Document, place: Converter) -> list[types.Location]:
                at = place.position(params.position)
                declaration = definition(document, at)
                places = references(document, at, self.buffers.others(document))
                if not params.context.include_declaration:
                    places = tuple(each for each in places if each != declaration)
                return [one for each in places if (one := self._location(each, document))]

            return await self._ask(params.text_document.uri, found)

        async def renaming(params: types.PrepareRenameParams) -> types.Range | None:
            def found(document: Document, place: Converter) -> types.Range:
                return place.range(renamable(document, place.position(params.position)).span)

            return await self._ask(params.text_document.uri, found)

        async def renamed(params: types.RenameParams) -> types.WorkspaceEdit | None:
            uri = params.text_document.uri

            def found(document: Document, place: Converter) -> types.WorkspaceEdit:
                return self._edit(document, uri, params.new_name, place.position(params.position))

            return await self._ask(uri, found)

        async def outlined(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
            return await self._ask(
                params.text_document.uri,
                lambda document, place: [place.symbol(one) for one in symbols(document)],
            )

        async def searched(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
            return await self._work(lambda: self._found(params.query))

        async def folded(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
            return await self._ask(
                params.text_document.uri,
                lambda document, place: [place.fold(one) for one in folds(document)],
            )

        async def colored(params: types.SemanticTokensParams) -> types.SemanticTokens | None:
            return await self._ask(
                params.text_document.uri,
                lambda document, place: place.tokens(semantic_tokens(document)),
            )

        async def laid_out(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
            def found(document: Document, place: Converter) -> list[types.TextEdit]:
                change = formatted(document)
                return place.edits([change] if change is not None else [])

            return await self._ask(params.text_document.uri, found)

        async def offered(params: types.CodeActionParams) -> list[types.CodeAction] | None:
            uri, wanted = params.text_document.uri, params.context.only
            return await self._ask(
                uri, lambda document, place: self._actions(document, place, uri, params, wanted)
            )

        triggers = types.CompletionOptions(
            trigger_characters=["=", "(", ",", "[", "{", "~"], resolve_provider=True
        )
        kinds = types.CodeActionOptions([types.CodeActionKind.QuickFix, _FIX_ALL])
        return [
            (types.INITIALIZED, None, initialized),
            (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, None, folders),
            (types.TEXT_DOCUMENT_DID_OPEN, None, opened),
            (types.TEXT_DOCUMENT_DID_CHANGE, None, changed),
            (types.TEXT_DOCUMENT_DID_SAVE, None, saved),
            (types.TEXT_DOCUMENT_DID_CLOSE, None, closed),
            (types.TEXT_DOCUMENT_COMPLETION, triggers, complete),
            (types.COMPLETION_ITEM_RESOLVE, None, resolve),
            (types.TEXT_DOCUMENT_HOVER, None, hovered),
            (
                types.TEXT_DOCUMENT_SIGNATURE_HELP,
                types.SignatureHelpOptions(trigger_characters=["(", ","]),
                called,
            ),
            (types.TEXT_DOCUMENT_DEFINITION, None, declared),
            (types.TEXT_DOCUMENT_REFERENCES, None, used),
            (types.TEXT_DOCUMENT_PREPARE_RENAME, None, renaming),
            (types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True), renamed),
            (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, None, outlined),
            (types.WORKSPACE_SYMBOL, None, searched),
            (types.TEXT_DOCUMENT_FOLDING_RANGE, None, folded),
            (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND, colored),
            (types.TEXT_DOCUMENT_FORMATTING, None, laid_out),
            (types.TEXT_DOCUMENT_CODE_ACTION, kinds, offered),
        ]

    def _found(self, query: str) -> list[types.WorkspaceSymbol]:
        found: list[types.WorkspaceSymbol] = []
        for document, symbol in found_symbols(self.buffers.all(), query):
            place = converter(document, self._encoding)
            at = self._location(Place(document.path, symbol.selection), document)
            if document.path is not None and at is None:
                at = types.Location(uri_of(document.path), place.range(symbol.selection))
            if at is not None:
                found.append(types.WorkspaceSymbol(at, symbol.name, place.symbol(symbol).kind))
            if len(found) >= _MOST_SYMBOLS:
                break
        return found

    def _actions(
        self,
        document: Document,
        place: Converter,
        uri: str,
        params: types.CodeActionParams,
        wanted: Any,
    ) -> list[types.CodeAction]:
        found: list[types.CodeAction] = []
        every = fix_all(document)
        quick = actions(document, place.span(params.range))
        for action in (*quick, *([every] if every is not None else [])):
            kind = _FIX_ALL if every is not None and action == every else None
            kind = kind or types.CodeActionKind.QuickFix
            if wanted and not any(_is_kind(kind, each) for each in wanted):
                continue
            if any(one.title == action.title and one.kind == kind for one in found):
                continue
            named = types.OptionalVersionedTextDocumentIdentifier(uri, self.buffers.version(uri))
            edit = types.TextDocumentEdit(named, list(place.edits(action.changes)))
            found.append(
                types.CodeAction(
                    title=action.title,
                    kind=kind,
                    diagnostics=[place.diagnostic(one) for one in action.diagnostics],
                    is_preferred=len(action.diagnostics) == 1,
                    edit=types.WorkspaceEdit(document_changes=[edit]),
                )
            )
        return found


def _is_kind(kind: str, wanted: str) -> bool:
    return str(getattr(kind, "value", kind)).startswith(str(getattr(wanted, "value", wanted)))


def _markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, text)

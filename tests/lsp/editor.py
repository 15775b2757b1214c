"""An editor, for the tests: a client of the protocol that starts the server as editors do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

SECONDS = 60.0


class Editor(LanguageClient):
    """Opens and changes texts, and waits for their diagnostics."""

    def __init__(self) -> None:
        super().__init__("an-editor", "1")
        self.published: dict[str, types.PublishDiagnosticsParams] = {}
        self.said: list[str] = []
        self._news = asyncio.Event()
        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: self._note(params))
        self.feature(types.WINDOW_LOG_MESSAGE)(lambda params: self.said.append(params.message))

    def _note(self, params: types.PublishDiagnosticsParams) -> None:
        self.published[params.uri] = params
        self._news.set()

    def open(self, uri: str, text: str, version: int = 1) -> None:
        item = types.TextDocumentItem(uri, "lace", version, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, uri: str, text: str, version: int) -> None:
        named = types.VersionedTextDocumentIdentifier(version, uri)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(named, [whole]))

    async def diagnostics(
        self, uri: str, version: int = 1, until: Callable[[list[Any]], bool] = lambda found: True
    ) -> list[types.Diagnostic]:
        """Wait for the diagnostics of a version of a text."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = self.published.get(uri)
                if found is not None and found.version == version:
                    made = list(found.diagnostics)
                    if until(made):
                        return made
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def editor(
    folder: Path | None = None, encodings: list[Any] | None = None, **environment: str
) -> AsyncIterator[Editor]:
    """Start the server, in a folder if one is given, and end it as an editor does."""
    import os

    client = Editor()
    env = {**os.environ, **environment}
    await client.start_io(sys.executable, "-m", "lacelang", "lsp", env=env)
    general = types.GeneralClientCapabilities(position_encodings=encodings)
    folders = [types.WorkspaceFolder(folder.as_uri(), folder.name)] if folder else None
    await client.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(general=general), workspace_folders=folders
        )
    )
    client.initialized(types.InitializedParams())
    try:
        yield client
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
    assert not client.said, client.said


def at(text: str, needle: str, by: int = 0) -> types.Position:
    """Return where a text holds another, in UTF-16 units."""
    before = text[: text.index(needle) + by]
    line = before.count("\n")
    return types.Position(line, len(before.rpartition("\n")[2].encode("utf-16-le")) // 2)


def named(uri: str) -> types.TextDocumentIdentifier:
    return types.TextDocumentIdentifier(uri)


def run(conversation: Callable[[], Awaitable[None]]) -> None:
    """Hold a conversation, in bounded time."""

    async def bounded() -> None:
        async with asyncio.timeout(2 * SECONDS):
            await conversation()

    asyncio.run(bounded())

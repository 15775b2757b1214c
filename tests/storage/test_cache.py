"""What the cache holds is verified before use: damage of any kind is set aside and made anew."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lacelang.storage import checks
from lacelang.storage.arrays import packed, unpacked
from lacelang.storage.cache import MANIFEST, kept, kept_arrays, set_aside

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

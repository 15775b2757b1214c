"""Files out of archives that a stranger made."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lacelang.errors import ResourceError
from lacelang.storage import archives
from lacelang.storage.archives import member

NAME = "pkg/weights.bin"


def tar(path: Path, info: tarfile.TarInfo, data: bytes = b"", mode: str = "w:gz") -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        archive.addfile(info, io.BytesIO(data))


def entry(kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(NAME)
    info.type, info.size, info.linkname = kind, size, link
    return info


def zipped(path: Path, data: bytes = b"abc", method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(NAME, data)


def encrypted(path: Path) -> None:
    zipped(path)
    data = path.read_bytes().replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    )
    path.write_bytes(data)


def large_header(path: Path) -> None:
    """A header that announces 3 GiB of text about the file behind it."""
    info = tarfile.TarInfo("./PaxHeaders/x")
    info.type, info.size = tarfile.XHDTYPE, 3 * 2**30
    path.write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(2**20)))


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "bzip2": (lambda path: zipped(path, method=zipfile.ZIP_BZIP2), "another way"),
    "lzma": (lambda path: zipped(path, method=zipfile.ZIP_LZMA), "another way"),
    "encrypted": (encrypted, "archive is encrypted"),
    "zip of zeros": (lambda path: zipped(path, bytes(3 * 2**20)), "larger than"),
    "tar of zeros": (lambda path: tar(path, entry(size=3 * 2**20), bytes(3 * 2**20)), "larger"),
    "symbolic link": (lambda path: tar(path, entry(tarfile.SYMTYPE, link="/etc/passwd")), "a link"),
    "hard link": (lambda path: tar(path, entry(tarfile.LNKTYPE, link="../x")), "a link"),
    "device": (lambda path: tar(path, entry(tarfile.CHRTYPE)), "no file"),
    "folder": (lambda path: tar(path, entry(tarfile.DIRTYPE)), "no file"),
    "large header": (large_header, "larger than"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(archives, "LARGEST", 2 * 2**20)
    make, words = REFUSED[kind]
    path = tmp_path / "archive"
    make(path)
    tracemalloc.start()
    with pytest.raises(ResourceError, match=words):
        member(path, NAME)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 2**20


@pytest.mark.parametrize("mode", ["w:", "w:gz"])
def test_what_is_read(tmp_path: Path, mode: str) -> None:
    tar(tmp_path / "s.tar", entry(size=3), b"abc", mode)
    zipped(tmp_path / "s.zip")
    zipped(tmp_path / "stored.zip", method=zipfile.ZIP_STORED)
    for name in ("s.tar", "s.zip", "stored.zip"):
        assert member(tmp_path / name, NAME) == b"abc"


@pytest.mark.parametrize("mode", ["w:bz2", "w:xz"])
def test_tar_archives_are_plain_or_gzip(tmp_path: Path, mode: str) -> None:
    tar(tmp_path / "s.tar", entry(size=3), b"abc", mode)
    with pytest.raises(ResourceError, match="cannot read"):
        member(tmp_path / "s.tar", NAME)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_no_damage_escapes(tmp_path: Path, kind: str) -> None:
    """Every byte in its turn: the content or an error in words, and nothing else."""
    path = tmp_path / "archive"
    if kind == "zip":
        zipped(path, bytes(range(256)))
    else:
        tar(path, entry(size=256), bytes(range(256)), "w:gz" if kind == "tar.gz" else "w:")
    whole = path.read_bytes()
    for place in range(0, min(len(whole), 1500), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            member(path, NAME)
        except ResourceError:
            continue

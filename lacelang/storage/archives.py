"""Files out of wheels and source archives, read one by one and never unpacked to the disk."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

from lacelang.errors import ResourceError

LARGEST = 512 * 2**20
"""Bytes of a file in an archive."""

UNPACKED = 4 * 2**30
"""Bytes of a compressed tar archive up to the end of the file that is read."""

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
# RuntimeError: what `zipfile` does not know. ValueError: sizes and texts that cannot be.
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)


class _RefusedError(Exception):
    """A file in an archive is not one to be read; the message says why."""


def member(path: Path, name: str) -> bytes:
    """Read the file `name` out of a wheel (zip) or a source archive (tar, tar.gz).

    Raises:
        ResourceError: there is no such file, the archive is damaged, or the file is a link,
            encrypted, compressed in another way than wheels are, or larger than 512 MiB.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as wheel:
                return _of_zip(wheel, name)
        with path.open("rb") as file:
            return _of_tar(file, name)
    except _RefusedError as error:
        remedy = "name another archive in the model's declaration"
        raise ResourceError(f"{name} in {path} {error}", remedy) from None
    except KeyError as error:
        remedy = f"delete {path} and run again"
        raise ResourceError(f"there is no {name} in {path}", remedy) from error
    except _BROKEN as error:
        remedy = f"delete {path} and run again"
        raise ResourceError(f"cannot read {name} from {path}: {error}", remedy) from error


def _of_zip(wheel: zipfile.ZipFile, name: str) -> bytes:
    info = wheel.getinfo(name)
    if info.flag_bits & _ENCRYPTED:
        raise _RefusedError("is encrypted")
    if info.compress_type not in _METHODS:
        raise _RefusedError("is compressed in another way than wheels are")
    _refuse_large(info.file_size)
    return wheel.read(info)  # reads no more than the size says


def _of_tar(file: IO[bytes], name: str) -> bytes:
    compressed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    content: Any = gzip.GzipFile(fileobj=file) if compressed else file
    stream = _Bounded(content)
    with tarfile.open(fileobj=stream, mode="r:") as source:  # type: ignore[call-overload]
        for info in source:
            if info.name != name:
                continue
            if not info.isreg():
                raise _RefusedError("is a link, or no file at all")
            _refuse_large(info.size)
            found = source.extractfile(info)
            assert found is not None
            data: bytes = found.read()
            if len(data) < info.size:
                raise EOFError("it ends too early")
            return data
    raise KeyError(name)


def _refuse_large(size: int) -> None:
    if size > LARGEST:
        raise _RefusedError(f"is larger than {LARGEST // 2**20} MiB")


class _Bounded:
    """A file for reading of which no large piece is read at once, and no more than a total."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        # A header may announce any size for the text that follows it.
        _refuse_large(size)
        return self._file.read(size)

    def seek(self, place: int) -> int:
        if place > UNPACKED:
            raise _RefusedError(f"lies behind {UNPACKED // 2**30} GiB of other files")
        return self._file.seek(place)

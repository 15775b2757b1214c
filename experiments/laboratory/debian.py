"""Files out of a Debian package, which is fetched by apt, verified, and never installed."""

from __future__ import annotations

import lzma
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lacelang.errors import ResourceError
from lacelang.storage.archives import UNPACKED, member
from lacelang.storage.cache import sha256_of
from lacelang.storage.fetch import Archive

_MAGIC = b"!<arch>\n"
_HEADER = 60
_PIECE = 1 << 20


@contextmanager
def fetched(package: Archive) -> Iterator[Path]:
    """Give the path of the package in a temporary folder, downloaded by apt.

    Raises:
        ResourceError: there is no apt, it cannot download the package, or that is another file.
    """
    elsewhere = f"get the files of {package} elsewhere, and name their folder"
    if shutil.which("apt-get") is None:
        raise ResourceError(f"there is no apt-get here to fetch {package}", elsewhere)
    with tempfile.TemporaryDirectory() as folder:
        command = ["apt-get", "download", "-q", f"{package.package}={package.version}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        files = list(Path(folder).glob("*.deb"))
        if done.returncode or len(files) != 1:
            why = (done.stderr.strip().splitlines() or ["no file came"])[-1]
            raise ResourceError(f"apt-get cannot fetch {package}: {why}", elsewhere)
        if sha256_of(files[0]) != package.sha256:
            raise ResourceError(
                f"{package} is damaged or is not the file that was pinned", elsewhere
            )
        yield files[0]


def members(package: Path, *names: str) -> Iterator[bytes]:
    """Read files, `./usr/…`, out of a package whose files are in `data.tar.xz`.

    A package is an `ar` archive: headers of 60 bytes, each with a name, 48 bytes in a size in
    decimal digits, and a file padded to an even length.

    Raises:
        ResourceError: it is no such archive, or lacks a file.
    """
    with tempfile.NamedTemporaryFile(suffix=".tar") as unpacked:
        try:
            _unpack(package, Path(unpacked.name))
        except (OSError, ValueError, lzma.LZMAError, EOFError) as error:
            raise ResourceError(
                f"{package} is no Debian package of the usual form: {error}", "fetch it again"
            ) from error
        for name in names:
            yield member(Path(unpacked.name), name)


def _unpack(package: Path, target: Path) -> None:
    with package.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("it is no ar archive")
        while header := file.read(_HEADER):
            size = int(header[48:58])
            if header[:16].rstrip(b" /") != b"data.tar.xz":
                file.seek(size + size % 2, 1)
                continue
            left = UNPACKED
            with lzma.open(file) as stream, target.open("wb") as out:
                while piece := stream.read(_PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise ValueError("it is too large")
                    out.write(piece)
            return
    raise ValueError("it has no data.tar.xz")

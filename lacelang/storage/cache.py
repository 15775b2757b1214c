"""The user's cache: where it is, how files get into it whole, and one writer at a time."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lacelang.errors import ResourceError
from lacelang.storage.files import FULL, read_regular, sweep_parts, whole
from lacelang.system.threads import checkpoint
from lacelang.text.channels import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lacelang.storage.arrays import Arrays

#: Environment variable that moves the cache.
CACHE_VARIABLE = "LACELANG_CACHE"

MANIFEST = "manifest.json"
"""In a folder of converted weights, the SHA-256 of each file beside it."""
_LONGEST_MANIFEST = 1 << 20


def cache_dir() -> Path:
    """The folder for fetched and converted weights; not created by asking."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("lacelang", appauthor=False)


def sha256_of(path: Path) -> str:
    """SHA-256 of a regular file, in hexadecimal."""
    if not path.is_file():
        # A pipe may never end.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def holding(file: Path, busy: Callable[[], object]) -> Iterator[None]:
    """Hold the lock `file`, which stays: if it were removed, two processes could hold it.

    `busy` is called if another process holds it; unless that raises, wait for it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        busy()
        while not lock.is_locked:
            checkpoint()
            with suppress(Timeout):
                lock.acquire(timeout=0.5)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold the lock of `path`, so that of two processes one makes it and one waits.

    What a killed process left of it is removed. `waiting` is said on standard error if another
    process holds the lock.
    """

    def busy() -> None:
        say(f"{waiting}: another process is doing this; waiting for it")

    with ExitStack() as stack:
        with guarded(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(holding(path.parent / f".{path.name}.lock", busy))
        sweep_parts(path.parent, path.name)
        yield


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name for a file or folder of the cache, as `files.whole` does."""
    with guarded(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as part:
            yield part


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Turn a failed write below `folder` into a `ResourceError` with a remedy."""
    try:
        yield
    except OSError as error:
        remedy = f"free some space or name another folder with {CACHE_VARIABLE}=DIR"
        message = f"cannot write to the cache {folder}: {error.strerror or error}"
        if error.errno in FULL:
            message = f"no space left in the cache {folder}"
        raise ResourceError(message, remedy) from error


def made(
    path: Path, doing: str, make: Callable[[Path], None], is_whole: Callable[[], bool]
) -> Path:
    """Return a file or folder of the cache: made by one process, whole or not at all.

    What is there and not whole is set aside as `NAME.damaged`, and made anew. `doing` is said to a
    process that waits for another.
    """
    if not is_whole():
        with locked(path, doing):
            if not is_whole():  # another process may just have made it
                set_aside(path)
                with whole_file(path) as part:
                    make(part)
    return path


def kept(folder: Path, doing: str, make: Callable[[Path], None], *names: str) -> Path:
    """Return a folder of the cache, in which these files, or all, are as they were when made.

    `make` is given an empty folder; the digests of what it writes there are kept in `MANIFEST`.
    """

    def make_all(part: Path) -> None:
        part.mkdir()
        make(part)
        digests = {path.name: sha256_of(path) for path in sorted(part.iterdir())}
        (part / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(_Manifest(digests))))

    return made(folder, doing, make_all, lambda: _is_as_made(folder, names))


def kept_arrays(path: Path, doing: str, make: Callable[[], Arrays]) -> dict[str, NDArray[Any]]:
    """Return arrays from a file of the cache, made now if it is missing or damaged."""
    # `check` keeps its grammar in the cache, and imports nothing heavy.
    import numpy as np

    from lacelang.storage.arrays import packed, unpacked

    def write(part: Path) -> None:
        arrays = {name: np.ascontiguousarray(each) for name, each in make().items()}
        part.write_bytes(packed(arrays))

    made(path, doing, write, lambda: unpacked(path) is not None)
    found = unpacked(path)
    if found is None:
        raise ResourceError(f"{path} cannot be read back", f"move the cache: {CACHE_VARIABLE}=DIR")
    return found.arrays


class _Manifest(msgspec.Struct):
    sha256: dict[str, str]


def _is_as_made(folder: Path, names: tuple[str, ...]) -> bool:
    try:
        said = read_regular(folder / MANIFEST, _LONGEST_MANIFEST) or b""
        digests = msgspec.json.decode(said, type=_Manifest).sha256
        # A manifest of nothing vouches for nothing.
        wanted = names or tuple(digests)
        return bool(wanted) and all(sha256_of(folder / name) == digests[name] for name in wanted)
    except (OSError, ValueError, KeyError, RecursionError):
        return False


def set_aside(path: Path) -> None:
    """Rename what is damaged in the cache to `NAME.damaged`, and say so; an older one is removed.

    Nothing is done where there is nothing.
    """
    with guarded(path.parent):
        if not os.path.lexists(path):
            return
        aside = path.with_name(f"{path.name}.damaged")
        if aside.is_dir() and not aside.is_symlink():
            shutil.rmtree(aside)
        else:
            aside.unlink(missing_ok=True)
        path.replace(aside)
    say(f"{path} is damaged: it is set aside as {aside.name}, and made again")

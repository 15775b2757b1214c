"""The user's cache: where it is, how files get into it whole, and one writer at a time."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.errors import ResourceError
from lacelang.system.threads import checkpoint

if TYPE_CHECKING:
    from filelock import FileLock

#: Environment variable that moves the cache.
CACHE_VARIABLE = "LACELANG_CACHE"


def cache_dir() -> Path:
    """The folder for fetched and converted weights; not created by asking."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("lacelang", appauthor=False)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold the lock that guards `path`, so that of two processes one fills it and one waits.

    Args:
        path: the file or folder about to be made; the lock is a file beside it.
        waiting: what to say on standard error if another process holds the lock.
    """
    import sys

    from filelock import FileLock, Timeout

    with guarded(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.parent / f".{path.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"{waiting}: another process is at it, waiting", file=sys.stderr)
        _await(lock)
    except OSError as error:
        raise write_error(path.parent, error) from error
    try:
        yield
    finally:
        lock.release()


def _await(lock: FileLock) -> None:
    from filelock import Timeout

    while True:
        checkpoint()
        try:
            lock.acquire(timeout=0.5)
            return
        except Timeout:
            continue


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it is renamed to `path`, else removed."""
    with guarded(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        # The ending stays last: some writers choose a format by it.
        partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
        try:
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Turn a failed write below `folder` into a `ResourceError` with a remedy."""
    try:
        yield
    except OSError as error:
        raise write_error(folder, error) from error


def write_error(folder: Path, error: OSError) -> ResourceError:
    """Say in a user's words why nothing could be written to the cache."""
    remedy = f"free some space or name another folder with {CACHE_VARIABLE}=DIR"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(f"no space left in the cache {folder}", remedy)
    return ResourceError(f"cannot write to the cache {folder}: {error.strerror or error}", remedy)


def made_once(folder: Path, proof: str, doing: str, make: Callable[[Path], None]) -> None:
    """Have a folder made where it is missing: by one process, whole or not at all.

    Args:
        folder: in the cache.
        proof: a file in it; without it the folder is made anew.
        doing: what is said to whoever waits for another process.
        make: writes the files into the empty folder that it is given.

    Raises:
        ResourceError: the folder cannot be written.
    """
    import shutil
    import tempfile

    if (folder / proof).is_file():
        return
    with locked(folder, doing), guarded(folder.parent):
        if (folder / proof).is_file():
            return  # another process has just made it
        partial = Path(tempfile.mkdtemp(prefix=f".partial-{folder.name}-", dir=folder.parent))
        try:
            make(partial)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

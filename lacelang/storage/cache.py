"""The user's cache: where it is, how files get into it whole, and one writer at a time."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lacelang.errors import ResourceError
from lacelang.storage.files import FULL, sweep_parts, whole
from lacelang.system.threads import checkpoint

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

    def say() -> None:
        print(f"{waiting}: another process is doing this; waiting for it", file=sys.stderr)

    with ExitStack() as stack:
        with guarded(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(holding(path.parent / f".{path.name}.lock", say))
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


def made_once(path: Path, doing: str, make: Callable[[Path], None], proof: str = "") -> None:
    """Make a file of the cache if it is missing: by one process, whole or not at all.

    With `proof` it is a folder, which is there if that file is in it; `make` is given an empty one.
    `doing` is said to a process that waits for another.
    """
    if (path / proof).is_file():
        return
    with locked(path, doing):
        if not (path / proof).is_file():  # another process may just have made it
            with whole_file(path) as part:
                if proof:
                    part.mkdir()
                make(part)

"""Files and folders that are whole or not there, and disk errors in the reader's words."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from lacelang.errors import ResourceError, another_folder
from lacelang.text.names import folded, nfc, with_few_marks

FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_FLUSH = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\.|$)", re.IGNORECASE
)
_NAME_BYTES = 120
_PART = re.compile(r"\.(.+)\.\d+\.part")


@contextlib.contextmanager
def whole(path: Path, flush: bool = False) -> Iterator[Path]:
    """Give a hidden name for a file or a folder, which is renamed to `path` at the end.

    `path` never holds half of it. `flush` waits until a file is on the disk itself, so that a power
    loss does not undo it.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if flush:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        if part.is_dir():
            _remove(path)
        elif path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
        if flush:
            flush_folder(path.parent)
    finally:
        # Left over after an error or an interrupt.
        with contextlib.suppress(OSError):
            _remove(part)


def write_atomic(path: Path, data: bytes, flush: bool = False) -> None:
    """Write `data` to `path`, which afterwards holds all of it or what it held before."""
    with disk_errors(path), whole(path, flush) as part:
        part.write_bytes(data)


def flush_folder(path: Path) -> None:
    """Wait until the names in the folder `path` are on the disk itself, if the system can."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            # Some network file systems have no such call for folders.
            if error.errno not in _NO_FLUSH:
                raise
        finally:
            os.close(descriptor)


def read_regular(path: Path, most: int) -> bytes | None:
    """Return what a regular file holds; None if there is none, or it is longer than `most`."""
    try:
        # A pipe or a device may never end.
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError):
        return None
    return data if len(data) <= most else None


def make_folder(path: Path) -> None:
    """Create the folder `path` and its parents."""
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def sweep_parts(folder: Path, name: str = "") -> None:
    """Remove what a killed process left half made in `folder`, of all files or of one name."""
    for part in folder.glob(".*.part"):
        match = _PART.fullmatch(part.name)
        if match and name in ("", match[1]):
            with contextlib.suppress(OSError):
                _remove(part)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_errors(path: Path, what: str = "written") -> Iterator[None]:
    """Raise what goes wrong in the block as a `disk_error`."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path, what) from error


def disk_error(error: OSError, path: Path, what: str = "written") -> ResourceError:
    """Turn what the system said about `path`, to be read or `written`, into words and a remedy."""
    if error.errno in FULL:
        return another_folder(
            f"no space left on the disk: {path} was not written",
            "free some space, or choose another folder; "
            "what is finished is kept, and the same program goes on from there",
        )
    if error.errno in _IN_THE_WAY:
        return another_folder(
            f"{path} cannot be written: a file stands where a folder is needed, "
            "or a folder where a file is"
        )
    reason = (error.strerror or type(error).__name__).lower()
    remedy = "choose a folder of your own" if error.errno in _DENIED else "choose another folder"
    return another_folder(f"{path} cannot be {what}: {reason}", remedy)


def folder_name(name: str, taken: Collection[str] = ()) -> str:
    """Turn a group's name, any text, into a folder's name that is safe on every file system.

    It differs from each name that is `taken` in more than case.
    """
    safe = _safe(name, _NAME_BYTES)
    used = {folded(other) for other in taken}
    candidate, number = safe, 2
    while folded(candidate) in used:
        ending = f"_{number}"
        candidate = _safe(safe, _NAME_BYTES - len(ending)) + ending
        number += 1
    return candidate


def is_folder_name(name: str) -> bool:
    """Whether `folder_name` can have made `name`: one visible folder, below the one it is in."""
    return folder_name(name) == name


def _safe(name: str, size: int) -> str:
    """Replace what some file system refuses or changes, and cut to so many bytes.

    What comes out goes in unchanged: a cut may let marks combine that were too many before.
    """
    before = None
    while name != before:
        before = name
        # Halves of characters, which only text from Python has.
        name = nfc(with_few_marks(name)).encode(errors="replace").decode()
        # A leading dot would hide the folder; a trailing dot or space is lost on Windows.
        name = _UNSAFE.sub("_", name).strip(" .") or "group"
        if _RESERVED.match(name):
            name = f"_{name}"
        name = name.encode()[:size].decode(errors="ignore").rstrip(" .")
    return name

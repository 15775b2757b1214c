"""Names of files, whatever the locale: what it cannot hold is UTF-8, as programs are."""

from __future__ import annotations

import os
from pathlib import Path


def on_disk(name: str) -> str:
    """Return a file's name as paths have it: in UTF-8 where the locale's encoding cannot hold it.

    Halves of characters, which no file's name can hold, are a UnicodeEncodeError.
    """
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return os.fsdecode(name.encode())
    return name


def as_text(name: str) -> str:
    """Return a file's name as text that UTF-8 can hold: a byte that is no text as `\\udce9`."""
    text = os.fsencode(on_disk(name)).decode(errors="surrogateescape")
    return text.encode(errors="backslashreplace").decode()


def resolved(path: Path) -> Path:
    """Return where a path leads, links followed; itself where that cannot be said."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return path

"""Streams that cannot make a command fail: missing ones, and encodings that lack a letter."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

# What Python takes where nobody chose: the second in the C locale, for names of files alone.
_FAILING = ("strict", "surrogateescape")


@contextmanager
def usable() -> Iterator[None]:
    """Let standard streams take any text; a stream that is closed or missing takes it to nowhere.

    A character that the encoding of a stream lacks is written as `\\xe9` or `\\u4e16`.
    """
    with _opened():
        changed = []
        for stream in (sys.stdout, sys.stderr):
            # Streams that somebody put in place may know neither.
            with suppress(AttributeError, ValueError, OSError):
                before = stream.errors
                if before in _FAILING:
                    stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
                    changed.append((stream, before))
        try:
            yield
        finally:
            for stream, before in changed:
                with suppress(ValueError, OSError):
                    stream.reconfigure(errors=before)  # type: ignore[union-attr]


@contextmanager
def _opened() -> Iterator[None]:
    missing = [name for name in ("stdin", "stdout", "stderr") if _is_gone(getattr(sys, name))]
    before = {name: getattr(sys, name) for name in missing}
    with ExitStack() as stack:
        for name in missing:
            mode = "r" if name == "stdin" else "w"
            stream = stack.enter_context(open(os.devnull, mode, encoding="utf-8"))
            setattr(sys, name, stream)
        try:
            yield
        finally:
            for name, stream in before.items():
                setattr(sys, name, stream)


def _is_gone(stream: Any) -> bool:
    return stream is None or bool(getattr(stream, "closed", False))


def write_program(text: str) -> None:
    """Write a program's text to standard output as UTF-8, which is what programs are."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    buffer.write(text.encode(errors="surrogateescape"))


def print_json(value: Any) -> None:
    """Print a value as JSON; where the encoding is not UTF-8, in ASCII alone."""
    import json

    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    print(json.dumps(value, indent=2, ensure_ascii=encoding != "utf8"))

"""Programs from files and from standard input."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from lacelang.errors import Diagnostic, LaceError, ResourceError, Span, UsageError
from lacelang.system.sources import MOST, TooLongError, read_file, read_stream

if TYPE_CHECKING:
    from lacelang.api import Program

STDIN = "-"

T = TypeVar("T")


@frozen
class Source:
    """A program's text and its file; `path` is None for standard input, and of an image's."""

    text: str
    path: Path | None
    image: Path | None = None


def compiled(source: Source, root: Path | None) -> Program:
    """Compile a program that imports files below `root`, and print its warnings."""
    from lacelang.api import Program, compile

    if source.image is not None:
        from lacelang.semantics.carried import checked
        from lacelang.storage.provenance import of_image

        program = Program(checked(source.image, of_image(source.image), None, root))
    else:
        program = compile(source.text, source.path, root=root)
    if program.warnings:
        from lacelang.syntax.render import render_all

        print(render_all(program.warnings), file=sys.stderr)
    return program


def attempted(
    name: str, as_json: bool, work: Callable[[Source], T], images: bool = False
) -> tuple[T | None, tuple[Diagnostic, ...], int]:
    """Read the file `name` and call `work`; return its result, the diagnostics and the exit code.

    A file that cannot be read raises an error; for JSON it is a diagnostic.
    """
    try:
        return work(read_source(name, images)), (), 0
    except LaceError as error:
        if not (error.diagnostics or as_json):
            raise
        unreadable = Diagnostic("LACE014", str(error), Span(1, 1, 1, 2), path=name)
        return None, error.diagnostics or (unreadable,), error.exit_code


def read_source(name: str, images: bool = False) -> Source:
    """Read the file `name`, or standard input for `-`; of `images`, the program that they carry.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        ResourceError: the disk fails.
        LaceError: it is not UTF-8 text, or too long for a program.
    """
    if not name:
        raise UsageError("a program's file has a name, not an empty one")
    shown = "standard input" if name == STDIN else name
    try:
        data = _standard_input() if name == STDIN else read_file(Path(name))
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"no such file: {shown}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{shown} is a folder, not a program") from error
    except TooLongError as error:
        if _is_image(name):
            return _of_image(Path(name), images)
        raise LaceError(f"{shown} {error}, and no program is") from error
    except UnicodeDecodeError as error:
        if _is_image(name):
            return _of_image(Path(name), images)
        line = data.count(b"\n", 0, error.start) + 1
        raise LaceError(f"{shown} is not UTF-8 text: byte {error.start}, line {line}") from error
    except ValueError as error:
        raise UsageError(f"cannot read {shown}: {error}") from error
    except OSError as error:
        kind = ResourceError if error.errno == errno.EIO else UsageError
        raise kind(f"cannot read {shown}: {(error.strerror or str(error)).lower()}") from error
    return Source(text, None if name == STDIN else Path(name))


def _is_image(name: str) -> bool:
    """Whether a file begins as PNG, JPEG, GIF or WebP do."""
    if name == STDIN:
        return False
    with Path(name).open("rb") as file:
        begin = file.read(4)
    return begin.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF"))


def _of_image(path: Path, wanted: bool) -> Source:
    if not wanted:
        raise UsageError(
            f"{path} is an image, not a program\n"
            f"`lacelang fmt {path}` prints the program that it carries, if it is of a run"
        )
    from lacelang.storage.provenance import of_image

    said = of_image(path)
    if said.program is None:
        raise UsageError(f"{path} does not carry its program, which was too long for an image")
    return Source(said.program, None, path)


def _standard_input() -> bytes:
    # A stream that replaces standard input may hold text only.
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        buffer = io.BytesIO(sys.stdin.read(MOST + 1).encode("utf-8", "surrogateescape"))
    return read_stream(buffer)

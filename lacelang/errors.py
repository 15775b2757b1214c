"""What can go wrong, as values a front end can print.

A wrong program becomes a list of `Diagnostic`s, carried by `ProgramError`. A failed environment
(no weights, no space, no network) becomes a `ResourceError` with a remedy.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal

from attrs import evolve, field, frozen
from attrs.converters import optional

from lacelang.text.hidden import displayed

Severity = Literal["error", "warning"]


@frozen
class Span:
    """A stretch of source text. Lines and columns count from 1; `end_column` is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


NOWHERE = Span(1, 1, 1, 1)
"""The span of what was built in Python and has no source text."""


LONGEST_MESSAGE = 400
"""Characters of a message; a name may be as long as the program, and is not printed twice."""


def _fit(text: str) -> str:
    text = displayed(text[: LONGEST_MESSAGE + 1])
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


@frozen
class Change:
    """A stretch of a text, or a place in it where the span is empty, and what to write there."""

    span: Span
    text: str


@frozen
class Diagnostic:
    """An error or warning about a program: a stable code, where, what, and a hint if any.

    `fix` are the changes that do what the hint says, where a machine can do it.
    """

    code: str
    message: str = field(converter=_fit)
    span: Span
    hint: str | None = field(default=None, converter=optional(_fit))
    severity: Severity = "error"
    path: str | None = None
    source: str = field(default="", repr=False, eq=False)
    fix: tuple[Change, ...] = field(default=(), repr=False, eq=False)


MOST_SHOWN = 200
"""Errors of one program that are shown: reading and checking stop when there are as many."""


def with_end(errors: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the errors that are shown; behind as many as there may be, one that says so."""
    shown = list(errors[:MOST_SHOWN])
    if len(shown) == MOST_SHOWN:
        last = shown[-1]
        message = f"there are {MOST_SHOWN} errors or more; what follows was not checked"
        hint = "mend some of those above, and check again"
        shown.append(evolve(last, code="LACE016", message=message, hint=hint))
    return shown


class LaceError(Exception):
    """Base of every error that lacelang raises on purpose; its text shows what is hidden in names.

    Attributes:
        diagnostics: what is wrong with the program; empty where the environment failed.
        exit_code: what `lacelang` exits with.
    """

    exit_code = 1

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(displayed(message))
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy without calling `__init__`, whose arguments differ from `args`."""
        # An exception is given its `args` by `__new__`, and the rest is its `__dict__`.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ProgramError(LaceError):
    """The program is wrong; `diagnostics` says where and why."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        first = diagnostics[0]
        more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
        super().__init__(f"{first.code}: {first.message}{more}", diagnostics)


class UsageError(LaceError):
    """The command line, or an argument to a public function, is wrong.

    Attributes:
        argument: the name of the argument, which the message has in backticks.
    """

    exit_code = 2

    def __init__(self, message: str, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument


class WayOut(Enum):
    """A way out of an error that each front end has its own words for: an option, an argument."""

    FOLDER = "to name another folder"
    REPLACE = "to replace a group of another program"
    FILE = "to give a downloaded archive, which is named"
    ALLOW = "to allow the fetch of weights that are not of the standard library"
    PHOTO = "to name the photograph that a face was pasted into"
    IMPORT = "to import the weights of a model, which is named, from a published file"


IN_PYTHON: Mapping[WayOut, str] = {
    WayOut.FOLDER: "`out` names the folder",
    WayOut.REPLACE: "`replace=True` replaces the group",
    WayOut.ALLOW: "`program.fetch()` fetches them",
    WayOut.PHOTO: "`photo` names it",
    WayOut.IMPORT: "`lacelang models import` imports it",
}
"""How each way is gone from Python. Other front ends have such tables of their own."""


class ResourceError(LaceError):
    """The environment failed: weights, disk, network or device.

    Attributes:
        message: what went wrong.
        remedy: what to do, in words that are right for every front end.
        ways: those that the front end may offer besides, each with what it names, if anything.
    """

    exit_code = 3

    def __init__(
        self, message: str, remedy: str | None = None, ways: Mapping[WayOut, str] | None = None
    ) -> None:
        self.message = message
        self.remedy = remedy
        self.ways = dict(ways or {})
        super().__init__(self.worded(IN_PYTHON))

    def worded(self, words: Mapping[WayOut, str]) -> str:
        """Return message, remedy, and the ways for which a front end has words.

        In the words, `{}` stands for what a way names.
        """
        offered = [
            words[way].replace("{}", named) for way, named in self.ways.items() if way in words
        ]
        text = "\n".join(filter(None, [self.message, self.remedy, "; ".join(offered)]))
        return displayed(text)


def another_folder(
    message: str, remedy: str = "move it away, or choose another folder", *ways: WayOut
) -> ResourceError:
    """Return an error of a folder that another one, or one of `ways`, is a way out of."""
    return ResourceError(message, remedy, dict.fromkeys((WayOut.FOLDER, *ways), ""))


DEBUG = "LACELANG_DEBUG"
"""The environment variable with which unexpected errors keep their tracebacks."""


def unexpected(error: Exception) -> str:
    """Return what is said of an unexpected error."""
    what = displayed(" ".join(str(error).split())[:300])
    return (
        f"lacelang: unexpected {type(error).__name__}{': ' if what else ''}{what}\n"
        f"  this is a fault of lacelang: please report it, with the output of the same command "
        f"under {DEBUG}=1"
    )

"""lacelang: say what a generator's samples must be like, and sample them.

    import lacelang

    program = lacelang.compile("sample 4 from ffhq where glasses=1 as spectacles")
    run = program.run()
    run["spectacles"].images

Importing this package imports neither torch nor numpy; running a program does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lacelang.api import Program, compile, energy_of, release, sampling
    from lacelang.embedding.algebra import Attr, Condition, attr, condition
    from lacelang.embedding.registering import register
    from lacelang.embedding.terms import term
    from lacelang.engine.result import Group, Run
    from lacelang.errors import (
        Diagnostic,
        LaceError,
        ProgramError,
        ResourceError,
        Span,
        UsageError,
    )
    from lacelang.replaying import provenance, replay
    from lacelang.version import __version__


__all__ = [
    "Attr",
    "Condition",
    "Diagnostic",
    "Group",
    "LaceError",
    "Program",
    "ProgramError",
    "ResourceError",
    "Run",
    "Span",
    "UsageError",
    "__version__",
    "attr",
    "compile",
    "condition",
    "energy_of",
    "provenance",
    "register",
    "release",
    "replay",
    "sampling",
    "term",
]

_HOMES = {
    "api": "Program compile energy_of release sampling",
    "embedding.algebra": "Attr Condition attr condition",
    "embedding.registering": "register",
    "embedding.terms": "term",
    "engine.result": "Group Run",
    "errors": "Diagnostic LaceError ProgramError ResourceError Span UsageError",
    "replaying": "provenance replay",
    "version": "__version__",
}
"""Module → names that are taken from it."""


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for (PEP 562)."""
    for module, names in _HOMES.items():
        if name in names.split():
            from importlib import import_module

            globals()[name] = value = getattr(import_module(f"lacelang.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Make `%%lace` known: what IPython calls for `%load_ext lacelang`."""
    try:
        from lacelang.notebook.magic import load
    except ModuleNotFoundError as error:
        from lacelang.errors import ResourceError

        what = f"`%load_ext lacelang` needs {error.name}, which is not installed"
        raise ResourceError(what, "pip install 'lacelang[notebook]'") from error
    load(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

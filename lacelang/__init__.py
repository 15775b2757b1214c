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
    from lacelang.api import Program, compile
    from lacelang.embedding.algebra import Attr, Condition, attr, condition
    from lacelang.embedding.programs import energy_of, sampling
    from lacelang.engine.result import Group, Run
    from lacelang.errors import (
        Diagnostic,
        LaceError,
        ProgramError,
        ResourceError,
        Span,
        UsageError,
    )

    __version__: str

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
    "sampling",
]

_HOMES = {
    "Attr": "lacelang.embedding.algebra",
    "Condition": "lacelang.embedding.algebra",
    "attr": "lacelang.embedding.algebra",
    "condition": "lacelang.embedding.algebra",
    "energy_of": "lacelang.embedding.programs",
    "sampling": "lacelang.embedding.programs",
    "Diagnostic": "lacelang.errors",
    "LaceError": "lacelang.errors",
    "ProgramError": "lacelang.errors",
    "ResourceError": "lacelang.errors",
    "Span": "lacelang.errors",
    "UsageError": "lacelang.errors",
    "Program": "lacelang.api",
    "compile": "lacelang.api",
    "Group": "lacelang.engine.result",
    "Run": "lacelang.engine.result",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for (PEP 562)."""
    if name == "__version__":
        value: Any = _version()
    elif name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lacelang")
    except PackageNotFoundError:
        # A checkout on sys.path that nobody installed.
        return "0+unknown"

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
    from lacelang.engine.result import Group, Run
    from lacelang.errors import (
        Diagnostic,
        LaceError,
        ProgramError,
        ResourceError,
        Span,
        UsageError,
    )
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
    "release",
    "sampling",
]

_HOMES = {
    "__version__": "lacelang.version",
    "Attr": "lacelang.embedding.algebra",
    "Condition": "lacelang.embedding.algebra",
    "attr": "lacelang.embedding.algebra",
    "condition": "lacelang.embedding.algebra",
    "energy_of": "lacelang.api",
    "release": "lacelang.api",
    "sampling": "lacelang.api",
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
    if name in _HOMES:
        from importlib import import_module

        value: Any = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

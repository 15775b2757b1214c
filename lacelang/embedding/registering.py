"""Generators, samplers and annotators of this process, without a package or an entry point."""

from __future__ import annotations

import sys
from typing import Any

from lacelang.annotators import ANNOTATORS, Annotator
from lacelang.errors import UsageError
from lacelang.generators import ARCHITECTURES, Architecture
from lacelang.registry import Registry
from lacelang.samplers import SAMPLERS, Sampler
from lacelang.text.names import is_name

_REGISTRIES: tuple[Registry[Any], ...] = (ARCHITECTURES, SAMPLERS, ANNOTATORS)


def register(declared: Architecture | Sampler | Annotator) -> None:
    """Let programs of this process use a generator, sampler or annotator.

    One of the same name that was registered before is replaced, as when a cell of a notebook runs
    again. For all processes, and for the command line, use an entry point.

    Raises:
        UsageError: it is no such declaration, or lacelang has one of that name itself.
    """
    for registry in _REGISTRIES:
        if isinstance(declared, registry.kind):
            if not is_name(declared.name):
                raise UsageError(
                    f"{declared.name!r} is no name: letters, digits and _, no digit first"
                )
            registry.add(declared)
            break
    else:
        what = type(declared).__name__
        raise UsageError(f"an Architecture, a Sampler or an Annotator is registered, not a {what}")
    loading = sys.modules.get("lacelang.engine.loading")
    if loading is not None:
        # Models that are loaded may have the code of before.
        loading.MODELS.release()

"""Generator architectures by the name that a `model` declaration uses; none is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: For each a module with `load`, `is_converted` and `layout`; see `lacelang.generators.generator`.
ARCHITECTURES: Mapping[str, str] = MappingProxyType(
    {"mobilestylegan": "lacelang.generators.mobilestylegan.architecture"}
)

"""A declared model's attributes as what classifiers are trained on."""

from __future__ import annotations

from lacelang.classifiers.schema import Attribute
from lacelang.ir import ModelSpec


def schema_of(spec: ModelSpec) -> tuple[Attribute, ...]:
    """The attributes of a model in the order of declaration."""
    return tuple(
        Attribute(a.name, a.kind, a.values, *(a.limits or (0.0, 1.0)), a.unit)
        for a in spec.attributes
    )

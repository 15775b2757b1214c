"""A declared model's attributes as what classifiers are trained on."""

from __future__ import annotations

from lacelang.classifiers.schema import Attribute
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ModelSpec


def schema_of(spec: ModelSpec) -> tuple[Attribute, ...]:
    """The attributes of a model in the order of declaration."""
    found = []
    for declared in spec.attributes:
        if isinstance(declared, BinaryAttribute):
            found.append(Attribute(declared.name, "binary"))
        elif isinstance(declared, ChoiceAttribute):
            found.append(Attribute(declared.name, "choice", declared.values))
        else:
            found.append(
                Attribute(
                    declared.name,
                    "continuous",
                    low=declared.low,
                    high=declared.high,
                    unit=declared.unit,
                )
            )
    return tuple(found)

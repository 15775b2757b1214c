"""What image annotators see in a face, for those who check programs without the networks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

YES_OR_NO = ("0", "1")

#: The classes of each attribute in their order, none of a number; in the paper's order.
SEEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "smile": YES_OR_NO,
        "glasses": YES_OR_NO,
        "gender": ("female", "male"),
        "beard": YES_OR_NO,
        "haircolor": ("black", "brown", "blond", "gray", "red"),
        "yaw": (),
        "age": (),
        "pitch": (),
        "bald": (),
        "width": (),
        "light0": (),
        "light3": (),
    }
)

"""What nodes of the syntax tree have in common: where they stand, and how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, dataclass_transform

from attrs import field, fields, frozen

from lacelang.errors import Span
from lacelang.record import Record

RULES: dict[str, type[Any]] = {}
"""By rule of the grammar, the class of the nodes that it makes."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class _Read(Record):
    """What makes attrs classes of the nodes; `rules` are those of the grammar that make one.

    Statements and items of models have an `example`, which is shown where one is wrong.
    """

    example: ClassVar[str]
    __attrs_attrs__: ClassVar[Any]
    _lists: ClassVar[tuple[bool, ...]]  # which fields hold several nodes, if any do

    def __init_subclass__(cls, rules: str = "", example: str = "") -> None:
        cls.example = example
        frozen(cls, eq=False, repr=False, slots=False)
        own = (attribute for attribute in fields(cls) if not attribute.kw_only)
        lists = tuple(str(attribute.type).startswith("tuple") for attribute in own)
        cls._lists = lists if any(lists) else ()
        RULES.update(dict.fromkeys(rules.split(), cls))


class Node(_Read):
    """What every node carries."""

    span: Span = field(eq=False, repr=False, kw_only=True)

    @classmethod
    def read(cls, parts: Sequence[Any], span: Span) -> Self:
        """Return the node that a rule makes of nodes, words and lists in the order of the fields.

        What is left out is None; a list that is the last field may be spread out.
        """
        lists = cls._lists
        if not lists:
            return cls(*parts, span=span)
        if lists[-1]:
            rest = parts[len(lists) - 1 :]
            spread = [
                node for part in rest for node in (part if isinstance(part, list) else [part])
            ]
            parts = [*parts[: len(lists) - 1], [node for node in spread if node is not None]]
        values = (tuple(p or ()) if many else p for p, many in zip(parts, lists, strict=False))
        return cls(*values, span=span)

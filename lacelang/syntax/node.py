"""What nodes of the syntax tree have in common: where they stand, and how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, dataclass_transform

from attrs import field, fields, frozen

from lacelang.errors import NOWHERE, Span
from lacelang.record import Record

RULES: dict[str, type[Any]] = {}
"""By rule of the grammar, the class of the nodes that it makes."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class _Kind(type):
    """What makes attrs classes of the nodes; `rules` are those of the grammar that make one."""

    def __new__(cls, name: str, bases: Any, names: Any, rules: str = "") -> Any:
        made: Any = super().__new__(cls, name, bases, names)
        if "__attrs_attrs__" in names:
            return made  # attrs makes the class again, with slots: half the memory
        made = frozen(made, eq=False, repr=False)
        own = (attribute for attribute in fields(made) if not attribute.kw_only)
        lists = tuple(str(attribute.type).startswith("tuple") for attribute in own)
        made._lists = lists if any(lists) else ()
        RULES.update(dict.fromkeys(rules.split(), made))
        return made

    def __init__(cls, name: str, bases: Any, names: Any, **about: str) -> None:
        super().__init__(name, bases, names)


class Node(Record, metaclass=_Kind):
    """What every node carries."""

    __attrs_attrs__: ClassVar[Any]
    __match_args__: ClassVar[tuple[str, ...]]
    _lists: ClassVar[tuple[bool, ...]]  # which fields hold several nodes, if any do

    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)

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

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes that it is made of, in the order of its fields."""
        found: list[Node] = []
        for name in self.__match_args__:
            value = getattr(self, name)
            if isinstance(value, Node):
                found.append(value)
            elif isinstance(value, tuple):
                found += [part for part in value if isinstance(part, Node)]
        return tuple(found)

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import field, frozen

from lacelang.record import Record
from lacelang.syntax import nodes  # noqa: F401  (fills the table)
from lacelang.syntax.node import RULES


@frozen(eq=False, repr=False)
class Part(Record):
    name: str
    place: int = field(default=0, eq=False, repr=False)
    options: Mapping[str, int] = field(factory=dict, hash=False)


@frozen(eq=False, repr=False)
class Finer(Part):
    size: int = 1


def test_equality_heeds_what_the_fields_say() -> None:
    assert Part("a", 1) == Part("a", 2)
    assert Part("a") != Part("b")
    assert Part("a", options={"x": 1}) != Part("a")
    assert Part("a") != Finer("a")
    assert Finer("a", size=2) != Finer("a")
    assert Part("a") != "a"


def test_hashes_agree_with_equality() -> None:
    assert hash(Part("a", 1)) == hash(Part("a", 2))
    assert len({Part("a"), Part("a", 3), Part("b"), Finer("a")}) == 3
    # A mapping has no hash, and takes no part in that of its record.
    assert hash(Part("a", options={"x": 1})) == hash(Part("a"))


def test_records_show_their_fields_and_stay_as_they_are() -> None:
    assert repr(Finer("a", 3, size=2)) == "Finer(name='a', options={}, size=2)"
    with pytest.raises(AttributeError):
        Part("a").name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Part("a").other = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", RULES.values(), ids=lambda kind: kind.__name__)
def test_nodes_have_slots(kind: type) -> None:
    """Without them a node takes twice the memory, and the collector as much longer."""
    assert not kind.__dictoffset__

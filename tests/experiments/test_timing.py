"""Pieces of work take turns; how long they take is nobody's business here."""

from __future__ import annotations

from experiments.timing import medians, once


def test_pieces_of_work_take_turns_after_a_round_that_is_not_counted() -> None:
    done: list[str] = []
    found = medians({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, rounds=2)
    assert done == ["a", "b"] * 3
    assert set(found) == {"a", "b"}
    assert all(middle >= 0 and spread >= 0 for middle, spread in found.values())


def test_once_does_the_work() -> None:
    done: list[int] = []
    assert once(lambda: done.append(1)) >= 0
    assert done == [1]

from __future__ import annotations

import gc

import pytest

from lacelang.memory import Memory


class Owner:
    pass


def test_a_value_is_made_once_and_the_oldest_goes_first() -> None:
    memory: Memory[Owner, str] = Memory(2)
    owner, made = Owner(), []

    def get(key: str, of: Owner = owner) -> str:
        return memory.get(of, key, lambda: made.append(key) or key.upper())  # type: ignore[func-returns-value]

    assert [get("a"), get("b"), get("a")] == ["A", "B", "A"]
    assert made == ["a", "b"]
    get("c")
    get("b")
    assert made == ["a", "b", "c"]
    get("a")
    assert made == ["a", "b", "c", "a"]
    get("c", of=Owner())
    assert made[-1] == "c"


def test_what_fails_is_not_kept() -> None:
    memory: Memory[Owner, int] = Memory(2)
    owner = Owner()

    def broken() -> int:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        memory.get(owner, 1, broken)
    assert memory.get(owner, 1, lambda: 5) == 5


def test_values_go_with_their_owner() -> None:
    memory: Memory[Owner, Owner] = Memory(2)
    owner = Owner()
    memory.get(owner, 1, Owner)
    assert len(memory._kept) == 1
    del owner
    gc.collect()
    assert len(memory._kept) == 0

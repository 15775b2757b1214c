"""Whatever can be reached from a run, a program, an energy or a condition can be copied."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from tiny import TinyModel, edit, program, statement

import lacelang
from lacelang.energy import ConditionalEnergy
from lacelang.engine import loading
from lacelang.engine.sinks import folder
from lacelang.syntax.parser import parse

SOURCE = """import logic
let old = age > 60
def without(a, b) = a and not b
for t in 1, 2 {
  sample 2 from ffhq where without(old, smile=1) xor haircolor in {red, gray} temp t
    disjunction balanced as "g{t}"
}
sample 3 from ffhq where smile ~ 0.5 and age in 20..30 and yaw < 5 as men
edit men { smile=1 age=60 in layers 2..4 } stay 0.1 as e
measure smile=1 given age > 3 from ffhq as m
expect smile=1 in 10% of men
"""
PLAIN = (str, bytes, int, float, bool, type(None), type, ModuleType, Path)


def reachable(value: Any, way: str, found: dict[int, tuple[str, Any]]) -> None:
    """Note a value and what its members, items and public attributes lead to."""
    if isinstance(value, PLAIN) or id(value) in found:
        return
    found[id(value)] = way, value
    for step, other in _next(value):
        reachable(other, f"{way}{step}", found)


def _next(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", each) for key, each in value.items())
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((f"[{place}]", each) for place, each in enumerate(value))
    if type(value).__module__.startswith("lacelang"):
        for name in dir(value):
            if not name.startswith("_"):
                yield f".{name}", getattr(value, name)


def _is_value(value: Any) -> bool:
    """Whether it is one of the package's own that compares by what it holds; no model does."""
    own = type(value).__module__.startswith("lacelang")
    if isinstance(value, ConditionalEnergy):
        return False
    return own and type(value).__hash__ not in (None, object.__hash__)


@pytest.fixture
def roots(
    model: TinyModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, Callable[[], Any]]:
    monkeypatch.setattr(loading, "load", lambda *_: model)
    monkeypatch.setattr(folder, "_HELD", 0)
    made = program(statement(), edit())
    energy = made.energy("kids")
    condition = lacelang.attr("glasses") == 1
    return {
        "run": made.run,
        "saved": lambda: made.run(out=tmp_path),
        "program": lambda: lacelang.compile(SOURCE),
        "tree": lambda: parse(SOURCE),
        "energy": lambda: energy,
        "attr": lambda: lacelang.attr("glasses"),
        "condition": lambda: (condition & ~condition).weight(2) | condition.temp(0.5),
    }


@pytest.mark.parametrize(
    "root",
    ["run", "saved", "program", "tree", "energy", "attr", "condition"],
)
def test_all_that_can_be_reached(root: str, roots: dict[str, Callable[[], Any]]) -> None:
    found: dict[int, tuple[str, Any]] = {}
    start = roots[root]()
    reachable(start, root, found)
    assert any(value is start for _, value in found.values())
    for way, value in found.values():
        for again in (
            lambda each: pickle.loads(pickle.dumps(each)),
            copy.copy,
            copy.deepcopy,
        ):
            other = again(value)
            assert type(other) is type(value), way
            if isinstance(value, torch.Tensor | np.ndarray):
                assert np.asarray(other).tobytes() == np.asarray(value).tobytes(), way
            elif _is_value(value):
                assert other == value, way

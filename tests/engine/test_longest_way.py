"""How many files a condition passes through, from its text to the latents that meet it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

from tiny import TinyModel

import lacelang
from lacelang import ir
from lacelang.energy import ConditionalEnergy, Node
from lacelang.samplers.problem import Target
from lacelang.samplers.solution import Solution
from lacelang.syntax import nodes

SOURCE = "sample 2 from ffhq where (glasses=1 or age > 30) and not age in 50..60 temp 0.5 with heun"

#: What a condition is on its way, and what comes of it.
FORMS = (
    nodes.Predicate,
    nodes.PredicateClause,
    nodes.Sample,
    ir.Predicate,
    ir.SampleStatement,
    Node,
    ConditionalEnergy,
    Target,
    Solution,
)
# 30, and two that look for terms of the user's own.
MOST = 32


def test_few_files_know_a_condition(model: TinyModel) -> None:
    root, files = Path(lacelang.__file__).parent, set()

    def note(frame: FrameType, event: str, result: object) -> None:
        code = frame.f_code
        if event == "call":
            names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            values = [frame.f_locals.get(name) for name in names]
        else:
            values = [result] if event == "return" else []
        path = Path(code.co_filename)
        if path.is_relative_to(root) and any(isinstance(value, FORMS) for value in values):
            files.add(str(path.relative_to(root)))

    sys.setprofile(note)
    try:
        lacelang.compile(SOURCE).run(seed=1)
    finally:
        sys.setprofile(None)
    assert {"semantics/conditions.py", "compiler/condition.py", "samplers/driver.py"} <= files
    assert len(files) <= MOST, "\n".join(sorted(files))

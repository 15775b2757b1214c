"""Suites by name."""

from __future__ import annotations

from importlib import import_module

import pytest

from lacelang.errors import UsageError
from lacelang.evaluate import suite


def test_every_study_is_a_suite_once_and_can_be_run() -> None:
    names = suite.names()
    assert len(names) == len(set(names))
    assert {"editing", "logic", "continuous", "zero_shot"} <= set(names)
    for name in names:
        assert callable(import_module(f"lacelang.evaluate.{name}").study)


def test_what_is_no_suite_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"the suites are: .*zero_shot"):
        suite.run("zeroshot", progress=None)  # type: ignore[arg-type]


def test_groups_are_cut_and_never_made_larger() -> None:
    counts = {s.count for s in suite.at_most(suite.program_of("zero_shot"), 32).samples}
    assert counts == {8, 32}

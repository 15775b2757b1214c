"""Suites by name."""

from __future__ import annotations

from importlib import import_module

import pytest

from lacelang.cli.main import main
from lacelang.errors import UsageError
from lacelang.evaluate import noise, suite, zero_shot
from lacelang.evaluate.report import Report, Table


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


def test_help_names_every_suite(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in suite.names())


def test_a_suite_ends_with_the_noise_of_its_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def own(spec: object, progress: object, faces: int | None) -> tuple[Table, ...]:
        asked.append(faces)
        return (Table("noise", ("attribute",), ()),)

    monkeypatch.setattr(noise, "tables", own)
    monkeypatch.setattr(
        zero_shot, "study", lambda *_: Report("zero_shot", (Table("faces", ("group",), ()),))
    )
    found = suite.run("zero_shot", None, 7)  # type: ignore[arg-type]
    assert [table.title for table in found.tables] == ["faces", "noise"]
    assert asked == [7]

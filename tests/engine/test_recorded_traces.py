"""Traces in the records of a run, and what they leave as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import TinyModel, edit, program, statement

from lacelang.engine import sampling
from lacelang.storage.reading import find_run


def test_records_keep_the_trace_of_each_sample_and_line(model: TinyModel, tmp_path: Path) -> None:
    program(statement("kids", 3), edit("kids", "edited"), statement("draws", 2, where=None)).run(
        out=tmp_path
    )
    kids, edited, draws = (group.record.samples for group in find_run(tmp_path).groups)
    for sample in kids:
        assert sample.trace is not None
        assert sample.trace.nfe[-1] == sample.nfe
        assert len(sample.trace.energy) == len(sample.trace.accepted)
    for sample in edited:
        assert sample.trace is None
        first, *lines = sample.steps
        assert first.trace is None
        assert all(line.trace is not None and line.trace.nfe[-1] == line.nfe for line in lines)
    assert all(sample.trace is None for sample in draws)


def test_later_samples_have_none_and_are_else_the_same(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(statement("kids", 5)).run(out=tmp_path / "all")
    monkeypatch.setattr(sampling, "MOST_TRACED", 2)
    program(statement("kids", 5)).run(out=tmp_path / "few")
    lines = [
        [json.loads(line) for line in (tmp_path / name / "kids/samples.jsonl").open()]
        for name in ("all", "few")
    ]
    for number, (whole, few) in enumerate(zip(*lines, strict=True)):
        assert ("trace" in few) == (number < 2)
        for each in (whole, few):
            each.pop("trace", None)
            each.pop("check")
        assert whole == few
    latents = [
        (tmp_path / name / "kids/latents-000000.safetensors").read_bytes()
        for name in ("all", "few")
    ]
    assert latents[0] == latents[1]


def test_a_folder_without_traces_is_read_and_gone_on_with(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sampling, "MOST_TRACED", 0)
        program(statement("kids", 3)).run(out=tmp_path)
    run = program(statement("kids", 5)).run(out=tmp_path)
    traces = [sample.trace is not None for sample in run["kids"].record.samples]
    assert traces == [False] * 3 + [True] * 2


def test_a_trace_is_a_few_hundred_bytes(model: TinyModel, tmp_path: Path) -> None:
    program(statement("kids", 5)).run(out=tmp_path)
    for line in (tmp_path / "kids/samples.jsonl").read_bytes().splitlines():
        assert len(line) < 4000

"""Records by their fields: what is written and left out, what a reader may leave out, limits."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from attrs import NOTHING, evolve, fields
from made_runs import make_run

from lacelang.storage import checks
from lacelang.storage.records import (
    NAME,
    Atom,
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    ProgramRecord,
    RunRecord,
    SampleRecord,
    StepPlan,
    StepRecord,
    TraceRecord,
    plain,
    read_index,
    rounded,
    write_index,
)

ATOM = Atom("age=15", "age", "value", 7.0, 23.0)
TRACE = TraceRecord((3.5, None), (1, 7), (0, 4), (0, 2))
STEP = StepRecord(1.5, "converged", 3, 2, 1, {"age=15": 14.0})
SAMPLE = SampleRecord(0, None, "stuck", 7, {"age=15": None})
GROUP = GroupRecord("kids", "kids", "age=15", "f0", 2**63 - 1, 4, {"model": "ffhq"}, (ATOM,))
MEASURE = MeasureRecord("m", "a", None, "ffhq", 0.7, 3, "f", 9, 4, 0.2, 0.1, 0.4, None)

LEFT_OUT: list[tuple[Any, dict[str, Any]]] = [
    (ATOM, {"unit": None, "negated": False, "drawn": False}),
    (STEP, {"trace": None}),
    (StepPlan("smile=0", None, (ATOM,)), {}),
    (
        SAMPLE,
        {
            "accepted": 0,
            "rejected": 0,
            "extra": {},
            "seen": None,
            "steps": (),
            "drawn": {},
            "tries": None,
            "trace": None,
            "error": None,
        },
    ),
    (GROUP, {"samples": (), "steps": (), "origin": None, "loop": None}),
    (MEASURE, {"seal": ""}),
    (ExpectationRecord("a in 5% of kids", "kids", 0.05, 3, (1,)), {}),
    (
        RunRecord(ProgramRecord("p.lace", ""), {}),
        {"groups": (), "measures": (), "expectations": (), "complete": False, "timing": {}},
    ),
]


@pytest.mark.parametrize("case", range(len(LEFT_OUT)))
def test_what_a_file_leaves_out_says_nothing(case: int) -> None:
    record, defaults = LEFT_OUT[case]
    kind = type(record)
    assert {f.name for f in fields(kind) if f.default is not NOTHING} == defaults.keys()
    written = json.loads(msgspec.json.encode(plain(record)))
    least = {name: value for name, value in written.items() if name not in defaults}
    assert least.keys() == {f.name for f in fields(kind) if f.default is NOTHING}
    again = msgspec.json.decode(msgspec.json.encode(least), type=kind)
    assert again == record
    assert {name: getattr(again, name) for name in defaults} == defaults
    # Of options, what says nothing is not written; 0 and false say something.
    silent = {name for name, value in defaults.items() if value in (None, (), {})}
    assert written.keys() == least.keys() | (defaults.keys() - silent)


def test_what_says_something_is_written_and_comes_back() -> None:
    full = evolve(
        SAMPLE,
        accepted=5,
        rejected=6,
        extra={"log_evidence": -3.5},
        seen={"glasses": None},
        steps=(STEP,),
        drawn={"age": 20.5, "hair": "black"},
        tries=3,
        trace=TRACE,
        error="it is poison",
    )
    written = plain(full)
    assert list(written) == [f.name for f in fields(SampleRecord)]
    assert written["steps"] == (plain(STEP),)
    assert msgspec.json.decode(msgspec.json.encode(written), type=SampleRecord) == full


@pytest.mark.parametrize("name", ["seed", "count"])
@pytest.mark.parametrize(
    ("value", "fits"), [(0, True), (2**63 - 1, True), (-1, False), (2**63, False)]
)
def test_counts_are_whole_numbers_of_63_bits(name: str, value: int, fits: bool) -> None:
    text = msgspec.json.encode({**plain(GROUP), name: value})
    if fits:
        assert getattr(msgspec.json.decode(text, type=GroupRecord), name) == value
        return
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=GroupRecord)


def test_an_expectation_is_of_a_face_or_more() -> None:
    judged = ExpectationRecord("a in 5% of kids", "kids", 0.05, 1, ())
    for faces in (0, 1, 2**63 - 1, 2**63):
        text = msgspec.json.encode({**plain(judged), "faces": faces})
        if 0 < faces < 2**63:
            assert msgspec.json.decode(text, type=ExpectationRecord).faces == faces
        else:
            with pytest.raises(msgspec.ValidationError):
                msgspec.json.decode(text, type=ExpectationRecord)


@pytest.mark.parametrize(
    ("faces", "failing", "wanted", "holds"),
    [
        (20, 1, 0.95, True),
        (20, 2, 0.95, False),
        (3, 1, 2 / 3, True),
        (3, 2, 2 / 3, False),
        (1, 0, 1.0, True),
        (1, 1, 0.0, True),
        (1_000, 1, 1.0, False),
    ],
)
def test_as_many_faces_as_wanted_are_enough(
    faces: int, failing: int, wanted: float, holds: bool
) -> None:
    judged = ExpectationRecord("", "kids", wanted, faces, tuple(range(failing)))
    assert judged.holds is holds
    assert judged.seen == pytest.approx((faces - failing) / faces)


def test_an_atom_of_a_sample_has_its_drawn_value() -> None:
    value = Atom("age = each 20..60", "age", "value", -8.0, 8.0, "years", drawn=True)
    own = value.of({"age": 20.5, "hair": "black"})
    assert own == Atom("age=20.5", "age", "value", 12.5, 28.5, "years")
    open_ended = evolve(value, low=None).of({"age": 30.0})
    assert (open_ended.low, open_ended.high) == (None, 38.0)
    named = Atom("hair = each {black, blond}", "hair", "probability", 0.5, None, drawn=True)
    assert named.of({"hair": "blond"}) == evolve(named, text="hair=blond", drawn=False)
    # Of another sample, or not drawn at all, it is as it was.
    assert value.of({"hair": "black"}) is value
    fixed = evolve(value, drawn=False)
    assert fixed.of({"age": 20.5}) is fixed
    assert ATOM.wanted == "age=15"
    assert evolve(ATOM, negated=True).wanted == "not age=15"


def test_a_seal_is_of_what_was_measured_and_not_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path / "cache"))
    sealed = MEASURE.sealed()
    assert sealed == MEASURE
    assert sealed.is_sealed()
    assert evolve(sealed, name="another").is_sealed()
    assert not MEASURE.is_sealed()
    assert not evolve(MEASURE, seal="\ud800").is_sealed()
    for change in ({"value": 0.3}, {"draws": 10}, {"fingerprint": "g"}, {"decided": 0.1}):
        assert not evolve(sealed, **change).is_sealed()
    assert sealed.sealed().seal == sealed.seal
    checks._secret_in.cache_clear()
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path / "another user's"))
    assert not sealed.is_sealed()


@pytest.mark.parametrize(
    ("value", "kept"),
    [(1.23456789, 1.23457), (-0.000123456789, -0.000123457), (1234567.0, 1234570.0), (0.0, 0.0)],
)
def test_numbers_have_six_digits(value: float, kept: float) -> None:
    assert rounded(value) == kept
    assert rounded(math.inf) is None


def test_an_index_has_the_fields_that_are_documented(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    run = evolve(make_run(make_group()), measures=(MEASURE,), complete=True, timing={"s": 1.0})
    write_index(tmp_path, run)
    data = json.loads((tmp_path / NAME).read_text())
    assert list(data) == [
        "schema", "lacelang", "program", "versions", "complete", "groups", "measures",
        "expectations", "timing", "check",
    ]  # fmt: skip
    assert (data["schema"], data["lacelang"], data["complete"]) == (4, "0", True)
    assert data["program"] == {"name": "p.lace", "source": "sample from ffhq"}
    assert data["versions"] == {"lacelang": "0"}
    assert data["timing"] == {"s": 1.0}
    write_index(tmp_path, evolve(run, versions={"torch": "2"}))
    assert json.loads((tmp_path / NAME).read_text())["lacelang"] == ""


def test_text_of_any_kind_is_kept_as_text(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    """Letters of any script stand there as they are; halves of characters become `?`."""
    write_index(tmp_path, make_run(make_group("kids"), source="# \u4e2d \ud800"))
    text = (tmp_path / NAME).read_text(encoding="utf-8")
    assert "# \u4e2d ?" in text
    assert text.endswith("\n}\n")
    assert '\n  "schema": 4' in text
    again = read_index(tmp_path)
    assert again is not None
    assert again.program.source == "# \u4e2d ?"


def test_names_of_an_index_are_in_one_form(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    """A run by another system may have written é as e and an accent."""
    apart, whole = "e\u0301", "\u00e9"
    expected = ExpectationRecord("a in 5% of x", apart, 0.05, 3, (1,))
    group = make_group(apart, folder=whole)
    measure = evolve(MEASURE, name=apart)
    write_index(tmp_path, evolve(make_run(group), measures=(measure,), expectations=(expected,)))
    again = read_index(tmp_path)
    assert again is not None
    names = again.groups[0].name, again.measures[0].name, again.expectations[0].group
    assert names == (whole, whole, whole)
    assert again.groups[0].samples == ()

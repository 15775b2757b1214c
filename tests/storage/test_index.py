from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from attrs import evolve
from made_runs import forge_index, make_run, make_samples

from lacelang.errors import ResourceError
from lacelang.storage.files import is_folder_name
from lacelang.storage.records import (
    NAME,
    Atom,
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    StepPlan,
    read_index,
    rounded,
    write_index,
)


def test_a_run_comes_back_as_it_was(tmp_path: Path, make_group: Callable[..., GroupRecord]) -> None:
    odd = Atom("yaw > 10 deg", "yaw", "value", 10.0, None, "deg", negated=True)
    run = make_run(make_group(atoms=(odd,), origin="../p.lace"))
    run = evolve(run, timing={"seconds": 1.5}, complete=True)
    write_index(tmp_path, run)
    again = read_index(tmp_path)
    assert again == run
    assert again is not None
    assert again.timing == run.timing


def test_the_index_does_not_grow_with_samples(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    sizes = []
    for count in (1, 500):
        group = make_group(count=500, samples=tuple(make_samples(0, count)))
        write_index(tmp_path, make_run(group))
        sizes.append((tmp_path / NAME).stat().st_size)
    assert sizes[0] == sizes[1]


def test_two_runs_differ_in_their_timing_only(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    run = make_run(make_group(samples=tuple(make_samples(0, 3))))
    texts = []
    for seconds in (1.0, 2.0):
        write_index(tmp_path, evolve(run, timing={"seconds": seconds}))
        texts.append(json.loads((tmp_path / NAME).read_text()))
    first, second = texts
    assert first != second
    assert first.pop("timing") != second.pop("timing")
    assert first == second


def test_what_was_measured_and_expected_comes_back(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    known = MeasureRecord(
        "m", "glasses=1", "age < 20", "ffhq", 0.7, 3, "f1", 100, 40, 0.25, 0.14, 0.4, 0.2
    )
    never = evolve(known, given=None, value=None, low=None, high=None, decided=None)
    expected = ExpectationRecord("glasses=1 in 95% of kids", "kids", 0.95, 2, (1,))
    run = evolve(make_run(make_group()), measures=(known, never), expectations=(expected,))
    write_index(tmp_path, run)
    assert read_index(tmp_path) == run
    data = json.loads((tmp_path / NAME).read_text())
    (shown,) = data["expectations"]
    assert (shown["wanted"], shown["seen"], shown["holds"]) == (0.95, 0.5, False)


def test_no_folder_no_run(tmp_path: Path) -> None:
    assert read_index(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"schema": 1}', '{"schema": 1, "program": 3}', "\xff"]
)
def test_a_damaged_file_is_refused_with_a_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_bytes(text.encode("latin-1"))
    with pytest.raises(ResourceError, match="damaged") as caught:
        read_index(tmp_path)
    assert caught.value.remedy


@pytest.mark.parametrize(("schema", "words"), [(99, "a later version"), (2, "an earlier version")])
def test_another_schema_is_named_as_such(tmp_path: Path, schema: int, words: str) -> None:
    (tmp_path / NAME).write_text(json.dumps({"schema": schema}))
    with pytest.raises(ResourceError, match=words):
        read_index(tmp_path)


def _paths(value: object, at: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    yield at
    if isinstance(value, dict):
        for key in value:
            yield from _paths(value[key], (*at, key))
    elif isinstance(value, list):
        for i in range(len(value)):
            yield from _paths(value[i], (*at, i))


def test_any_change_of_any_value_is_read_or_refused_in_words(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    step = StepPlan("glasses=1", (0, 5), ())
    measured = MeasureRecord("m", "a", None, "ffhq", 0.7, 3, "f", 9, 4, 0.2, 0.1, 0.4, None)
    expected = ExpectationRecord("glasses=1 in 95% of kids", "kids", 0.95, 2, (1,))
    run = evolve(
        make_run(make_group(steps=(step,))), measures=(measured,), expectations=(expected,)
    )
    write_index(tmp_path, run)
    whole = (tmp_path / NAME).read_text()
    strange = (None, "x", -1, 0, 1e400, 10**400, True, [], {}, [[]], float("nan"), "../x", "\ud800")
    for path in list(_paths(json.loads(whole))):
        for value in strange:
            data = json.loads(whole)
            if path:
                inner = data
                for key in path[:-1]:
                    inner = inner[key]
                inner[path[-1]] = value
            else:
                data = value
            with contextlib.suppress(msgspec.MsgspecError, UnicodeEncodeError):
                forge_index(tmp_path, data)
            with contextlib.suppress(ResourceError):
                read = read_index(tmp_path)
                assert read is not None
                assert all(is_folder_name(group.folder) for group in read.groups)


def test_any_change_of_any_value_is_noticed(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    measured = MeasureRecord("m", "a", None, "ffhq", 0.7, 3, "f", 9, 4, 0.2, 0.1, 0.4, None)
    write_index(tmp_path, evolve(make_run(make_group()), measures=(measured,)))
    whole = (tmp_path / NAME).read_bytes()
    # Line ends and indentation are no change.
    (tmp_path / NAME).write_bytes(whole.replace(b"\n", b"\r\n   "))
    assert read_index(tmp_path) is not None
    noticed = 0
    for path in _paths(json.loads(whole)):
        data = inner = json.loads(whole)
        for key in path[:-1]:
            inner = inner[key]
        if not path or isinstance(inner[path[-1]], dict | list):
            continue
        was = inner[path[-1]]
        inner[path[-1]] = f"{was}x" if isinstance(was, str) else 1 if was is None else was / 2 + 1
        (tmp_path / NAME).write_text(json.dumps(data))
        with pytest.raises(ResourceError):
            read_index(tmp_path)
        noticed += 1
    assert noticed > 40


def test_numbers_are_short_and_never_nan() -> None:
    assert rounded(0.123456789) == 0.123457
    assert rounded(math.nan) is None
    assert rounded(-math.inf) is None

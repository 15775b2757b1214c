"""A group's records as a table, and as HTML."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from attrs import evolve
from PIL import Image

from lacelang.engine.tables import arrow_table, columns_of_records, pandas_table
from lacelang.errors import ResourceError
from lacelang.render.html import MOST_FACES, SIDE, first, group_html
from lacelang.storage.records import Atom, GroupRecord, SampleRecord

GLASSES = Atom("glasses=1", "glasses", "probability", 0.5, 1.0, negated=True)
AGE = Atom("age=each 20..60", "age", "value", -5.0, 5.0, "years", drawn=True)


def record(count: int = 3) -> GroupRecord:
    samples = [
        SampleRecord(
            i,
            None if i == 1 else 0.5 * i,
            "non_finite" if i == 1 else "converged",
            10 + i,
            {"glasses=1": 0.1 + 0.3 * i, "age=each 20..60": None if i == 1 else 30.0},
            seen={"glasses": 1, "age": 31.5} if i == 2 else None,
            drawn={"age": 20.0 + 9 * i},
            tries=2,
        )
        for i in range(count)
    ]
    return GroupRecord("<k>", "k", "<b>", "f", 0, count, {}, (GLASSES, AGE), tuple(samples))


def test_columns_have_one_entry_for_each_sample() -> None:
    assert columns_of_records(record()) == {
        "sample": [0, 1, 2],
        "status": ["converged", "non_finite", "converged"],
        "energy": [0.0, None, 1.0],
        "nfe": [10, 11, 12],
        "accepted": [0, 0, 0],
        "rejected": [0, 0, 0],
        "tries": [2, 2, 2],
        "glasses=1 wanted": ["not glasses=1"] * 3,
        "glasses=1 predicted": [0.1, 0.4, 0.7],
        "glasses=1 holds": [True, True, False],
        "age=each 20..60 wanted": ["age=20", "age=29", "age=38"],
        "age=each 20..60 predicted": [30.0, None, 30.0],
        "age=each 20..60 holds": [False, None, False],
        "drawn age": [20.0, 29.0, 38.0],
        "seen glasses": [None, None, 1],
        "seen age": [None, None, 31.5],
    }


def test_pandas_and_arrow_have_the_same() -> None:
    wanted = columns_of_records(record())
    frame, table = pandas_table(record()), arrow_table(record())
    assert list(frame.index) == wanted["sample"]
    assert table.to_pydict() == wanted
    for name, values in wanted.items():
        if name != "sample":
            found = [None if value != value else value for value in frame[name]]
            assert found == values
    assert len(pandas_table(evolve(record(), samples=()))) == 0
    assert arrow_table(evolve(record(), samples=())).num_rows == 0


@pytest.mark.parametrize(("make", "name"), [(pandas_table, "pandas"), (arrow_table, "pyarrow")])
def test_without_the_library_the_extra_is_named(
    make: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ResourceError, match=rf"needs {name}.*\n.*lacelang\[tables\]"):
        make(record())


def test_html_is_escaped_and_bounded() -> None:
    taken = []

    def faces() -> Any:
        for number in range(50):
            taken.append(number)
            yield Image.effect_noise((1024, 1024), 60)

    page = group_html(record(40), first(faces()))
    assert len(taken) == MOST_FACES
    assert page.count("<img") == MOST_FACES
    assert f'width="{SIDE}"' in page
    assert len(page) < 400_000
    assert "&lt;k&gt;" in page
    assert "<k>" not in page
    assert f"the first {MOST_FACES} of 40" in page

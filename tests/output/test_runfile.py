from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from made_runs import make_run, make_samples

from lacelang.errors import ResourceError
from lacelang.output.records import Atom, ExpectationRecord, GroupRecord, MeasureRecord
from lacelang.output.runfile import NAME, from_json, read_run, rounded, to_json, write_run


def test_a_run_comes_back_as_it_was(tmp_path: Path, make_group: Callable[..., GroupRecord]) -> None:
    odd = Atom("yaw > 10 deg", "yaw", "value", 10.0, math.inf, "deg", negated=True)
    samples = [
        *make_samples(0, 2),
        evolve(make_samples(2, 1)[0], energy=None, file="kids/0002.png"),
        evolve(make_samples(3, 1)[0], extra={"log_evidence": -2.0, "unknown": None}),
    ]
    run = make_run(make_group(atoms=(odd,), samples=tuple(samples)))
    run = evolve(run, timing={"seconds": 1.5}, complete=True)
    write_run(tmp_path, run)
    again = read_run(tmp_path)
    assert again == run
    assert again is not None
    assert again.timing == run.timing


def test_a_reader_finds_what_the_design_promises(make_group: Callable[..., GroupRecord]) -> None:
    data = to_json(make_run(make_group(samples=tuple(make_samples(0, 1)))))
    assert data["schema"] == 2
    (group,) = data["groups"]
    assert group["sheet"] == "kids/sheet.png"
    (sample,) = group["samples"]
    assert sample == {
        "index": 0,
        "seed": 124,
        "file": None,
        "latent": {"file": "kids/latents.safetensors", "row": 0},
        "energy": 0.0,
        "status": "converged",
        "nfe": 20,
        "accepted": 0,
        "rejected": 0,
        "readings": {"glasses=1": 0.99, "age=15": 14.2},
    }


def test_two_runs_differ_in_their_timing_only(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    run = make_run(make_group(samples=tuple(make_samples(0, 3))))
    texts = []
    for seconds in (1.0, 2.0):
        write_run(tmp_path, evolve(run, timing={"seconds": seconds}))
        texts.append(json.loads((tmp_path / NAME).read_text()))
    first, second = texts
    assert first != second
    assert first.pop("timing") != second.pop("timing")
    assert first == second


def test_what_was_measured_expected_and_seen_comes_back(
    tmp_path: Path, make_group: Callable[..., GroupRecord]
) -> None:
    seen = [evolve(s, seen={"glasses": 1.0, "age": None}) for s in make_samples(0, 2)]
    known = MeasureRecord(
        "m", "glasses=1", "age < 20", "ffhq", 0.7, 3, "f1", 100, 40, 0.25, 0.14, 0.4, 0.2
    )
    never = evolve(known, given=None, value=None, low=None, high=None, decided=None)
    expected = ExpectationRecord("glasses=1 in 95% of kids", "kids", 0.95, 2, (1,))
    run = evolve(
        make_run(make_group(samples=tuple(seen))),
        measures=(known, never),
        expectations=(expected,),
    )
    write_run(tmp_path, run)
    assert read_run(tmp_path) == run
    data = json.loads((tmp_path / NAME).read_text())
    (shown,) = data["expectations"]
    assert (shown["wanted"], shown["seen"], shown["holds"]) == (0.95, 0.5, False)


def test_schema_1_is_still_read(tmp_path: Path, make_group: Callable[..., GroupRecord]) -> None:
    run = make_run(make_group(samples=tuple(make_samples(0, 2))))
    data = to_json(run)
    del data["measures"], data["expectations"]
    (tmp_path / NAME).write_text(json.dumps({**data, "schema": 1}))
    assert read_run(tmp_path) == run


def test_a_sample_reads_as_a_row(tmp_path: Path, make_group: Callable[..., GroupRecord]) -> None:
    write_run(tmp_path, make_run(make_group(samples=tuple(make_samples(0, 3)))))
    text = (tmp_path / NAME).read_text()
    assert '"readings": {"glasses=1": 0.99, "age=15": 14.2}' in text
    assert max(map(len, text.splitlines())) <= 130


def test_no_folder_no_run(tmp_path: Path) -> None:
    assert read_run(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"schema": 1}', '{"schema": 1, "program": 3}', "\xff"]
)
def test_a_damaged_file_is_refused_with_a_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_bytes(text.encode("latin-1"))
    with pytest.raises(ResourceError, match="damaged") as caught:
        read_run(tmp_path)
    assert caught.value.remedy


def test_a_later_schema_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"schema": 99}')
    with pytest.raises(ResourceError, match="later version"):
        read_run(tmp_path)


def test_numbers_are_short_and_never_nan() -> None:
    assert rounded(0.123456789) == 0.123457
    assert rounded(math.nan) is None
    assert rounded(-math.inf) is None


def test_json_is_the_inverse_of_itself(make_group: Callable[..., GroupRecord]) -> None:
    run = make_run(make_group(), make_group("men", "f1"))
    assert from_json(json.loads(json.dumps(to_json(run)))) == run

"""`expect`: judged on the images, by annotators that the tests stand in for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from made_runs import read_run
from tiny import AGE, GLASSES_1, SPEC, TinyModel, program, statement

from lacelang import ir
from lacelang.engine import execute
from lacelang.engine.plan import Options
from lacelang.engine.sinks import Look
from lacelang.progress import Plain, Stage
from lacelang.storage.records import Seen

OVER_40 = ir.AtLeast(AGE, 40.0, text="age > 40")


class FakePool:
    """Reads glasses off a picture's first pixel, which is the first coordinate of w; no age."""

    made = 0
    looked = 0

    def __init__(self, attributes: object, progress: object) -> None:
        FakePool.made += 1

    def annotate(self, pictures: Iterable[Look], stage: Stage) -> Iterator[Seen]:
        for picture in pictures:
            FakePool.looked += 1
            yield {"glasses": float(picture()[0, 0, 0] > 128), "age": None}


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> type[FakePool]:
    monkeypatch.setattr(execute, "AnnotatorPool", FakePool)
    FakePool.made = FakePool.looked = 0
    return FakePool


def expect(
    what: ir.Predicate = GLASSES_1, share: float = 0.95, **fields: Any
) -> ir.ExpectStatement:
    values: dict[str, Any] = {"group": "kids", "model": SPEC}
    text = f"{what.text} in {100 * share:g}% of {fields.get('group', 'kids')}"
    return ir.ExpectStatement(what, share, text=text, **{**values, **fields})


@pytest.mark.parametrize("into", [False, True])
def test_what_holds_and_what_does_not(model: TinyModel, tmp_path: Path, into: bool) -> None:
    anybody = statement("any", 12, where=None)
    run = program(
        statement("kids", 6),
        anybody,
        expect(),
        expect(ir.Not(GLASSES_1), 0.05),
        expect(group="any", share=0.9),
        expect(OVER_40, 0.01),
    ).run(out=tmp_path if into else None)
    held, denied, some, unseen = run.expectations
    assert held.holds
    assert (held.wanted, held.seen, held.faces, held.failing) == (0.95, 1.0, 6, ())
    assert not denied.holds
    assert denied.failing == tuple(range(6))
    bare = [i for i, row in enumerate(run["any"].w) if row[0] <= 0]
    assert 0 < len(bare) < 12
    assert some.failing == tuple(bare)
    assert some.seen == pytest.approx(1 - len(bare) / 12)
    # A face of which nothing is seen shows nothing.
    assert not unseen.holds


def test_each_face_is_judged_once(model: TinyModel, tmp_path: Path, pool: type[FakePool]) -> None:
    def made(count: int, *expected: ir.ExpectStatement) -> tuple[bool, ...]:
        run = program(statement("kids", count), *expected).run(out=tmp_path)
        return tuple(found.holds for found in run.expectations)

    assert made(4, expect(), expect(ir.Not(GLASSES_1))) == (True, False)
    assert (pool.made, pool.looked) == (1, 4)
    first = (tmp_path / "run.json").read_text()
    assert made(4, expect(), expect(ir.Not(GLASSES_1))) == (True, False)
    assert (
        json.loads(first)["expectations"]
        == json.loads((tmp_path / "run.json").read_text())["expectations"]
    )
    # Another expectation of the same faces, and nobody looks again; more faces, and only those.
    assert made(4, expect(share=1.0)) == (True,)
    assert (pool.made, pool.looked) == (1, 4)
    assert made(7, expect()) == (True,)
    assert (pool.made, pool.looked) == (2, 7)


def test_a_run_is_complete_once_it_is_judged(model: TinyModel, tmp_path: Path) -> None:
    def complete() -> bool:
        record = read_run(tmp_path)
        assert record is not None
        return record.complete

    both = program(statement("kids"), statement("men"), expect(), expect(group="men"))
    both.run(out=tmp_path, only="kids")
    assert not complete()
    both.run(out=tmp_path, only="men")
    assert complete()
    record = read_run(tmp_path)
    assert record is not None
    # What was judged before stays, though this run did not make its group.
    assert [found.group for found in record.expectations] == ["kids", "men"]


def test_what_is_not_made_is_not_judged_and_that_is_said(
    model: TinyModel, capsys: pytest.CaptureFixture[str]
) -> None:
    both = program(statement("kids"), statement("men"), expect(), expect(group="men"))
    options = Options(None, "cpu", None, ("men",), True)
    run = execute.execute(both.checked, options, Plain())
    assert [found.group for found in run.expectations] == ["men"]
    assert capsys.readouterr().err == "expect glasses=1 in 95% of kids: skipped, kids is not made\n"


def test_annotators_are_there_before_anything_is_made(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Missing:
        def __init__(self, attributes: object, progress: object) -> None:
            raise RuntimeError("no annotators")

    monkeypatch.setattr(execute, "AnnotatorPool", Missing)
    for out in (None, tmp_path):
        with pytest.raises(RuntimeError, match="no annotators"):
            program(statement(), expect()).run(out=out)
    assert not list(tmp_path.rglob("*.png"))
    assert not list(tmp_path.rglob("latents*"))


def test_an_interrupted_judgement_goes_on(
    model: TinyModel, tmp_path: Path, pool: type[FakePool], monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate = FakePool.annotate

    def stopped(self: FakePool, pictures: Iterable[Look], stage: Stage) -> Iterator[Seen]:
        for number, seen in enumerate(annotate(self, pictures, stage)):
            if number == 3:
                raise KeyboardInterrupt
            yield seen

    with monkeypatch.context() as patched:
        patched.setattr(FakePool, "annotate", stopped)
        with pytest.raises(KeyboardInterrupt, match="5 finished samples are kept"):
            program(statement("kids", 5), expect()).run(out=tmp_path)
    looked = pool.looked
    run = program(statement("kids", 5), expect()).run(out=tmp_path)
    assert pool.looked == looked + 2
    assert run.expectations[0].holds


def test_pictures_are_annotated_again_for_what_was_not_judged_before(
    model: TinyModel, tmp_path: Path, pool: type[FakePool], monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate = FakePool.annotate

    def without_age(self: FakePool, pictures: Iterable[Look], stage: Stage) -> Iterator[Seen]:
        return ({"glasses": seen["glasses"]} for seen in annotate(self, pictures, stage))

    with monkeypatch.context() as patched:
        patched.setattr(FakePool, "annotate", without_age)
        program(statement("kids", 5), expect()).run(out=tmp_path)
    looked = pool.looked
    program(statement("kids", 5), expect(), expect(OVER_40, 0.01)).run(out=tmp_path)
    assert pool.looked == looked + 5
    program(statement("kids", 5), expect(), expect(OVER_40, 0.01)).run(out=tmp_path)
    assert pool.looked == looked + 5

"""`lacelang status`: what there is of a run or a data set, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import TinyModel, program, statement

from lacelang.cli.main import main
from lacelang.engine import plan
from lacelang.errors import ResourceError
from lacelang.storage.reading import find_run

Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["status", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture(autouse=True)
def tiny_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: TinyModel())


def test_a_run_is_complete_until_an_image_is_gone(said: Said, tmp_path: Path) -> None:
    program(statement("one", 1), statement("two", 3)).run(out=tmp_path)
    whole = "one: 1 of 1 samples, 1 image\ntwo: 3 of 3 samples, 3 images\ncomplete\n"
    assert said(tmp_path)[:2] == (0, whole)
    (tmp_path / "two" / "0001.png").unlink()
    code, printed, _ = said(tmp_path)
    assert code == 1
    assert printed.splitlines()[1:] == ["two: 3 of 3 samples, 2 images, 1 missing", "not complete"]
    _, printed, _ = said(tmp_path, "--json")
    assert json.loads(printed)["complete"] is False
    # The same program makes it again.
    program(statement("one", 1), statement("two", 3)).run(out=tmp_path)
    assert said(tmp_path)[:2] == (0, whole)


def test_a_run_without_images_lacks_none(said: Said, tmp_path: Path) -> None:
    program(statement("one", 2)).run(out=tmp_path, images=False)
    assert said(tmp_path)[:2] == (0, "one: 2 of 2 samples, 0 images\ncomplete\n")


def test_a_data_set(said: Said, tmp_path: Path) -> None:
    made = program(statement("one", 5))
    made.run(out=tmp_path, format="webdataset", shard_size=2)
    code, printed, _ = said(tmp_path, "--verify")
    assert code == 0
    assert printed.startswith("one: 5 of 5 samples in 3 shards")
    # It is no run, and says what it is.
    with pytest.raises(ResourceError) as raised:
        find_run(tmp_path)
    assert f"lacelang status {tmp_path}" in str(raised.value.remedy)
    shard = tmp_path / "one" / "000000002.tar"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    code, printed, _ = said(tmp_path, "--verify")
    assert code == 1
    assert "one/000000002.tar: damaged" in printed


@pytest.mark.parametrize(
    ("place", "words"), [("none", "there is no folder"), (".", "holds no run and no data set")]
)
def test_nothing_is_there(said: Said, tmp_path: Path, place: str, words: str) -> None:
    code, _, wrong = said(tmp_path / place)
    assert code == 2
    assert words in wrong


@pytest.mark.parametrize("workers", ["x", "-3", "ray://", "ray://host", "1.5"])
def test_workers_that_are_no_number_and_no_address(
    workers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["run", "p.lace", f"--workers={workers}"])
    assert "a number of processes, or ray://HOST:PORT" in capsys.readouterr().err

"""Commands about images: they are made again, shown, formatted and explained."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lacelang
from lacelang.cli.main import main
from lacelang.storage.provenance import read

pytestmark = pytest.mark.weights

PROGRAM = "sample 2 from digits where digit=two seed 3 as twos\nsample 2 from digits as plain\n"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    lacelang.compile(PROGRAM, folder.parent / "p.lace").run(out=folder)
    return folder


def printed(capsys: pytest.CaptureFixture[str], *command: object) -> tuple[int, str, str]:
    code = main([*map(str, command)])
    found = capsys.readouterr()
    assert "Traceback" not in found.err
    return code, found.out, found.err


def test_an_image_is_replayed_beside_itself(
    out: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    image = tmp_path / "x.png"
    image.write_bytes((out / "twos" / "0001.png").read_bytes())
    code, text, _ = printed(capsys, "replay", image)
    assert code == 0
    assert text == f"{PROGRAM}\n{tmp_path / 'x.replay.png'}: the same pixels\n"
    again = tmp_path / "other.png"
    code, text, _ = printed(capsys, "replay", image, "--out", again, "--no-metadata")
    assert code == 0
    assert read(again) is None
    assert np.array_equal(np.asarray(Image.open(again)), np.asarray(Image.open(image)))
    code, _, err = printed(capsys, "replay", image, "--out", again)
    assert code == 2
    assert "is there already" in err


def test_other_pixels_are_said_and_exit_with_1(
    out: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from attrs import evolve

    from lacelang.storage.png import encode
    from lacelang.storage.provenance import of_image, texts

    said = of_image(out / "twos" / "0001.png")
    pixels = np.array(Image.open(out / "plain" / "0001.png"))
    other = evolve(said, pixels=None, versions={**said.versions, "torch": "1.0"})
    (tmp_path / "x.png").write_bytes(encode(pixels, texts(other)))
    code, text, _ = printed(capsys, "replay", tmp_path / "x.png")
    assert code == 1
    assert "other pixels" in text
    assert "% of the pixels differ" in text
    assert "torch: 1.0 made it" in text


def test_show_tells_what_an_image_or_a_folder_is(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text, _ = printed(capsys, "show", out / "twos" / "0001.png")
    assert code == 0
    for part in ("sample 1 of twos", "synthetic", "digit=two", "seed 3", "torch", PROGRAM):
        assert part in text
    code, text, _ = printed(capsys, "show", out)
    assert code == 0
    for part in ("p.lace, complete", "twos: 2 of 2", "plain: 2 of 2", "holds in 2/2"):
        assert part in text
    monkeypatch.chdir(out / "twos")
    code, text, _ = printed(capsys, "show", ".")
    assert code == 0
    assert "twos: 2 of 2" in text
    assert "plain" not in text
    _, text, _ = printed(capsys, "show", out, "--json")
    assert [group["made"] for group in json.loads(text)["groups"]] == [2, 2]
    _, text, _ = printed(capsys, "show", out / "twos" / "0001.png", "--json")
    assert json.loads(text)["program"] == PROGRAM
    _, text, _ = printed(capsys, "show", out / "twos" / "sheet.png")
    assert "sheet of twos" in text


def test_fmt_and_explain_take_an_image(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = out / "twos" / "0001.png"
    before = image.read_bytes()
    assert printed(capsys, "fmt", image)[:2] == (0, PROGRAM)
    assert printed(capsys, "fmt", "--check", image)[0] == 0
    code, text, _ = printed(capsys, "explain", image)
    assert code == 0
    assert "2 samples of digits" in text
    assert image.read_bytes() == before


@pytest.mark.parametrize("command", ["run", "check"])
def test_other_commands_say_that_it_is_an_image(
    out: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    code, text, err = printed(capsys, command, out / "twos" / "0001.png")
    assert (code, text) == (2, "")
    assert "is an image, not a program" in err


@pytest.mark.parametrize("command", ["replay", "show", "fmt", "explain"])
def test_what_carries_nothing_gets_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:20])
    for name in ("a.jpg", "a.png", "cut.png", "missing.png"):
        code, text, err = printed(capsys, command, tmp_path / name)
        assert (code, text) == (2, "")
        assert name in err
        assert len(err.splitlines()) <= 3
    os.mkfifo(tmp_path / "pipe.png")
    if command in ("replay", "show"):
        assert printed(capsys, command, tmp_path / "pipe.png")[0] == 2

"""Images of real generators are made again, pixel by pixel, where nothing but the image is left."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from PIL import Image

import lacelang
from lacelang import UsageError
from lacelang.engine.replay import Replay
from lacelang.storage.latents import Latents
from lacelang.storage.pixels import pixels_of
from lacelang.storage.png import encode
from lacelang.storage.provenance import Provenance, of_image, texts

pytestmark = pytest.mark.weights

PROGRAM = """
import "sub/mine.lace"
sample 3 from digits where mine seed 4 as a
edit a { digit = eight } stay 0.04 as b
edit b { digit=zero or digit=six } as c
pick 2, 0 of b as picked
edit picked { digit = one } as again
sample 4 from digits where digit = each {one, seven: 2} as drawn
for d in three, four { sample 2 from digits where digit = d seed half as "d {d}" }
sample 3 from digits seed 9 as plain
sample 2 from digits where digit=two verified(3) as sure
sample 2 from digits where digit=two or digit=nine disjunction balanced as balanced
"""
MINE = "let mine = not digit=three and digit in {five, six}\nlet half = 5"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images of a run, in one folder; the program, what it imports and the run are gone."""
    home = tmp_path_factory.mktemp("made")
    folder = home / "programs"
    (folder / "sub").mkdir(parents=True)
    (folder / "p.lace").write_text(PROGRAM)
    (folder / "sub" / "mine.lace").write_text(MINE)
    program = lacelang.compile(PROGRAM, folder / "p.lace")
    run = program.run(out=folder / "out")
    first = run["b"].folder
    assert first is not None
    source = f'edit "{first}" {{ digit = two }} as far edit far {{ digit = three }} as farther'
    lacelang.compile(source).run(out=folder / "other")
    (home / "images").mkdir()
    for out in ("out", "other"):
        for path in sorted((folder / out).glob("*/*.png")):
            shutil.copy(path, home / "images" / f"{path.parent.name} {path.name}")
    shutil.copy(folder / "out" / "b" / "edits" / "0000.png", home / "images" / "film.png")
    shutil.rmtree(folder)
    return home / "images"


def replayed(path: Path, **options: object) -> Replay:
    made = lacelang.replay(path, **options)  # type: ignore[arg-type]
    assert made.same
    assert not made.retouched
    assert not made.reasons
    assert not made.pixels
    assert np.array_equal(np.asarray(made.image), np.asarray(Image.open(path)))
    return made


@pytest.mark.parametrize(
    "name",
    [
        "a 0002",
        "b 0001",
        "c 0002",
        "picked 0000",
        "again 0000",
        "drawn 0003",
        "d four 0001",
        "plain 0002",
        "sure 0001",
        "balanced 0001",
        "far 0002",
        "farther 0001",
    ],
)
def test_an_image_is_made_again_from_itself_alone(images: Path, tmp_path: Path, name: str) -> None:
    made = replayed(images / f"{name}.png", out=tmp_path / "again.png")
    # What was made again says the same of itself, and can be made again.
    before, after = of_image(images / f"{name}.png"), of_image(tmp_path / "again.png")
    assert after.replay_of == before.pixels
    assert evolve(after, replay_of=None) == before
    assert made.file == tmp_path / "again.png"


def test_a_replay_is_replayed(images: Path, tmp_path: Path) -> None:
    for name in ("far 0002", "c 0002"):
        lacelang.replay(images / f"{name}.png", tmp_path / f"{name}.png")
        replayed(tmp_path / f"{name}.png")


def test_the_program_needs_no_other_file(images: Path) -> None:
    said = lacelang.provenance(images / "a 0002.png")
    assert said.program is not None
    assert "import" not in said.program
    assert "let mine = not digit=three and digit in {five, six}" in said.program


def test_sheets_and_film_strips_say_what_they_are(images: Path) -> None:
    for name, what in (("a sheet", "the contact sheet of a"), ("film", "film strip of sample 0")):
        with pytest.raises(UsageError, match=what):
            lacelang.replay(images / f"{name}.png")


def test_an_image_that_was_changed_is_told_from_what_it_was(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    pixels = np.array(Image.open(images / "a 0001.png"))
    pixels[3, 4] ^= 8
    path.write_bytes(encode(pixels, texts(of_image(images / "a 0001.png"))))
    made = lacelang.replay(path)
    assert made.same
    assert made.retouched
    assert made.pixels is not None
    assert made.pixels.most == 8
    assert made.pixels.share == pytest.approx(1 / 784)


def forged(images: Path, path: Path, **fields: object) -> Path:
    said = evolve(of_image(images / "a 0001.png"), **fields)
    pixels = pixels_of(images / "a 0001.png")
    assert pixels is not None
    path.write_bytes(encode(pixels, texts(said)))
    return path


def test_what_differs_is_said(images: Path, tmp_path: Path) -> None:
    said = of_image(images / "a 0001.png")
    assert said.program is not None
    assert said.settings is not None
    program = said.program.replace("{five, six}", "{five, seven}")
    settings = {**said.settings, "weights": {**said.settings["weights"], "classifiers": "0" * 64}}
    versions = {**said.versions, "torch": "1.0", "platform": "Linux arm64 DEFAULT"}
    path = forged(images, tmp_path / "a.png", settings=settings, versions=versions)
    reasons = "\n".join(lacelang.replay(path).reasons)
    assert "torch: 1.0 made it" in reasons
    assert "platform: Linux arm64 DEFAULT made it" in reasons
    path = forged(
        images,
        tmp_path / "b.png",
        program=program,
        settings=settings,
        fingerprint="0" * 32,
        pixels="0" * 64,
    )
    made = lacelang.replay(path)
    assert not made.same
    assert made.pixels
    assert any("classifiers: it was 0000" in reason for reason in made.reasons)
    path = forged(images, tmp_path / "c.png", program=program, fingerprint="0" * 32)
    assert any("means something else" in reason for reason in lacelang.replay(path).reasons)


def test_nothing_of_a_person_is_written_over(images: Path, tmp_path: Path) -> None:
    from lacelang.engine.replay import Remaking
    from lacelang.progress import Silent
    from lacelang.system.torch_state import isolated

    path = tmp_path / "x.png"
    shutil.copy(images / "plain 0001.png", path)
    (tmp_path / "x.replay.png").write_bytes(b"mine")
    with isolated():
        remaking = Remaking.of(path)
        made = remaking.run("auto", Silent())
    # The second time it is a replay of ours, and is replaced.
    for _ in range(2):
        assert remaking.written(made, None).file == tmp_path / "x.replay2.png"
    assert (tmp_path / "x.replay.png").read_bytes() == b"mine"
    pixels = np.array(made.image)
    pixels[0, 0] = 255 - pixels[0, 0]
    said = of_image(tmp_path / "x.replay2.png")
    retouched = encode(pixels, texts(said))
    (tmp_path / "x.replay2.png").write_bytes(retouched)
    assert remaking.written(made, None).file == tmp_path / "x.replay3.png"
    assert (tmp_path / "x.replay2.png").read_bytes() == retouched
    for mine in (path, images / "a 0001.png", tmp_path / "x.replay.png"):
        with pytest.raises(UsageError, match="is there already"):
            remaking.written(made, mine)
    (tmp_path / "link.png").symlink_to(tmp_path / "x.replay3.png")
    with pytest.raises(UsageError, match="is there already"):
        remaking.written(made, tmp_path / "link.png")


HOSTILE = {
    "no such group": {"group": "z"},
    "no such source": {"came_from": (), "group": "b"},
    "no program": {"program": None},
    "a wrong program": {"program": "sample from from"},
    "a file": {"program": 'edit "/etc/passwd.npy" { digit = one } as a'},
    "a folder": {"program": 'edit "out/men" { digit = one } as a'},
    "an import": {"program": 'import "/etc/passwd" sample from digits as a'},
    "an unknown model": {"program": "sample from nowhere as a"},
    "weights of a stranger": {
        "program": 'model m { generator mobilestylegan from "evil==1.0" sha256 "%s" }\n'
        "sample from m as a" % ("a" * 64)
    },
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_stranger_gets_a_sentence(images: Path, tmp_path: Path, how: str) -> None:
    path = forged(images, tmp_path / "a.png", **HOSTILE[how])
    with pytest.raises(lacelang.LaceError) as caught:
        lacelang.replay(path)
    assert len(str(caught.value)) < 1000


def test_latents_that_do_not_fit_are_refused(images: Path, tmp_path: Path) -> None:
    said = of_image(images / "far 0000.png")
    assert said.start is not None
    pixels = pixels_of(images / "far 0000.png")
    assert pixels is not None
    wide = Latents(None, np.zeros((1, 7), np.float32))
    other: Provenance
    assert said.began is not None
    without = evolve(said, start=None, began=evolve(said.began, start=None))
    for other in (evolve(said, start=wide), without):
        (tmp_path / "a.png").write_bytes(encode(pixels, texts(other)))
        with pytest.raises(UsageError, match=r"another model|does not carry its own"):
            lacelang.replay(tmp_path / "a.png")


def test_pictures_of_python_are_replayed(tmp_path: Path) -> None:
    condition = lacelang.attr("digit") == "six"
    text = "sample 2 from digits where wanted as a edit a { digit = one } as b"
    run = lacelang.compile(text, definitions={"wanted": condition}).run()
    (tmp_path / "a.png").write_bytes(run["b"].png(1))
    replayed(tmp_path / "a.png")
    alone = lacelang.sampling("digits", condition, count=2, name="x").run()
    (tmp_path / "b.png").write_bytes(alone["x"].png(1))
    replayed(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(alone["x"].png(1, metadata=False))
    with pytest.raises(UsageError, match="does not say how it was made"):
        lacelang.replay(tmp_path / "c.png")


def test_a_term_of_python_is_asked_for(tmp_path: Path) -> None:
    def near(w: object) -> object:
        return w.square().sum(dim=1) * 0.01  # type: ignore[attr-defined]

    term = lacelang.term(near, version=1)
    program = lacelang.compile(
        "sample 2 from digits where near and digit=six as a", definitions={"near": term}
    )
    program.run(out=tmp_path / "out")
    path = tmp_path / "out" / "a" / "0001.png"
    with pytest.raises(UsageError, match="`near`, a function of Python's"):
        lacelang.replay(path)
    replayed(path, definitions={"near": lacelang.term(near, version=1)})
    other = lacelang.replay(path, definitions={"near": lacelang.term(near, version=2)})
    assert any("means something else" in reason for reason in other.reasons)


def test_a_face_of_ffhq_is_made_again(tmp_path: Path) -> None:
    source = "import faces sample 2 from ffhq where bespectacled and smiling seed 3 as s"
    lacelang.compile(source).run(out=tmp_path / "out")
    replayed(tmp_path / "out" / "s" / "0001.png")


def test_a_seed_in_place_of_the_programs(tmp_path: Path) -> None:
    program = lacelang.compile("sample 2 from digits seed random as a edit a {digit=one} as b")
    program.run(seed=77, out=tmp_path / "x")
    program.run(out=tmp_path / "y")
    for out in "xy":
        replayed(tmp_path / out / "b" / "0001.png")

"""What images say of how they were made, of programs of any size, and what strangers write."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_runs import make_latents, make_run, make_samples, provenance_of
from PIL import Image, PngImagePlugin

from lacelang.errors import UsageError
from lacelang.storage import provenance
from lacelang.storage.latents import EditPath, Latents, arrays_of
from lacelang.storage.png import XMP, encode, texts_of
from lacelang.storage.provenance import (
    Began,
    Origin,
    Provenance,
    SavedSamples,
    TermUsed,
    carries,
    of_image,
    read,
    texts,
)
from lacelang.storage.records import GroupRecord

BLACK = np.zeros((4, 4, 3), np.uint8)


def text(size: int, alphabet: str) -> str:
    return "".join(random.Random(size).choices(alphabet, k=size))


def written(path: Path, said: Provenance) -> Path:
    path.write_bytes(encode(BLACK, texts(said)))
    return path


def minimal(**fields: Any) -> Provenance:
    (sample,) = make_samples(3, 1)
    group = GroupRecord("kids", "kids", "smile=1", "f" * 32, 7, 1, {"model": "ffhq"}, ())
    return evolve(provenance_of(make_run(), group, sample), **fields)


ALPHABETS = st.sampled_from(["a", string.printable, '"\\\n', "中", "\U0001f600", "\0\r\n\u2028"])
SIZES = st.integers(0, 300_000)


@settings(max_examples=25, deadline=None)
@given(sizes=st.tuples(SIZES, SIZES, SIZES), alphabet=ALPHABETS)
@example(sizes=(3_000_000, 3_000_000, 0), alphabet=string.printable)
@example(sizes=(0, 0, 3_000_000), alphabet="a")
@example(sizes=(5_000_000, 0, 10), alphabet="中")
@example(sizes=(1 << 19, 1, 1), alphabet="a")
@example(sizes=(17_000_000, 1, 1), alphabet="a")
def test_an_image_opens_whatever_the_program(
    tmp_path_factory: pytest.TempPathFactory, sizes: tuple[int, int, int], alphabet: str
) -> None:
    source, condition, name = (text(size, alphabet) for size in sizes)
    (sample,) = make_samples(0, 1)
    sample = evolve(sample, readings={condition: 0.5, source[:1000]: None})
    said = minimal(program=source, condition=condition, settings={"model": name}, sample=sample)
    path = written(tmp_path_factory.mktemp("x") / "0000.png", said)
    with Image.open(path) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        image.load()
        assert all(len(each.encode()) <= 1 << 20 for each in image.text.values())
    carried = read(path)
    assert carried is not None
    assert carried.sample is not None
    assert (carried.group, carried.seed, carried.sample.index) == ("kids", 7, 0)
    if "program" in carried.left_out:
        assert len(source) > 16_000_000
        assert carried.left_out["program"] == hashlib.sha256(source.encode()).hexdigest()
    else:
        assert carried.program == source
    if sum(sizes[1:]) * 12 < 200_000:
        assert evolve(carried, left_out={}, program=source) == said


LARGE = {"saved": None, "settings": None, "condition": None, "sample": None}


@pytest.mark.parametrize("name", LARGE)
def test_what_does_not_fit_is_left_out_with_its_digest(tmp_path: Path, name: str) -> None:
    long = "x" * (300 << 10)
    (sample,) = make_samples(3, 1)
    values: dict[str, Any] = {
        "saved": {long: SavedSamples("ffhq", 0.7, 1, True)},
        "settings": {"model": long},
        "condition": long,
        "sample": evolve(sample, readings={long: 0.5}),
    }
    whole, said = minimal(), minimal(**{name: values[name]})
    carried = read(written(tmp_path / "a.png", said))
    assert carried is not None
    assert set(carried.left_out) == {name}
    assert len(carried.left_out[name]) == 64
    if name == "sample":
        assert carried.sample is not None
        assert (carried.sample.index, carried.sample.readings) == (3, {})
        assert evolve(carried, sample=whole.sample, left_out={}) == whole
    else:
        assert getattr(carried, name) is None
        assert evolve(carried, left_out={}) == evolve(whole, **{name: None})


def test_all_that_an_image_says_comes_back(tmp_path: Path) -> None:
    path = EditPath(np.ones((1, 4, 8), np.float32), np.zeros((4, 5), np.int64))
    start = Latents(make_latents(1).z, path.styles()[:, 0], path)
    said = minimal(
        came_from=(Origin("men", "f1"), Origin("men_edited", "f2")),
        began=Began("out/men", "0f"),
        saved={"out/men": SavedSamples("ffhq", 0.7, 12, True)},
        terms={"round": TermUsed("z", "2")},
        pixels="0" * 64,
        replay_of="1" * 64,
        unresolved="why",
        start=start,
    )
    carried = read(written(tmp_path / "a.png", said))
    assert carried is not None
    assert carried.start is not None
    for name, array in arrays_of(start).items():
        assert np.array_equal(arrays_of(carried.start)[name], array)
    assert carried.began is not None
    assert carried.began.start is not None
    assert evolve(carried, began=said.began) == said
    assert carried.synthetic


def test_latents_that_are_too_large_are_left_out(tmp_path: Path) -> None:
    start = Latents(None, np.zeros((1, 40_000, 8), np.float32))
    said = minimal(began=Began("w.npy", "0f"), start=start)
    carried = read(written(tmp_path / "a.png", said))
    assert carried is not None
    assert carried.start is None
    assert carried.began == Began("w.npy", "0f")
    assert set(carried.left_out) == {"start"}


def test_other_programs_can_tell_that_it_is_synthetic(tmp_path: Path) -> None:
    xmp = texts_of(written(tmp_path / "a.png", minimal()))[XMP]
    tree = ElementTree.fromstring(xmp)
    found = {name: value for each in tree.iter() for name, value in each.attrib.items()}
    kind = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
    term = "trainedAlgorithmicMedia"
    assert found[kind] == f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"


# What strangers write


def forged(path: Path, chunks: dict[str, str]) -> Path:
    path.write_bytes(encode(BLACK, chunks))
    return path


def refused(path: Path) -> str:
    """The sentence about an image that cannot be used."""
    with pytest.raises(UsageError) as caught:
        of_image(path)
    sentence = str(caught.value)
    assert len(sentence) < 1000
    assert "Traceback" not in sentence
    return sentence


def mangled(change: Callable[[dict[str, Any]], object]) -> str:
    data = json.loads(texts(minimal())["lacelang"])
    data = change(data) or data
    return json.dumps(data)


WRONG: dict[str, str] = {
    "no json": "sample 4",
    "nothing": "",
    "a number": "5",
    "a list": "[]",
    "no fields": "{}",
    "nested": "[" * 100_000,
    "nested deep inside": mangled(lambda d: d.update(settings=json.loads("[" * 500 + "]" * 500))),
    "long": json.dumps({"schema": 2, "x": "x" * (600 << 10)}),
    "negative seed": mangled(lambda d: d.update(seed=-1)),
    "huge seed": mangled(lambda d: d.update(seed=2**70)),
    "index": mangled(lambda d: d["sample"].update(index="../../x")),
    "status": mangled(lambda d: d["sample"].update(status="fine")),
    "digest": mangled(lambda d: d.update(pixels="../x")),
    "program": mangled(lambda d: d.update(program="sample 4 from ffhq")),
    "another program": mangled(lambda d: d.update(program="0" * 64)),
    "earlier": mangled(lambda d: d.update(schema=1)),
    "later": mangled(lambda d: d.update(schema=99)),
    "NaN": texts(minimal())["lacelang"].replace('"energy": 0.75', '"energy": NaN'),
    "start": mangled(lambda d: d.update(began={"name": "x", "samples": "", "start": "0" * 64})),
    "what": mangled(lambda d: d.update(what="movie")),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_strangers_write_is_refused_in_a_sentence(tmp_path: Path, how: str) -> None:
    whole = texts(minimal())
    path = forged(tmp_path / "a.png", {**whole, "lacelang": WRONG[how]})
    assert "cannot be used" in refused(path)
    with pytest.raises(ValueError, match=r"."):
        read(path)


@pytest.mark.parametrize(
    "start", ["", "AAAA", "%%%", "A" * 900_000, base64.b64encode(b"\xff" * 64).decode()]
)
def test_latents_of_strangers_are_refused(tmp_path: Path, start: str) -> None:
    said = minimal(began=Began("w", "0"), start=Latents(None, np.zeros((1, 8), np.float32)))
    path = forged(tmp_path / "a.png", {**texts(said), "lacelang.start": start})
    assert "latents" in refused(path)


def test_a_program_with_a_part_missing_or_changed_is_refused(tmp_path: Path) -> None:
    whole = texts(minimal(program="a" * 2_000_000))
    assert {"lacelang.program", "lacelang.program.2", "lacelang.program.4"} <= set(whole)
    for change in ({"lacelang.program.2": ""}, {"lacelang.program.3": "b"}):
        assert "not all there" in refused(forged(tmp_path / "a.png", {**whole, **change}))
    whole.pop("lacelang.program.2")
    assert "not all there" in refused(forged(tmp_path / "a.png", whole))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = zlib.compress(b"x" * (64 << 20))
    info = PngImagePlugin.PngInfo()
    info.add(b"iTXt", b"lacelang\0\1\0\0\0" + bomb)
    Image.fromarray(BLACK).save(tmp_path / "a.png", pnginfo=info)
    assert "cannot be used" in refused(tmp_path / "a.png")


def test_a_file_that_is_cut_off_anywhere_ends_in_a_sentence_or_is_whole(tmp_path: Path) -> None:
    data = encode(BLACK, texts(minimal()))
    path = tmp_path / "a.png"
    for length in range(0, len(data), 13):
        path.write_bytes(data[:length])
        with suppress(UsageError):
            of_image(path)


def test_bytes_that_change_anywhere_end_in_a_sentence_or_do_not_matter(tmp_path: Path) -> None:
    data = bytearray(encode(BLACK, texts(minimal())))
    path = tmp_path / "a.png"
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x11
        path.write_bytes(changed)
        with suppress(UsageError):
            of_image(path)


def test_images_of_others_get_a_sentence(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.webp", "a.gif"):
        Image.fromarray(BLACK).save(tmp_path / name)
        assert "does not say how it was made" in refused(tmp_path / name)
    (tmp_path / "a.txt").write_text("no image")
    assert "no image" in refused(tmp_path / "a.txt")
    assert "no image" in refused(tmp_path / "missing.png")
    assert "folder" in refused(tmp_path)


def test_an_earlier_version_of_lacelang_is_known_as_ours(tmp_path: Path) -> None:
    path = forged(tmp_path / "a.png", {"lacelang": '{"schema": 1, "program": {"source": "x"}}'})
    assert carries(path)
    assert "earlier version" in refused(path)
    assert not carries(forged(tmp_path / "b.png", {"lacelang": "no json"}))
    assert not carries(tmp_path / "missing.png")


def test_the_form_of_the_file_is_stated() -> None:
    """What other programs may rely on; a change of it is another schema."""
    said = json.loads(texts(minimal())["lacelang"])
    assert said == {
        "schema": 2,
        "what": "image",
        "name": "p.lace",
        "versions": {"lacelang": "0"},
        "group": "kids",
        "kind": "sample",
        "fingerprint": "f" * 32,
        "seed": 7,
        "program": hashlib.sha256(b"sample from ffhq").hexdigest(),
        "condition": "smile=1",
        "settings": {"model": "ffhq"},
        "sample": {
            "index": 3,
            "energy": 0.75,
            "status": "converged",
            "nfe": 23,
            "readings": {"glasses=1": 0.99, "age=15": 14.2},
            "accepted": 0,
            "rejected": 0,
        },
        "synthetic": True,
    }
    assert provenance.SCHEMA == 2

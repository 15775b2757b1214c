"""What images carry, of programs of any size."""

from __future__ import annotations

import hashlib
import json
import random
import string
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_runs import make_run, make_samples
from PIL import Image, PngImagePlugin

from lacelang.storage.png import encode, metadata_of, provenance
from lacelang.storage.records import GroupRecord


def text(size: int, alphabet: str) -> str:
    return "".join(random.Random(size).choices(alphabet, k=size))


ALPHABETS = st.sampled_from(["a", string.printable, '"\\\n', "中文", "\U0001f600"])
SIZES = st.integers(0, 300_000)


@settings(max_examples=25, deadline=None)
@given(sizes=st.tuples(SIZES, SIZES, SIZES), alphabet=ALPHABETS)
@example(sizes=(3_000_000, 3_000_000, 0), alphabet=string.printable)
@example(sizes=(0, 0, 3_000_000), alphabet="a")
@example(sizes=(0, 3_000_000, 10), alphabet="中")
def test_an_image_opens_whatever_the_program(
    tmp_path_factory: pytest.TempPathFactory, sizes: tuple[int, int, int], alphabet: str
) -> None:
    path = tmp_path_factory.mktemp("x") / "0000.png"
    source, condition, name = (text(size, alphabet) for size in sizes)
    run = make_run(source=source)
    group = GroupRecord("kids", "kids", condition, "f" * 32, 7, 1, {"model": name}, (), ())
    (sample,) = make_samples(0, 1)
    sample = evolve(sample, readings={condition: 0.5, source: None})
    path.write_bytes(encode(np.zeros((4, 4, 3), np.uint8), provenance(run, group, sample)))
    with Image.open(path) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        image.load()
        assert set(image.text) == {"Software", "lacelang"}
    carried = metadata_of(path)
    assert carried is not None
    assert carried["program"]["name"] == "p.lace"
    assert (carried["group"], carried["seed"], carried["index"]) == ("kids", 7, 0)
    left = carried.get("left_out", {})
    if "program" in left:
        assert left["program"] == hashlib.sha256(source.encode()).hexdigest()
    else:
        assert carried["program"]["source"] == source
    if sum(sizes) * 12 < 200_000:
        assert not left


LARGE = ("settings", "condition", "program", "readings")
"""What grows with the program, in the order in which it gets its room."""


def size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def carried_with(**lengths: int) -> dict[str, Any]:
    """What an image carries whose parts are of these lengths, in bytes of JSON."""
    filled = {name: "x" * (lengths.get(name, 40) - 40) for name in LARGE}
    run = make_run(source=filled["program"])
    settings_, readings = {"model": filled["settings"]}, {filled["readings"]: 0.5}
    group = GroupRecord("kids", "kids", filled["condition"], "f0", 7, 1, settings_, ())
    (sample,) = make_samples(0, 1)
    return provenance(run, group, evolve(sample, readings=readings))


@pytest.mark.parametrize("name", LARGE)
def test_what_fits_to_the_last_byte_is_carried(name: str) -> None:
    """The limit is on the JSON of the values: what is short first, then each in its order."""
    whole = carried_with()
    small = {key: value for key, value in whole.items() if key not in LARGE}
    others = sum(size(whole[key]) for key in LARGE) - size(whole[name])
    room = (256 << 10) - size(small) - others
    fits = 40 + room - size(whole[name])
    assert "left_out" not in carried_with(**{name: fits})
    left = carried_with(**{name: fits + 1})
    # The last in the order has no room any more.
    assert left["left_out"].keys() == whole.keys() - left.keys() == {"readings"}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_left_to_the_index_with_its_digest(name: str) -> None:
    carried = carried_with(**{name: 300 << 10})
    long = "x" * ((300 << 10) - 40)
    texts = {
        "settings": json.dumps({"model": long}),
        "condition": json.dumps(long),
        "program": long,
        "readings": json.dumps({long: 0.5}),
    }
    assert carried.pop("left_out") == {name: hashlib.sha256(texts[name].encode()).hexdigest()}
    whole = carried_with()
    if name == "program":
        assert carried["program"] == {"name": "p.lace"}
    else:
        assert name not in carried
    assert {key: carried[key] for key in carried if key != name} == {
        key: whole[key] for key in whole if key != name
    }


def test_an_image_says_all_that_it_was_made_from(make_group: Callable[..., GroupRecord]) -> None:
    group = make_group()
    (sample,) = make_samples(0, 1)
    run = make_run()
    assert provenance(run, group, sample) == {
        "schema": 1,
        "versions": dict(run.versions),
        "program": {"name": run.program.name, "source": run.program.source},
        "group": "kids",
        "condition": "glasses=1 and age=15",
        "fingerprint": "f0",
        "settings": {"model": "ffhq", "sampler": "heun", "truncation": 0.7},
        "seed": 124,
        "index": 0,
        "energy": sample.energy,
        "status": sample.status,
        "readings": dict(sample.readings),
    }

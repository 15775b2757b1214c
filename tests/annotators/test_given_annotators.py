"""Annotators that a command line names: functions of one's own, groups of ImageNet's classes."""

import pickle
import sys

import numpy as np
import pytest
import torch

from lacelang.annotators.given import annotator_named
from lacelang.annotators.prompted.imagenet.annotator import Group, class_names
from lacelang.classifiers import labels
from lacelang.errors import UsageError
from lacelang.generators.mobilestylegan import MOBILESTYLEGAN
from lacelang.resources import shipped
from lacelang.storage.fetch import Archive
from lacelang.testing import annotators

ARCHIVE = Archive(
    "random-face",
    "2021.7.21.1",
    "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5",
)
CLASSES = {"dark": ("0", "1"), "tone": ("red", "green"), "mean": ()}
MODULE = """
import numpy as np
def judge(image):
    tone = "red" if image[..., 0].mean() > image[..., 1].mean() else "green"
    return {"dark": image.mean() < 100, "tone": tone, "mean": image.mean()}
def only_dark(image):
    return {"dark": 1}
def broken(image):
    raise ValueError("no idea")
def odd(image):
    return {"tone": "blue"}
def number(image):
    return 3
nothing = 1
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module in the current folder."""
    (tmp_path / "my_judge.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "my_judge"
    sys.modules.pop("my_judge", None)


@pytest.mark.parametrize("check", annotators.CONTRACT.values(), ids=annotators.CONTRACT)
def test_a_function_is_an_annotator(check, module):
    check(annotator_named(f"{module}:judge", CLASSES))


def test_its_values_may_be_names_and_numbers_and_missing(module):
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 1] = 90
    annotator = annotator_named(f"{module}:judge", CLASSES)
    # Workers get it by pickle.
    annotator = pickle.loads(pickle.dumps(annotator))
    assert annotator.values(annotator.load()(image)) == {"dark": 1.0, "tone": 1.0, "mean": 30.0}
    alone = annotator_named(f"{module}:only_dark", CLASSES)
    assert np.isnan(alone.values(alone.load()(image))["mean"])


def test_a_changed_function_is_another_annotator(module, tmp_path):
    before = annotator_named(f"{module}:judge", CLASSES).name
    assert annotator_named(f"{module}:odd", CLASSES).name != before
    with (tmp_path / "my_judge.py").open("a") as file:
        file.write("# changed\n")
    assert annotator_named(f"{module}:judge", CLASSES).name != before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", "failed: ValueError: no idea"),
        ("odd", "says 'blue' of tone, which is one of red, green"),
        ("number", "returned 3, and no values by attribute"),
    ],
)
def test_what_a_function_gets_wrong_is_said(name, message, module):
    measure = annotator_named(f"{module}:{name}", CLASSES).load()
    with pytest.raises(UsageError, match=message):
        measure(np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_judge:nothing", "has no function nothing"),
        ("my_judge:", "name it as module:function"),
        ("not_there:judge", "the module not_there cannot be imported"),
        ("clp", "no annotator 'clp': there are clip, imagenet"),
        ("clip", "the annotator clip needs prompts"),
    ],
)
def test_what_is_no_annotator_is_said(name, message, module):
    with pytest.raises(UsageError, match=message):
        annotator_named(name, CLASSES)


def test_prompts_belong_to_those_that_read_them(module, tmp_path):
    with pytest.raises(UsageError, match="belong to the annotators clip and imagenet"):
        annotator_named(f"{module}:judge", CLASSES, prompts=tmp_path / "p.toml")


HATS = {"hat": ("0", "1"), "animal": ("cat", "dog")}


def imagenet(folder, text):
    path = folder / "prompts.toml"
    path.write_text(text)
    return annotator_named("imagenet", HATS, prompts=path)


def test_groups_of_classes_are_looked_up_by_any_of_their_names(tmp_path):
    text = '[hat]\n1 = ["cowboy hat", "sombrero"]\n[animal]\ncat = "tabby"\ndog = ["Beagle", "pug"]'
    hat, animal = imagenet(tmp_path, text).code.groups
    assert hat.numbers == ((), (515, 808))
    assert [[class_names()[n][0] for n in inside] for inside in animal.numbers] == [
        ["tabby"],
        ["beagle", "pug"],
    ]
    assert len(class_names()) == 1000


def test_the_most_probable_group_wins_and_nothing_may_be_seen():
    shares = np.zeros(1000)
    shares[[3, 4, 9]] = 0.2, 0.2, 0.3
    assert Group("animal", ((3, 4), (9,)), 0.0).seen(shares) == 0
    assert np.isnan(Group("animal", ((3, 4), (9,)), 0.8).seen(shares))
    assert Group("hat", ((), (3, 4)), 0.5).seen(shares) == 0
    assert Group("hat", ((), (3, 4)), 0.3).seen(shares) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[hat]\n1 = "cowboy"', "ImageNet has no class 'cowboy'; there are .*cowboy boot"),
        ('[hat]\n0 = "wig"', "hat: the class `1` has no ImageNet class"),
        ('[animal]\ndog = "pug"', "animal: the class `cat` has no ImageNet class"),
    ],
)
def test_unknown_and_missing_classes_are_refused(text, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        imagenet(tmp_path, text)


def test_it_takes_no_weights(tmp_path):
    path = tmp_path / "prompts.toml"
    path.write_text('[hat]\n1 = "sombrero"')
    with pytest.raises(UsageError, match="has its own weights"):
        annotator_named("imagenet", HATS, prompts=path, weights=tmp_path)


@pytest.mark.weights
def test_dark_glasses_are_seen_in_a_real_picture(tmp_path):
    annotator = imagenet(tmp_path, '[hat]\nthreshold = 0.3\n1 = ["sunglass", "sunglasses"]')
    generator = MOBILESTYLEGAN.load(ARCHIVE, torch.device("cpu"), threads=1)
    table = labels.load(shipped("stdlib") / "ffhq.labels.safetensors")
    measure = annotator.load()
    # Rows of the table: two with dark glasses, one without any.
    images = table.draws().rows(np.array([669, 158, 0])).images(generator)
    assert [annotator.values(measure(image))["hat"] for image in images] == [1.0, 1.0, 0.0]

"""The route of prompts, with a small CLIP that is trained here on real captioned images."""

import json

import numpy as np
import pytest
from attrs import evolve
from safetensors.torch import load_file, save_file

from experiments import train_clip
from experiments.idx import images
from lacelang.annotators.given import annotator_named
from lacelang.annotators.prompted.clip.network import CONFIG, found_network
from lacelang.classifiers import labels
from lacelang.cli.main import main
from lacelang.errors import LaceError, ResourceError, UsageError
from lacelang.progress import Silent
from lacelang.testing import annotators

pytestmark = pytest.mark.weights
DIGITS = {"digit": train_clip.NAMES}
STEPS = 250
TESTED = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny CLIP of MNIST's training images, its weights and description."""
    where = tmp_path_factory.mktemp("tiny-clip")
    data = images("train", None)
    train_clip.write(train_clip.train(data.pixels, data.classes, STEPS, Silent()), where)
    lines = [f'{name} = "{name}"' for name in train_clip.NAMES]
    text = 'templates = ["a photo of the digit {}", "a handwritten {}"]\n[digit]\n'
    (where / "prompts.toml").write_text(text + "\n".join(lines))
    return where


@pytest.fixture(scope="module")
def annotator(folder):
    return annotator_named("clip", DIGITS, prompts=folder / "prompts.toml", weights=folder)


def test_digits_are_named_far_better_than_by_chance(annotator):
    data = images("t10k", None)
    measure = annotator.load()
    seen = [
        annotator.values(measure(np.repeat(image[..., None], 3, axis=2)))["digit"]
        for image in data.pixels[:TESTED]
    ]
    # By chance 0.1; 250 steps of training suffice for this much, 2 000 for 0.95.
    assert np.mean(np.array(seen) == data.classes[:TESTED]) > 0.4


@pytest.mark.parametrize("check", annotators.CONTRACT.values(), ids=annotators.CONTRACT)
def test_it_is_an_annotator(check, annotator):
    check(annotator)


def test_other_prompts_or_weights_are_another_annotator(annotator, folder, tmp_path):
    prompts = tmp_path / "prompts.toml"
    prompts.write_text((folder / "prompts.toml").read_text().replace('"zero"', '"naught"'))
    other = annotator_named("clip", DIGITS, prompts=prompts, weights=folder)
    assert other.name != annotator.name
    assert evolve(other, name="") != evolve(annotator, name="")


def copied(folder, where, change=lambda state: None, config=None):
    state = load_file(folder / "open_clip_model.safetensors")
    change(state)
    save_file(state, where / "open_clip_model.safetensors")
    found = json.loads((folder / CONFIG).read_text()) if config is None else config
    (where / CONFIG).write_text(json.dumps(found))
    return where


def refused(folder, weights, name=None):
    with pytest.raises(LaceError) as caught:
        annotator_named(
            "clip", DIGITS, prompts=folder / "prompts.toml", weights=weights, network=name
        )
    return f"{caught.value}"


def test_weights_of_another_network_are_refused(folder, tmp_path):
    where = copied(folder, tmp_path, lambda state: state.pop("visual.proj"))
    assert "cannot be loaded as" in refused(folder, where)


def test_damaged_weights_and_descriptions_are_refused(folder, tmp_path):
    where = copied(folder, tmp_path)
    (where / "open_clip_model.safetensors").write_bytes(b"nothing")
    assert "cannot be loaded as" in refused(folder, where)
    (where / CONFIG).write_text("{}")
    assert "describes no network of open_clip" in refused(folder, where)


def test_pickles_with_code_are_refused(folder, tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (print, ("executed",))

    where = tmp_path / "ViT-B-32.pt"
    where.write_bytes(pickle.dumps(Evil()))
    assert "cannot be loaded as ViT-B-32" in refused(folder, where)


@pytest.mark.parametrize(
    ("part", "value", "needs"),
    [
        ("hf_tokenizer_name", "org/tokeniser", "a tokeniser"),
        ("hf_model_name", "org/text", "a text network"),
    ],
)
def test_what_would_be_downloaded_is_refused(part, value, needs, folder, tmp_path):
    config = json.loads((folder / CONFIG).read_text())
    config["model_cfg"]["text_cfg"][part] = value
    said = refused(folder, copied(folder, tmp_path, config=config))
    assert f"needs {needs} that would have to be downloaded" in said


def test_files_that_say_nothing_are_refused(folder, tmp_path):
    assert "no weights at" in refused(folder, tmp_path / "none.safetensors")
    assert "no weights in" in refused(folder, tmp_path)
    (tmp_path / "x.npz").write_bytes(b"")
    assert "is none of .safetensors" in refused(folder, tmp_path / "x.npz")
    for name in ("a.safetensors", "b.safetensors"):
        (tmp_path / name).write_bytes(b"")
    assert "has several files of weights" in refused(folder, tmp_path)
    assert "cannot be told which network" in refused(folder, tmp_path / "a.safetensors")
    assert "no network 'ViT-X'" in refused(folder, tmp_path / "a.safetensors", "ViT-X")


def test_the_name_of_the_file_says_which_network_it_is(tmp_path):
    path = tmp_path / "ViT-B-32-quickgelu-laion400m.safetensors"
    path.write_bytes(b"")
    assert found_network(path).name == "ViT-B-32-quickgelu"
    hub = tmp_path / "CLIP-ViT-L-14-laion2B"
    hub.mkdir()
    (hub / "open_clip_model.safetensors").write_bytes(b"")
    assert found_network(hub).name == "ViT-L-14"
    assert found_network(hub, "ViT-B-16").name == "ViT-B-16"


def test_siglip_is_refused_since_its_tokeniser_is_not_here(folder, tmp_path):
    path = tmp_path / "ViT-B-16-SigLIP.safetensors"
    path.write_bytes(b"")
    with pytest.raises(ResourceError, match="a tokeniser"):
        found_network(path).load()


def test_prompts_without_weights_are_refused(folder):
    with pytest.raises(UsageError, match="needs weights"):
        annotator_named("clip", DIGITS, prompts=folder / "prompts.toml")


@pytest.mark.slow
def test_a_model_is_labelled_by_prompts(folder, tmp_path, capsys):
    out = tmp_path / "digits.labels.safetensors"
    files = ["--prompts", str(folder / "prompts.toml"), "--weights", str(folder)]
    size = ["--count", "150", "--rare", "0", "--workers", "1", "--out", str(out)]
    assert main(["label", "digits", "--annotator", "clip", *files, *size]) == 0
    by_prompts = labels.load(out)
    again = tmp_path / "judged.safetensors"
    assert main(["label", "digits", *size[:-1], str(again)]) == 0
    judged = labels.load(again).columns["digit"]
    seen = np.isfinite(judged)
    agreed = by_prompts.columns["digit"][seen] == judged[seen]
    # By chance 0.1.
    assert agreed.mean() > 0.3

"""Generators are imported from published files whole, or not at all."""

from __future__ import annotations

import io
import math
import pickle
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from published_files import CIFAR, SMALL, ada, modules, persistent, raw_of, rosinality
from published_files import tensorflow as of_tensorflow
from test_stylegan3 import SMALL as SMALL3
from test_stylegan3 import file_of
from test_stylegan3 import raw_of as raw3_of

import lacelang
from lacelang.classifiers.draws import at_indices
from lacelang.cli.main import main
from lacelang.engine.importing import import_generator
from lacelang.errors import ResourceError, UsageError
from lacelang.generators import ARCHITECTURES, statistics
from lacelang.progress import Silent
from lacelang.semantics.check import check
from lacelang.semantics.modules import library_models
from lacelang.semantics.weights import home_of
from lacelang.storage.published import RefusedError, read_data
from lacelang.storage.user_models import models_dir
from lacelang.syntax.format import format_source

TINY = evolve(CIFAR, channels=(4, 3), hidden=(12,))
PLAIN = evolve(TINY, classes=0, embedded=0, clamp=None)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of models, and fewer draws of the prior."""
    monkeypatch.setattr(statistics, "PRIOR_DRAWS", 4096)
    monkeypatch.setenv("LACELANG_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small cats-2.pkl"
    path.write_bytes(ada(SMALL, raw_of(SMALL)))
    return path


def imported(path: Path, name: str | None = None, replace: bool = False) -> Any:
    return import_generator(path, name, replace=replace, progress=Silent())


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.glob("[!.]*"))


def test_a_model_of_ones_own(small: Path, folder: Path) -> None:
    made = imported(small)
    assert made.name == "small_cats_2"
    assert files(folder) == ["small_cats_2.generator.safetensors", "small_cats_2.lace"]
    text = made.declaration.read_text()
    assert format_source(text) == text
    assert "StyleGAN2, 32 x 32, 8 style layers" in text
    spec = library_models()["small_cats_2"]
    assert spec.layout == SMALL.layout
    assert len(str(spec.sha256)) == 64
    # Examples can be taken in.
    made.declaration.write_text(re.sub("# attribute", "attribute", text))
    assert [a.name for a in library_models()["small_cats_2"].attributes] == ["smile", "age"]
    program = lacelang.compile("sample 3 from small_cats_2 seed 1 as cats\n")
    group = program.run()["cats"]
    assert group.latents.shape == (3, SMALL.layout.latent_dim)
    assert [image.size for image in group.images] == [(32, 32)] * 3
    with pytest.raises(ResourceError, match=r"lacelang label small_cats_2.*lacelang train"):
        lacelang.compile("sample 1 from small_cats_2 where smile=1 as a\n").run()
    beyond = text.replace(
        "# attribute smile : binary  layers 0..2", "attribute a : binary layers 8"
    )
    made.declaration.write_text(beyond)
    with pytest.raises(lacelang.LaceError, match="from 0 to 7"):
        lacelang.compile("sample 1 from small_cats_2 where a=1 as a\n")
    # Others are not held up by a declaration that is wrong.
    assert "ffhq" in library_models()
    assert "small_cats_2" not in library_models()


def test_a_stylegan3(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "turning.pkl"
    path.write_bytes(file_of(SMALL3, raw3_of(SMALL3)))
    made = imported(path)
    assert "generator stylegan3 from" in made.declaration.read_text()
    assert library_models()["turning"].layout == SMALL3.layout
    group = lacelang.compile("sample 2 from turning seed 1 as some\n").run()["some"]
    assert [image.size for image in group.images] == [(SMALL3.resolution,) * 2] * 2


def test_a_model_of_the_library(tmp_path: Path, folder: Path) -> None:
    """Its weights are the user's, and their digest is recorded beside them."""
    program = "sample 2 from cifar10 seed 1 as some\n"
    with pytest.raises(ResourceError) as refused:
        lacelang.compile(program).run()
    assert "cifar10.pkl" in str(refused.value)
    assert library_models()["cifar10"].layout is None
    path = tmp_path / "network-snapshot-025000.pkl"
    path.write_bytes(ada(CIFAR, raw_of(CIFAR)))
    made = imported(path, "cifar10")
    assert made.declaration is None
    weights = "cifar10.generator.safetensors"
    assert files(folder) == [weights, f"{weights}.sha256"]
    assert library_models()["cifar10"].layout == CIFAR.layout
    group = lacelang.compile(program).run()["some"]
    assert group.latents.shape == (2, 26)
    with pytest.raises(ResourceError, match=r"no classifiers yet"):
        lacelang.compile("sample 1 from cifar10 where class=cat as cats\n").run()
    # What has changed since is refused.
    data = bytearray((folder / weights).read_bytes())
    data[-1] ^= 1
    (folder / weights).write_bytes(data)
    lacelang.release()
    with pytest.raises(ResourceError, match="not those"):
        lacelang.compile(program).run()
    (folder / f"{weights}.sha256").unlink()
    with pytest.raises(ResourceError):
        lacelang.compile(program).run()
    imported(path, "cifar10", replace=True)
    assert lacelang.compile(program).run()["some"].latents.shape == (2, 26)


@pytest.mark.slow
def test_a_declared_attribute_is_taught_where_no_annotator_sees_it(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The classes of CIFAR-10, from the labels of 120 draws."""
    path = tmp_path / "cifar10.pkl"
    path.write_bytes(ada(CIFAR, raw_of(CIFAR)))
    imported(path)
    spec = library_models()["cifar10"]
    assert home_of(spec) == folder
    assert home_of(library_models()["ffhq"]) == Path()
    z = at_indices(5, range(120), CIFAR.layout.latent_dim).z
    names = spec.attribute("class").values
    rows = [f"{k},{names[row[CIFAR.z :].argmax()]}" for k, row in enumerate(z)]
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["# seed 5", "index,value", *rows, ""]))
    assert main(["teach", "cifar10", "class", "--labels", str(table)]) == 0
    assert "class" in capsys.readouterr().out
    spec = library_models()["cifar10"]
    assert [a.name for a in spec.attributes] == list(spec.taught) == ["class"]
    run = lacelang.compile("sample 2 from cifar10 where class=ship seed 1 as ships\n").run()
    assert len(run["ships"].energy) == 2


def test_what_the_library_declares_otherwise(small: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match="ffhq is a model of the standard library"):
        imported(small, "ffhq")
    with pytest.raises(UsageError, match=r"metfaces .* layer 10"):
        imported(small, "metfaces")
    assert files(folder) == []


@pytest.mark.parametrize(
    "name", ["", "a b", "7", "sample", "../a", "con", "a" * 300, "x\x1b", "a.b", "model"]
)
def test_names_that_a_model_cannot_have(name: str, small: Path, folder: Path) -> None:
    with pytest.raises(UsageError) as refused:
        imported(small, name)
    assert "`name`" in str(refused.value)
    assert files(folder) == []


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("stylegan2-ffhq-config-f.pkl", "stylegan2_ffhq_config_f"),
        ("550000.pt", "model_550000"),
        ("Ünï.pkl", "Uni"),
        ("猫.pkl", "model_"),
    ],
)
def test_names_from_files(file: str, name: str, small: Path) -> None:
    path = small.with_name(file)
    shutil.copy(small, path)
    assert imported(path).name == name


def test_nothing_is_replaced_unasked(small: Path, folder: Path) -> None:
    first = imported(small, "cats")
    before = {name: (folder / name).read_bytes() for name in files(folder)}
    with pytest.raises(UsageError, match="is there already"):
        imported(small, "cats")
    assert {name: (folder / name).read_bytes() for name in files(folder)} == before
    (folder / "dogs.lace").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        imported(small, "dogs")
    assert (folder / "dogs.lace").read_text() == "mine"
    assert imported(small, "cats", replace=True).weights == first.weights


def test_a_disk_that_cannot_be_written(small: Path, folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(ResourceError):
        imported(small, "cats")


def test_on_the_command_line(
    small: Path, folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["models", "import", str(small), "--name", "cats"]) == 0
    assert "lacelang label cats" in capsys.readouterr().out
    assert main(["models", "import", str(small), "--name", "cats"]) == 2
    assert "--replace" in capsys.readouterr().err
    assert main(["models", "import", str(small), "--name", "cats", "--replace"]) == 0
    capsys.readouterr()
    assert main(["models", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["cats"].endswith("here")
    assert lines["afhqcat"].endswith("not imported")
    assert main(["models", "show", "afhqcat"]) == 0
    assert "lacelang models import afhqcat.pkl --name afhqcat" in capsys.readouterr().out
    assert main(["models", "show", "cats"]) == 0
    assert "weights      here" in capsys.readouterr().out
    assert main(["models", "import", str(tmp_path / "none.pkl")]) == 3
    assert "there is no file" in capsys.readouterr().err
    (folder / "cats.lace").write_text("model cats {\n")
    assert main(["models", "show", "cats"]) == 1
    program = tmp_path / "p.lace"
    program.write_text("sample 1 from afhqcat as some\n")
    assert main(["run", str(program), "--out", str(tmp_path / "out")]) == 3
    said = capsys.readouterr().err
    assert "lacelang models import FILE --name afhqcat" in said
    assert "`afhqcat.pkl`" in said
    assert models_dir() == folder


@pytest.mark.parametrize("name", ["afhqcat", "metfaces", "cifar10"])
def test_programs_of_the_paper_say_what_to_import(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(__file__).resolve().parents[2] / "programs" / f"{name}.lace"
    check(path.read_text(encoding="utf-8"), path)
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 3
    assert f"lacelang models import FILE --name {name}" in capsys.readouterr().err


# Files of other networks, and broken ones


def without(name: str) -> bytes:
    raw = raw_of(SMALL)
    del raw[name]
    return ada(SMALL, raw)


def with_(name: str, value: torch.Tensor) -> bytes:
    return ada(SMALL, {**raw_of(SMALL), name: value})


def nan(name: str) -> bytes:
    raw = raw_of(SMALL)
    raw[name] = raw[name].clone()
    raw[name].view(-1)[0] = math.nan
    return ada(SMALL, raw)


def other(value: object) -> bytes:
    return pickle.dumps(value)


def critic() -> bytes:
    with modules() as names:
        raw = {"mapping.fc0.weight": torch.zeros(2, 2)}
        made = persistent(SMALL, raw, names)
        made.kind = "Discriminator"
        return pickle.dumps({"G_ema": made})


def saved(value: object) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def changed_checkpoint(name: str, value: Any) -> bytes:
    whole = torch.load(io.BytesIO(rosinality(SMALL, raw_of(SMALL))), weights_only=True)
    whole["g_ema"][name] = value
    return saved(whole)


BROKEN = {
    "no_block": (lambda: without("synthesis.b4.const"), "synthesis.b4.const"),
    "no_affine": (lambda: without("synthesis.b8.conv0.affine.bias"), "b8.conv0.affine.bias"),
    "no_bias": (lambda: without("synthesis.b16.conv1.bias"), "synthesis.b16.conv1.bias"),
    "no_mean": (lambda: without("mapping.w_avg"), "w_avg"),
    "no_image": (lambda: without("synthesis.b32.torgb.weight"), "torgb.weight"),
    "wrong_shape": (lambda: with_("synthesis.b8.conv0.weight", torch.zeros(6, 7, 3, 3)), "6×7×3×3"),
    "wrong_noise": (lambda: with_("synthesis.b8.conv0.noise_const", torch.zeros(4, 4)), "noise"),
    "wrong_kernel": (
        lambda: with_("synthesis.b8.conv1.weight", torch.zeros(6, 6, 5, 5)),
        "×5×5",
    ),
    "wrong_const": (lambda: with_("synthesis.b4.const", torch.zeros(8)), "const"),
    "gray": (lambda: with_("synthesis.b8.torgb.weight", torch.zeros(1, 6, 1, 1)), "to_rgb"),
    "gray_said": (lambda: ada(SMALL, raw_of(SMALL), img_channels=1), "1 channels"),
    "z_is_a_text": (lambda: ada(SMALL, raw_of(SMALL), z_dim="16"), "z_dim"),
    "z_is_another": (lambda: ada(SMALL, raw_of(SMALL), z_dim=17), "mapping.layers.0.weight"),
    "classes_are_missing": (lambda: ada(CIFAR, raw_of(CIFAR), c_dim=0), "embed"),
    "endless_z": (lambda: ada(SMALL, raw_of(SMALL), z_dim=10**9), "dimensions of z"),
    "nan": (lambda: nan("synthesis.b16.conv0.weight"), "not finite"),
    "nan_of_the_mean": (lambda: nan("mapping.w_avg"), "mean of w"),
    "nan_of_the_noise": (lambda: nan("synthesis.b4.conv1.noise_strength"), "not finite"),
    "mean_of_another_length": (lambda: with_("mapping.w_avg", torch.zeros(5)), "mean of w"),
    "a_discriminator": (lambda: critic(), "no generator"),
    "no_generator": (lambda: other({"D": 1, "epoch": 3}), "`D`, `epoch`"),
    "a_number": (lambda: other(3), "no generator"),
    "a_list": (lambda: other([1, 2]), "no generator"),
    "a_state_dict": (lambda: saved(torch.nn.Linear(2, 2).state_dict()), "`weight`, `bias`"),
    "three_texts": (lambda: other(("a", "b", "c")), "no generator"),
    "a_missing_variable": (
        lambda: of_tensorflow(SMALL, {**raw_of(SMALL)}).replace(
            b"8x8/Conv1/bias", b"8x8/Conv1/bial"
        ),
        "8x8/Conv1/bia",
    ),
    "a_checkpoint_that_lacks": (lambda: changed_checkpoint("convs.1.conv.weight", None), "convs.1"),
    "a_checkpoint_with_more": (
        lambda: changed_checkpoint("convs.7.conv.weight", torch.zeros(1)),
        "which such a network has not",
    ),
    "another_filter": (
        lambda: changed_checkpoint("convs.0.conv.blur.kernel", torch.ones(4, 4)),
        "filter of upsampling",
    ),
    "a_larger_kernel": (
        lambda: changed_checkpoint("conv1.conv.weight", torch.zeros(8, 8)),
        "conv1",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_other_and_broken_networks(name: str, tmp_path: Path, folder: Path) -> None:
    make, said = BROKEN[name]
    path = tmp_path / "network.pkl"
    path.write_bytes(make())
    with pytest.raises(ResourceError) as refused:
        imported(path)
    assert said in refused.value.message
    assert refused.value.message.startswith(f"{path} is not read: ")
    assert refused.value.remedy
    assert files(folder) == []


WHOLE = {
    "ada": ada(TINY, raw_of(TINY)),
    "tensorflow": of_tensorflow(TINY, raw_of(TINY)),
    "rosinality": rosinality(PLAIN, raw_of(PLAIN)),
    "stylegan3": file_of(SMALL3, raw3_of(SMALL3)),
}


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_random_changes(name: str, changes: list[tuple[int, int]]) -> None:
    """Whatever is changed in a file, it is read or refused."""
    data = bytearray(WHOLE[name])
    for at, value in changes:
        data[at % len(data)] = value
    with suppress(RefusedError):
        value = read_data(memoryview(bytes(data)))
        for architecture in ARCHITECTURES.values():
            architecture.find(value)

"""The laboratory's images: from one's own files in every form, and out of a Debian package."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.laboratory import debian
from experiments.laboratory.data import CLASSES, FASHION, pictures
from lacelang.errors import ResourceError, UsageError
from lacelang.storage.fetch import Archive

RANDOM = np.random.default_rng(0)


def idx(array: np.ndarray) -> bytes:
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LACELANG_DATA", str(tmp_path))
    for name in CLASSES:
        (tmp_path / name).mkdir()
    return tmp_path


def test_images_of_28_get_a_dark_margin(folder: Path) -> None:
    images = RANDOM.integers(0, 256, (3, 28, 28), dtype=np.uint8)
    classes = np.array([4, 0, 9], np.uint8)
    own = folder / "fashion"
    (own / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (own / "t10k-labels-idx1-ubyte").write_bytes(idx(classes))
    found = pictures("fashion", "test")
    assert found.pixels.shape == (3, 1, 32, 32)
    assert (found.pixels[:, 0, 2:-2, 2:-2].numpy() == images).all()
    assert found.pixels.sum() == images.sum()
    assert found.classes.tolist() == [4, 0, 9]
    assert found.at(slice(None)).min() == -1
    assert found.channels == 1
    assert found.take(slice(1, 2)).classes.tolist() == [0]


def test_images_of_another_size_are_refused(folder: Path) -> None:
    own = folder / "mnist"
    (own / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((1, 20, 20), np.uint8)))
    (own / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(1, np.uint8)))
    with pytest.raises(ResourceError, match="28 x 28"):
        pictures("mnist", "train")


def test_the_binary_version_of_cifar_is_read(folder: Path) -> None:
    own = folder / "cifar"
    planes = RANDOM.integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
    for k in range(5):
        (own / f"data_batch_{k + 1}.bin").write_bytes(bytes([k]) + planes[k].tobytes())
    (own / "test_batch.bin").write_bytes(bytes([9]) + planes[5].tobytes())
    found = pictures("cifar", "train")
    assert found.classes.tolist() == [0, 1, 2, 3, 4]
    assert (found.pixels.numpy() == planes[:5]).all()
    assert pictures("cifar", "test").classes.tolist() == [9]
    (own / "test_batch.bin").write_bytes(bytes(100))
    with pytest.raises(ResourceError, match=r"test_batch\.bin"):
        pictures("cifar", "test")


def test_folders_of_images_are_read_as_cifar(folder: Path) -> None:
    colour = np.zeros((32, 32, 3), np.uint8)
    colour[..., 1] = 200
    for name in CLASSES["cifar"]:
        where = folder / "cifar" / "test" / name
        where.mkdir(parents=True)
        Image.fromarray(colour).save(where / "0000.png")
    found = pictures("cifar", "test")
    assert found.classes.tolist() == list(range(10))
    assert (found.pixels[:, 1] == 200).all()
    assert found.pixels[:, 0].sum() == 0
    (folder / "cifar" / "test" / "frog" / "0000.png").write_bytes(b"no image")
    with pytest.raises(ResourceError, match=r"frog.0000\.png"):
        pictures("cifar", "test")


def test_what_is_not_there_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResourceError, match="airplane"):
        pictures("cifar", "train")
    with pytest.raises(ResourceError, match="fashion"):
        pictures("fashion", "train")
    with pytest.raises(UsageError, match="imagenet"):
        pictures("imagenet", "train")
    with pytest.raises(UsageError, match="validation"):
        pictures("mnist", "validation")
    monkeypatch.delenv("LACELANG_DATA")
    with pytest.raises(ResourceError, match="CIFAR-10 is not fetched"):
        pictures("cifar", "train")


def ar(files: dict[str, bytes]) -> bytes:
    parts = [b"!<arch>\n"]
    for name, content in files.items():
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        parts += [head, content, b"\n" * (len(content) % 2)]
    return b"".join(parts)


def packed(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return lzma.compress(data.getvalue())


def test_files_are_read_out_of_a_package(tmp_path: Path) -> None:
    path = tmp_path / "some.deb"
    whole = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": b"odd",
        "data.tar.xz": packed({"./a": b"1", "./b": b"22"}),
    }
    path.write_bytes(ar(whole))
    assert list(debian.members(path, "./b", "./a")) == [b"22", b"1"]
    with pytest.raises(ResourceError, match=r"\./c"):
        list(debian.members(path, "./c"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive at all",
        b"!<arch>\n",
        ar({"data.tar.gz": b"other"}),
        ar({"data.tar.xz": b"no xz"}),
        ar({"data.tar.xz": packed({"./a": b"1" * 1000})[:-40]}),
        b"!<arch>\n" + b"x" * 60,
    ],
    ids=["empty", "text", "no-files", "other", "no-xz", "cut", "no-size"],
)
def test_what_is_no_package_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.deb"
    path.write_bytes(content)
    with pytest.raises(ResourceError, match=r"some\.deb"):
        list(debian.members(path, "./a"))


def test_a_package_is_fetched_by_apt_and_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "apt-get"
    tool.write_text(
        '#!/bin/sh\ncase "$*" in *gone*) echo "E: none" >&2; exit 100;; esac\n'
        "printf hello > x.deb\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    with debian.fetched(Archive("some", "1", hello)) as path:
        assert path.read_bytes() == b"hello"
    assert not path.exists()
    with pytest.raises(ResourceError, match="not the file"), debian.fetched(FASHION):
        pass
    with pytest.raises(ResourceError, match="E: none"), debian.fetched(Archive("gone", "1", hello)):
        pass
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(ResourceError, match="no apt-get"), debian.fetched(FASHION):
        pass


@pytest.mark.slow
@pytest.mark.weights
def test_fashion_mnist_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    monkeypatch.delenv("LACELANG_DATA", raising=False)
    assert pictures("fashion", "train").classes.bincount().tolist() == [6000] * 10
    assert pictures("fashion", "test").classes.bincount().tolist() == [1000] * 10

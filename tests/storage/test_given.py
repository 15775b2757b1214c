"""Latents from elsewhere: what is taken, as what, and what is refused in words."""

from __future__ import annotations

import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lacelang.errors import ResourceError
from lacelang.generators import Layout
from lacelang.generators.mobilestylegan import MOBILESTYLEGAN
from lacelang.storage.given import Given, read_given
from lacelang.storage.latents import EditPath, Latents, arrays_of

FFHQ = MOBILESTYLEGAN.layout
SMALL = Layout(8, 8, ((0, 1, 2), (3,), tuple(range(4, 18))))
Numbers = NDArray[Any]


def rows(*shape: int) -> NDArray[np.float32]:
    count = int(np.prod(shape))
    return (np.arange(count).reshape(shape) % 97 / 8 - 5).astype(np.float32)


def write(path: Path, arrays: Mapping[str, Numbers]) -> Path:
    if path.suffix == ".safetensors":
        save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, path)
    elif path.suffix == ".npz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                data = BytesIO()
                np.save(data, array)
                archive.writestr(f"{name}.npy", data.getvalue())
    else:
        (array,) = arrays.values()
        np.save(path, array)
    return path


def read(path: Path, layout: Layout = SMALL) -> Given:
    return read_given(path, layout, path.name)


def refusal(path: Path, layout: Layout = SMALL) -> str:
    with pytest.raises(ResourceError) as wrong:
        read(path, layout)
    assert f"`{path.name}`" in wrong.value.message
    return wrong.value.message


def test_what_projectors_and_encoders_save_is_taken(tmp_path: Path) -> None:
    layout = FFHQ
    assert layout is not None
    plus = rows(1, 18, 512)
    for name, key, array in (
        ("projected_w.npz", "w", plus),  # StyleGAN2-ADA's projector
        ("wp.npy", "", plus),  # InterFaceGAN
        ("wp.npy", "", plus[0]),
        ("latents.npy", "", plus),  # e4e
        ("latents.npz", "arr_0", plus),
        ("latents.npz", "latents", plus[None]),
        ("latents.safetensors", "w+", plus[0]),
        ("x.safetensors", "W_plus", plus),
    ):
        found = read(write(tmp_path / name, {key: array}), layout)
        assert found.z is None
        assert found.w is not None
        assert found.w.shape == (1, 23, 512)
        # By resolution: both blocks of 8² have layer 1, the last style the image's own layer.
        layers = [0, *(k for j in range(7) for k in (2 * j + 1, 2 * j + 1, 2 * j + 2)), 17]
        assert np.array_equal(found.w, plus[:, layers])


@pytest.mark.parametrize("name", ["w.npy", "x.npy", "x.npz", "x.safetensors", "faces_w.npy"])
@pytest.mark.parametrize("shape", [(8,), (1, 8), (1, 1, 8), (5, 8), (1, 5, 8), (5, 1, 8)])
def test_w_of_any_count(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    key = "" if name.endswith(".npy") else "w"
    found = read(write(tmp_path / name, {key: rows(*shape)}))
    assert found.w is not None
    assert np.array_equal(found.w, rows(*shape).reshape(-1, 8))
    assert found.z is None
    assert len(found) == np.prod(shape) // 8


@pytest.mark.parametrize("name", ["z.npy", "z01.npy", "faces-z.npy", "z.npz", "z.safetensors"])
def test_z_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    key = "" if name.endswith(".npy") else "z"
    found = read(write(tmp_path / name, {key: rows(3, 8)}))
    assert found.w is None
    assert found.z is not None
    assert np.array_equal(found.z, rows(3, 8))


def test_a_key_that_does_not_tell_leaves_it_to_the_file_name(tmp_path: Path) -> None:
    for name, is_z in (("z.npz", True), ("faces.npz", False)):
        found = read(write(tmp_path / name, {"latents": rows(4, 8)}))
        assert (found.z is not None) == is_z


def test_z_beside_w_is_kept(tmp_path: Path) -> None:
    found = read(write(tmp_path / "x.npz", {"z": rows(2, 8), "w": rows(2, 18, 8)}))
    assert found.z is not None
    assert found.w is not None
    assert (found.z.shape, found.w.shape) == ((2, 8), (2, 3, 8))
    assert "2 z and 3 w" in refusal(write(tmp_path / "x.npz", {"z": rows(2, 8), "w": rows(3, 8)}))


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]),
    count=st.integers(1, 40),
    styles=st.sampled_from([(), (3,), (18,)]),
    fortran=st.booleans(),
    suffix=st.sampled_from([".npy", ".npz"]),
)
def test_any_float_in_any_order(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    count: int,
    styles: tuple[int, ...],
    fortran: bool,
    suffix: str,
) -> None:
    array = rows(count, *styles, 8).astype(kind)
    written = np.asfortranarray(array) if fortran else array
    path = tmp_path_factory.mktemp("x") / f"w{suffix}"
    found = read(write(path, {"w": written}))
    expected = array.astype(np.float32)
    if styles == (18,):
        expected = expected[:, [2, 3, 17]]
    assert found.w is not None
    assert found.w.dtype == np.float32
    assert np.array_equal(found.w, expected)


def safetensors(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_bfloat16_is_taken_from_safetensors(tmp_path: Path) -> None:
    exact = (rows(2, 8) * 8).round()
    halves = (exact.view(np.uint32) >> 16).astype("<u2")
    header = {"w": {"dtype": "BF16", "shape": [2, 8], "data_offsets": [0, 32]}}
    found = read(safetensors(tmp_path / "x.safetensors", header, halves.tobytes()))
    assert found.w is not None
    assert np.array_equal(found.w, exact)


def test_what_is_no_latents_is_refused_in_words(tmp_path: Path) -> None:
    def npy(array: Any, name: str = "w.npy") -> str:
        np.save(tmp_path / name, array, allow_pickle=True)
        return refusal(tmp_path / name)

    assert "of this model, w has 8 numbers" in npy(rows(3, 7))
    assert "a single number" in npy(np.float32(1))
    assert "holds no samples" in npy(rows(0, 8))
    assert "holds no samples" in npy(np.zeros((0, 18, 8), np.float32))
    assert "not a shape of w" in npy(rows(2, 3, 4, 8))
    assert "not a shape of w" in npy(rows(2, 5, 8))
    assert "not a shape of z" in npy(rows(2, 18, 8), "z.npy")
    assert "not a shape of w+" in npy(rows(5, 8), "wp.npy")
    assert "whole numbers" in npy(np.zeros((2, 8), np.int64))
    assert "whole numbers" in npy(np.zeros((2, 8), np.uint8))
    assert "booleans" in npy(np.zeros((2, 8), bool))
    assert "complex" in npy(np.zeros((2, 8), np.complex64))
    assert "never unpickled" in npy(np.array([{"w": 1}, None], dtype=object))
    assert "records" in npy(np.zeros(3, [("z", "f4", 8)]))
    assert "another kind" in npy(np.array(["a" * 8]))
    for wrong in (np.nan, np.inf, -np.inf):
        array = rows(3, 8)
        array[2, 5] = wrong
        assert "NaN" in npy(array)
    assert "beyond those of float32" in npy(np.full((2, 8), 1e300))
    assert "speaks of both w and z" in npy(rows(2, 8), "z_to_w.npy")


def test_samples_or_styles_must_be_told_apart(tmp_path: Path) -> None:
    for count in (3, 18):
        array = rows(count, 8)
        assert "or the styles of one" in refusal(write(tmp_path / "x.npy", {"": array}))
        for name, samples in (("w.npy", count), ("w_plus.npy", 1), ("z.npy", count)):
            assert len(read(write(tmp_path / name, {"": array}))) == samples


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_keys_are_known_and_one_tells_where_to_begin(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    assert "`weights`" in refusal(write(path, {"weights": rows(2, 8)}))
    assert "`psi`" in refusal(write(path, {"w": rows(2, 8), "psi": rows(1)}))
    assert "both `w` and `wp`" in refusal(write(path, {"w": rows(2, 8), "wp": rows(2, 18, 8)}))
    assert "holds no latents" in refusal(write(path, {}))
    assert "fit" in refusal(write(path, {"w": rows(2, 8), "trail.w": rows(2, 2, 8)}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    data = BytesIO()
    np.save(data, rows(1, 8))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for _ in range(2):
            archive.writestr("w.npy", data.getvalue())
    assert "`w` twice" in refusal(tmp_path / "x.npz")
    one = '"w": {"dtype": "F32", "shape": [1, 8], "data_offsets": [0, 32]}'
    path = safetensors(tmp_path / "x.safetensors", f"{{{one}, {one}}}".encode(), b"\0" * 32)
    assert "`w` twice" in refusal(path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors"])
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"w{suffix}", {"w": rows(4, 8)})
    data = path.read_bytes()
    for length in range(0, len(data), 3):
        path.write_bytes(data[:length])
        refusal(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), suffix=st.sampled_from([".npy", ".npz", ".safetensors"]))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str
) -> None:
    path = write(tmp_path_factory.mktemp("x") / f"w{suffix}", {"w": rows(4, 8)})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(ResourceError):
        read(path)


def _npy(shape: str, descriptor: str = "<f4", data: bytes = b"") -> bytes:
    text = f"{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {shape}}}\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


HUGE = (
    ("w.npy", lambda path: path.write_bytes(_npy("(1000000000000, 8)"))),
    ("w.npy", lambda path: path.write_bytes(_npy(f"({10**300}, 8)"))),
    ("w.npy", lambda path: path.write_bytes(_npy("(-1, 8)"))),
    ("w.npy", lambda path: path.write_bytes(_npy("(True, 8)"))),
    ("w.npy", lambda path: path.write_bytes(_npy("(" * 3000))),
    ("w.npy", lambda path: path.write_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{")),
    ("w.npy", lambda path: path.write_bytes(pickle.dumps([1, 2, 3]))),
    ("w.npz", lambda path: path.write_bytes(_npy("(1, 8)", data=bytes(32)))),
    ("w.npy", lambda path: path.write_bytes(b"PK\x03\x04")),
    (
        "w.safetensors",
        lambda path: safetensors(
            path, {"w": {"dtype": "F32", "shape": [10**15, 8], "data_offsets": [0, 32 * 10**15]}}
        ),
    ),
    ("w.safetensors", lambda path: path.write_bytes(struct.pack("<Q", 2**63) + b"{}")),
    ("w.safetensors", lambda path: safetensors(path, b"[" * 100_000)),
    ("w.safetensors", lambda path: safetensors(path, {"w": [1, 2]})),
    ("w.safetensors", lambda path: safetensors(path, ["w"])),
    (
        "w.safetensors",
        lambda path: safetensors(
            path, {"w": {"dtype": "F8_E4M3", "shape": [1, 8], "data_offsets": [0, 8]}}, bytes(8)
        ),
    ),
)


def _bomb(path: Path, shape: str = "(1000000, 8)", size: int = 1 << 28) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("w.npy", "w", force_zip64=True) as member,
    ):
        member.write(_npy(shape))
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))


@pytest.mark.parametrize(
    ("name", "make"), [*HUGE, ("w.npz", _bomb)], ids=[str(i) for i in range(len(HUGE) + 1)]
)
def test_a_file_that_claims_too_much_costs_no_memory(
    tmp_path: Path, name: str, make: Callable[[Path], object]
) -> None:
    path = tmp_path / name
    make(path)
    tracemalloc.start()
    try:
        refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.npy").mkdir()
    assert "not a regular file" in refusal(tmp_path / "w.npy")
    (tmp_path / "link.npy").symlink_to(tmp_path / "nowhere.npy")
    assert "cannot be read" in refusal(tmp_path / "link.npy")
    os.mkfifo(tmp_path / "pipe.npz")
    assert "not a regular file" in refusal(tmp_path / "pipe.npz")
    (tmp_path / "device.npy").symlink_to("/dev/zero")
    assert "not a regular file" in refusal(tmp_path / "device.npy")


def test_edited_samples_keep_their_edit_path(tmp_path: Path) -> None:
    path = tmp_path / "latents.safetensors"
    begun = EditPath.begun(rows(2, 3, 8), 3)
    edit_path = begun.gone(begun.w[:, -1] + np.float32(1), np.array([True, False, False]))
    w = edit_path.styles()[:, 0]
    assert np.array_equal(w[:, 1:], rows(2, 3, 8)[:, 1:])
    save_file(arrays_of(Latents(None, w, edit_path)), path)
    found = read(path)
    assert found.edit_path is not None
    assert np.array_equal(found.edit_path.styles()[:, 0], w)
    wrong = EditPath(edit_path.w, edit_path.taken + 5, edit_path.given)
    save_file(arrays_of(Latents(None, w, wrong)), path)
    assert "do not fit" in refusal(path)


def test_styles_that_are_one_w_move_as_that_w() -> None:
    w = rows(4, 8) / np.float32(3)
    plain, layered = EditPath.begun(w, 3), EditPath.begun(np.repeat(w[:, None], 3, axis=1), 3)
    assert np.array_equal(plain.w, layered.w)
    for moved in (w + np.float32(0.37), w * np.float32(1.3)):
        replaced = np.array([True, True, False])
        plain = plain.gone(moved, replaced)
        layered = layered.gone(moved, replaced)
    assert np.array_equal(plain.styles(3), layered.styles(3))

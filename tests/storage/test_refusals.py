"""What refusals of files say, to the letter: the file, what is wrong with it, and the remedy."""

from __future__ import annotations

import errno
import json
import os
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from index_server import PINNED, WHOLE, Index
from made_runs import make_run

from lacelang.errors import ResourceError, WayOut
from lacelang.generators import Layout
from lacelang.progress import Progress, Stage, Unit
from lacelang.storage import archives, fetch
from lacelang.storage.cache import sha256_of
from lacelang.storage.files import disk_error, disk_errors
from lacelang.storage.given import read_given
from lacelang.storage.images import Images
from lacelang.storage.latents import Latents, Shards
from lacelang.storage.lines import Lines
from lacelang.storage.records import NAME, SCHEMA, StepPlan, read_index

LAYOUT = Layout(8, 8, ((0, 1, 2), (3,), tuple(range(4, 18))))
FORM_Z, FORM_PLUS = "its shape is to be (N, 8)", "its shape is to be (N, 3 or 18, 8)"
FORM_W = "its shape is to be (N, 8), or (N, 3 or 18, 8) for w+"
BEGINS = "an edit begins from one or more samples of w, w+ or z"
FLOATS = "and latents are floating-point numbers"
FORMATS = "give a file of latents: .safetensors, .npy or .npz"


def numbers(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


ARRAYS: list[tuple[str, Any, str, str | None]] = [
    ("w.npy", numbers(3, 7), "is 3×7; of this model, w has 8 numbers", FORM_W),
    ("x.npy", numbers(3, 7), "is 3×7; of this model, w has 8 numbers", FORM_W),
    ("wp.npy", numbers(3, 7), "is 3×7; of this model, w+ has 8 numbers", FORM_PLUS),
    ("z.npy", numbers(3, 7), "is 3×7; of this model, z has 8 numbers", FORM_Z),
    ("w.npy", numbers(), "is a single number; of this model, w has 8 numbers", FORM_W),
    ("w.npy", numbers(2, 5, 8), "is 2×5×8, which is not a shape of w", FORM_W),
    ("w.npy", numbers(2, 3, 4, 8), "is 2×3×4×8, which is not a shape of w", FORM_W),
    ("z.npy", numbers(2, 18, 8), "is 2×18×8, which is not a shape of z", FORM_Z),
    ("wp.npy", numbers(5, 8), "is 5×8, which is not a shape of w+", FORM_PLUS),
    ("w.npy", numbers(0, 8), "holds no samples: it is 0×8", BEGINS),
    ("w.npy", np.zeros((2, 8), np.int16), f"holds whole numbers, {FLOATS}", BEGINS),
    ("w.npy", np.zeros((2, 8), np.uint8), f"holds whole numbers, {FLOATS}", BEGINS),
    ("w.npy", np.zeros((2, 8), bool), f"holds booleans, {FLOATS}", BEGINS),
    ("w.npy", np.zeros((2, 8), np.complex64), f"holds complex numbers, {FLOATS}", BEGINS),
    ("w.npy", np.zeros(3, [("z", "f4", 8)]), f"holds records of several fields, {FLOATS}", BEGINS),
    ("w.npy", np.array(["a"]), f"holds values of another kind, {FLOATS}", BEGINS),
    (
        "w.npy",
        np.array([None], dtype=object),
        f"holds Python objects, which are never unpickled, {FLOATS}",
        BEGINS,
    ),
    (
        "w.npy",
        np.full((2, 8), np.inf),
        "holds NaN, or numbers beyond those of float32",
        "leave such samples out",
    ),
    (
        "x.npy",
        numbers(3, 8),
        "is 3×8: that is 3 samples of w, or the styles of one",
        "name the file or the key `w` or `w_plus`, or give the shape (1, 3, 8)",
    ),
]


def said_of(path: Path) -> ResourceError:
    with pytest.raises(ResourceError) as refused:
        read_given(path, LAYOUT, path.name)
    return refused.value


@pytest.mark.parametrize("case", range(len(ARRAYS)))
def test_an_array_that_is_no_latents(tmp_path: Path, case: int) -> None:
    name, array, message, remedy = ARRAYS[case]
    np.save(tmp_path / name, array, allow_pickle=True)
    error = said_of(tmp_path / name)
    assert (error.message, error.remedy) == (f"`{name}` {message}", remedy)


def test_more_samples_than_are_taken(tmp_path: Path) -> None:
    """A million and one; the file is sparse, for its numbers are not read."""
    count = 1_000_001
    path = tmp_path / "w.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (count, 8)).flush()
    assert said_of(path).message == "`w.npy` holds 1000001 samples; 1000000 are the most"
    np.lib.format.open_memmap(path, "w+", np.float32, (count - 1, 8)).flush()
    assert len(read_given(path, LAYOUT, "w.npy")) == 1_000_000


KEYS: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "x.npz",
        {"psi" * 20: numbers(1)},
        f"`x.npz` holds `{('psi' * 20)[:39]}…`, which is none of the latents known here",
        "keep one array, under the key `w`, `w_plus` or `z`",
    ),
    (
        "x.npz",
        {"w": numbers(1, 8), "latents": numbers(1, 8)},
        "`x.npz` holds both `w` and `latents`",
        "keep the one to begin from",
    ),
    (
        "z_of_w.npz",
        {"latents": numbers(2, 8)},
        "the name of `z_of_w.npz` speaks of both w and z",
        "rename it to say which it holds, such as `w.npy` or `z.npy`",
    ),
    (
        "x.npz",
        {"z": numbers(2, 8), "w": numbers(3, 8)},
        "`x.npz` holds 2 z and 3 w",
        "give as many of the one as of the other",
    ),
    (
        "x.npz",
        {"w": numbers(2, 8), "trail.w": numbers(2, 2, 8)},
        "`x.npz` holds `trail` arrays that do not fit its `w`",
        "leave them out, or make the group anew",
    ),
    (
        "x.npz",
        {"w": numbers(2, 7)},
        "`w` of `x.npz` is 2×7; of this model, w has 8 numbers",
        FORM_W,
    ),
    ("x.npz", {}, "`x.npz` holds no latents", BEGINS),
]


@pytest.mark.parametrize("case", range(len(KEYS)))
def test_keys_that_do_not_tell(tmp_path: Path, case: int) -> None:
    name, arrays, message, remedy = KEYS[case]
    np.savez(tmp_path / name, **arrays)
    error = said_of(tmp_path / name)
    assert (error.message, error.remedy) == (message, remedy)


SAFETENSORS = {
    "F16": 2, "F32": 4, "F64": 8, "BF16": 2, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "U8": 1,
    "U16": 2, "U32": 4, "U64": 8, "BOOL": 1, "C64": 8, "F8_E4M3": 1,
}  # fmt: skip
"""The format's types and the bytes of each."""


@pytest.mark.parametrize("kind", SAFETENSORS)
def test_every_type_of_safetensors_is_taken_or_named(tmp_path: Path, kind: str) -> None:
    size = SAFETENSORS[kind]
    header = {"w": {"dtype": kind, "shape": [2, 8], "data_offsets": [0, 16 * size]}}
    text = json.dumps(header).encode()
    path = tmp_path / "x.safetensors"
    ones = {"F16": np.float16(1).tobytes(), "F32": np.float32(1).tobytes()}
    ones |= {"F64": np.float64(1).tobytes(), "BF16": b"\x80\x3f"}
    path.write_bytes(struct.pack("<Q", len(text)) + text + 16 * ones.get(kind, bytes(size)))
    if kind in ones:
        found = read_given(path, LAYOUT, path.name).w
        assert found is not None
        assert np.array_equal(found, np.ones((2, 8), np.float32))
        return
    names = {"B": "booleans", "C": "complex numbers", "F": "records of several fields"}
    holds = names.get(kind[0], "whole numbers")
    assert said_of(path).message == f"`w` of `x.safetensors` holds {holds}, {FLOATS}"


def header(fields: object, data: bytes = b"") -> bytes:
    text = json.dumps(fields).encode()
    return struct.pack("<Q", len(text)) + text + data


W = {"w": {"dtype": "F32", "shape": [1, 8], "data_offsets": [0, 32]}}
DAMAGED: list[tuple[str, bytes, str]] = [
    ("x.safetensors", b"123456789", "is cut short, or not a .safetensors file"),
    ("x.safetensors", header(W, bytes(31)), "is cut short: it holds less than its header says"),
    (
        "x.safetensors",
        struct.pack("<Q", (1 << 20) + 1) + bytes(1 << 21),
        "has a header that is too long for latents",
    ),
    (
        "x.safetensors",
        header({"w": {**W["w"], "data_offsets": [0, 28]}}, bytes(32)),
        "is damaged: its header makes no sense",
    ),
    ("x.safetensors", header([1, 2]), "is damaged, or not a .safetensors file"),
    (
        "w.npy",
        b"\x93NUMPY\x01\x00\x40\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 8)}".ljust(64),
        "is damaged: its header makes no sense",
    ),
    ("x.NPY", b"no array at all", "is damaged, or not a .npy file"),
    ("x.npz", b"no archive at all", "is damaged, or not a .npz file"),
]


@pytest.mark.parametrize("case", range(len(DAMAGED)))
def test_a_file_that_is_not_what_it_says(tmp_path: Path, case: int) -> None:
    name, data, message = DAMAGED[case]
    (tmp_path / name).write_bytes(data)
    error = said_of(tmp_path / name)
    assert (error.message, error.remedy) == (f"`{name}` {message}", FORMATS)


@pytest.mark.parametrize(
    ("extra", "message"),
    [(-4, "is cut short: it holds less"), (4, "is damaged: it holds more")],
)
def test_an_npy_of_another_length(tmp_path: Path, extra: int, message: str) -> None:
    np.save(tmp_path / "w.npy", numbers(2, 8))
    data = (tmp_path / "w.npy").read_bytes()
    (tmp_path / "w.npy").write_bytes(data[:extra] if extra < 0 else data + bytes(extra))
    assert said_of(tmp_path / "w.npy").message == f"`w.npy` {message} than its header says"


def test_an_npz_that_no_program_of_latents_writes(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(33):
            archive.writestr(f"w{k}.npy", b"")
    assert said_of(path).message == "`x.npz` holds 33 files; latents are one or two"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("w.npy", b"abc")
    assert said_of(path).message == "`x.npz` is compressed in a way that NumPy does not use"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes((64 << 20) + 1))
    assert said_of(path).message == "`x.npz` expands to 64 MiB, far beyond latents"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", b"abc")
    assert said_of(path).message == (
        "`x.npz` holds `readme.txt`, which is none of the latents known here"
    )


def test_archives_name_the_file_and_the_way_on(tmp_path: Path) -> None:
    path, name = tmp_path / "a", "pkg/weights.bin"

    def said() -> tuple[str, str | None]:
        with pytest.raises(ResourceError) as refused:
            archives.member(path, name)
        return refused.value.message, refused.value.remedy

    another, again = (
        "name another archive in the model's declaration",
        f"delete {path} and run again",
    )

    def tar(kind: bytes, size: int = 0) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.size = kind, size
        path.write_bytes(info.tobuf() + bytes(1024))

    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
        tar(kind)
        assert said() == (f"{name} in {path} is a link, or no file at all", another)
    tar(tarfile.REGTYPE, 512 * 2**20 + 1)
    assert said() == (f"{name} in {path} is larger than 512 MiB", another)
    tar(tarfile.REGTYPE, 4096)
    message, remedy = said()
    assert message.startswith(f"cannot read {name} from {path}: ")
    assert remedy == again
    path.write_bytes(tarfile.TarInfo("other").tobuf() + bytes(1024))
    assert said() == (f"there is no {name} in {path}", again)
    behind = tarfile.TarInfo("other")
    behind.size = 4 * 2**30 + 1
    path.write_bytes(behind.tobuf(tarfile.GNU_FORMAT))
    assert said() == (f"{name} in {path} lies behind 4 GiB of other files", another)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as wheel:
        wheel.writestr(name, b"abc")
    assert said() == (f"{name} in {path} is compressed in another way than wheels are", another)


INDICES: list[tuple[bytes, str]] = [
    (
        b'{"schema": 99}',
        f"was written by a later version of lacelang (schema 99, not {SCHEMA})",
    ),
    (b'{"schema": 2}', f"was written by an earlier version of lacelang (schema 2, not {SCHEMA})"),
    (b" " * ((64 << 20) + 1), "is damaged, or no run of lacelang: it is longer than 64 MiB"),
    (b" " * (64 << 20), "is damaged, or no run of lacelang: Input data was truncated"),
]


@pytest.mark.parametrize("case", range(len(INDICES)))
def test_an_index_of_another_kind(tmp_path: Path, case: int) -> None:
    data, message = INDICES[case]
    path = tmp_path / NAME
    path.write_bytes(data)
    with pytest.raises(ResourceError) as refused:
        read_index(tmp_path)
    assert refused.value.message == f"{path} {message}"
    assert refused.value.remedy == "move it away, or choose another folder"
    assert set(refused.value.ways) == {WayOut.FOLDER}


def test_an_index_that_is_no_file(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(ResourceError) as refused:
        read_index(tmp_path)
    assert refused.value.message.endswith("no run of lacelang: it is no regular file")


def test_weights_that_are_not_there_or_others(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    declared = fetch.WeightsFile(path, "0" * 64)
    with pytest.raises(ResourceError) as refused:
        declared.verify()
    assert refused.value.message == f"there are no weights at {path}"
    assert refused.value.remedy == "put the file there"
    path.write_bytes(b"abc")
    with pytest.raises(ResourceError) as refused:
        declared.verify()
    assert refused.value.message == f"the weights {path} are not those declared"
    assert refused.value.remedy == "restore the file, or declare the checksum of this one"
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert fetch.WeightsFile(path, abc).verify() == path


def test_an_archive_that_cannot_be_had(tmp_path: Path, index: Index) -> None:
    del index
    remedy = "check the network, or name an index mirror with LACELANG_INDEX_URL=URL"
    file = f"{remedy}, or download pkg==1.0 elsewhere and give it to `this`"
    unknown = fetch.Archive("pkg", "1.0", "0" * 64)
    for help_, said in (("", remedy), ("this", file)):
        with pytest.raises(ResourceError) as refused:
            fetch.obtain(unknown, None, help_)
        assert refused.value.message == "the package index has no pkg==1.0 as pinned"
        assert refused.value.remedy == said
        assert set(refused.value.ways) == ({WayOut.FILE} if help_ else set())
    other = tmp_path / "other"
    other.write_bytes(b"abc")
    with pytest.raises(ResourceError) as refused:
        fetch.adopt(unknown, other)
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert refused.value.message == (
        f"{other} is damaged or is not the file that was pinned: its SHA-256 is {abc}, "
        f"expected {'0' * 64}"
    )
    assert refused.value.remedy == "fetch it again; nothing was kept"


FOLDER = "move it away, or choose another folder"
ERRORS: list[tuple[int, str, str]] = [
    (
        errno.ENOSPC,
        "no space left on the disk: PATH was not written",
        "free some space, or choose another folder; "
        "what is finished is kept, and the same program goes on from there",
    ),
    (
        errno.ENOTDIR,
        "PATH cannot be written: a file stands where a folder is needed, "
        "or a folder where a file is",
        FOLDER,
    ),
    (errno.EACCES, "PATH cannot be written: permission denied", "choose a folder of your own"),
    (errno.EIO, "PATH cannot be written: input/output error", "choose another folder"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_what_the_system_refuses(tmp_path: Path, case: int) -> None:
    number, message, remedy = ERRORS[case]
    path = tmp_path / "x"
    with pytest.raises(ResourceError) as refused, disk_errors(path):
        raise OSError(number, os.strerror(number))
    assert refused.value.message == message.replace("PATH", str(path))
    assert refused.value.remedy == remedy
    assert set(refused.value.ways) == {WayOut.FOLDER}
    with pytest.raises(ResourceError, match="x cannot be read: input/output error"):
        raise disk_error(OSError(errno.EIO, os.strerror(errno.EIO)), path, "read")


def test_lines_that_cannot_be_opened_name_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "samples.jsonl"
    path.touch()

    def refuse(*arguments: object, **options: object) -> object:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ResourceError) as refused:
        Lines(path, StepPlan).read()
    assert refused.value.message == f"{path} cannot be read: permission denied"


def test_a_file_to_verify_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        sha256_of(tmp_path / "no")
    assert (missing.value.errno, missing.value.filename) == (errno.ENOENT, str(tmp_path / "no"))


def test_what_changes_while_it_is_in_use(tmp_path: Path) -> None:
    again = "run the command again"
    images = Images(tmp_path)
    images.write("0000.png", b"image")
    assert images.data("0000.png") == b"image"
    (tmp_path / "0000.png").write_bytes(b"other")
    with pytest.raises(ResourceError) as refused:
        images.data("0000.png")
    said = f"{tmp_path / '0000.png'} has changed or gone while it was in use"
    assert (refused.value.message, refused.value.remedy) == (said, again)
    shards = Shards(tmp_path, "f0")
    for first in (0, 2):
        shards.append(first, Latents(None, numbers(2, 8) + first))
    shards.rows([2])
    file = tmp_path / "latents-000000.safetensors"
    file.unlink()
    with pytest.raises(ResourceError) as refused:
        shards.rows([1])
    said = f"{file} has changed or gone while it was in use"
    assert (refused.value.message, refused.value.remedy) == (said, again)


def test_a_package_that_the_index_does_not_have(index: Index) -> None:
    del index
    with pytest.raises(ResourceError) as refused:
        fetch.obtain(fetch.Archive("nothing-of-this-name", "1.0", "0" * 64), None, "this")
    assert refused.value.message == "the package index has no nothing-of-this-name"
    assert refused.value.remedy == (
        "check the network, or name an index mirror with LACELANG_INDEX_URL=URL, "
        "or download nothing-of-this-name==1.0 elsewhere and give it to `this`"
    )
    assert dict(refused.value.ways) == {WayOut.FILE: ""}


def test_two_runs_of_one_command_are_equal_whatever_time_they_took() -> None:
    run = make_run()
    assert evolve(run, timing={"seconds": 1.0}) == evolve(run, timing={"seconds": 2.0})


class _Told(Progress, Stage):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.begun: list[tuple[object, ...]] = []
        self.bytes = 0.0

    def stage(self, name: str, total: float | None = None, unit: Unit = "items") -> Stage:
        self.begun.append((name, total, unit))
        return self

    def advance(self, amount: float = 1) -> None:
        self.bytes += amount


def test_a_download_tells_how_many_bytes_have_come(index: Index) -> None:
    del index
    told = _Told()
    assert fetch.obtain(PINNED, told).read_bytes() == WHOLE
    ((name, total, unit),) = told.begun
    assert (name, unit) == ("fetching pkg==1.0", "bytes")
    assert total in (None, len(WHOLE))
    assert told.bytes == len(WHOLE)

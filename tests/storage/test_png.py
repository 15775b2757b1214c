from __future__ import annotations

import errno
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lacelang.errors import ResourceError
from lacelang.storage import files
from lacelang.storage.png import XMP, encode, is_whole, texts_of
from lacelang.system.threads import Pool

Face = NDArray[np.uint8]


def test_pixels_and_texts_survive(tmp_path: Path, face: Face) -> None:
    carried = {"a": "sample 1 from ffhq # Ünïcödé 中", "b": "", XMP: "<x>ü</x>"}
    path = tmp_path / "a.png"
    path.write_bytes(encode(face, carried))
    with Image.open(path) as image:
        assert np.array_equal(np.asarray(image), face)
    assert texts_of(path) == {"Software": "lacelang", **carried}


def test_the_same_face_is_the_same_bytes(face: Face) -> None:
    assert encode(face, {"a": "1"}) == encode(face.copy(), {"a": "1"})


def test_texts_are_compressed_but_xmp_is_not(face: Face) -> None:
    """As XMP's standard wants it, so that programs find it that look for its text."""
    data = encode(face, {"a": "sample " * 100, XMP: "sampling " * 100})
    assert b"sample sample" not in data
    assert b"sampling sampling" in data


def test_without_texts_there_are_none(tmp_path: Path, face: Face) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode(face))
    assert texts_of(path) == {}
    assert b"tEXt" not in path.read_bytes()
    assert b"iTXt" not in path.read_bytes()


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"no image", b"\xff\xd8\xff\xe0"])
def test_what_is_no_png_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises((OSError, ValueError)):
        texts_of(path)
    with pytest.raises((OSError, ValueError)):
        texts_of(tmp_path)


def test_a_cut_or_changed_file_is_not_whole(tmp_path: Path, face: Face) -> None:
    data = encode(face, {"a": "1"})
    path = tmp_path / "a.png"
    path.write_bytes(data)
    assert is_whole(path)
    for length in (0, 7, 60, len(data) // 2, len(data) - 12, len(data) - 1):
        path.write_bytes(data[:length])
        assert not is_whole(path), length
    for at in (len(data) // 2, len(data) - 14):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert not is_whole(path), at
    assert not is_whole(tmp_path / "missing.png")


def write(path: Path, face: Face) -> None:
    files.write_atomic(path, encode(face))


def test_all_pictures_are_written(tmp_path: Path, face: Face) -> None:
    with Pool(2, "png", most=6) as pool:
        for i in range(20):
            pool.submit(write, tmp_path / f"{i}.png", np.full_like(face, i))
    assert sorted(os.listdir(tmp_path)) == sorted(f"{i}.png" for i in range(20))


def test_a_slow_disk_holds_the_decoder_back() -> None:
    gate = threading.Event()
    submitted: list[int] = []

    def produce() -> None:
        with Pool(2, "png", most=3) as pool:
            for i in range(10):
                pool.submit(gate.wait)
                submitted.append(i)

    producer = threading.Thread(target=produce)
    producer.start()
    time.sleep(0.3)
    assert len(submitted) == 3
    gate.set()
    producer.join()
    assert len(submitted) == 10


def test_a_full_disk_ends_the_run_with_a_remedy(
    tmp_path: Path, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if ".2.png" in path.name:
            real(path, data[:9])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, data)

    monkeypatch.setattr(files.Path, "write_bytes", full)

    def produce() -> None:
        with Pool(2, "png", most=6) as pool:
            for i in range(100):
                time.sleep(0.005)
                pool.submit(write, tmp_path / f"{i}.png", face)

    with pytest.raises(ResourceError, match="no space left") as caught:
        produce()
    assert caught.value.exit_code == 3
    names = os.listdir(tmp_path)
    assert "2.png" not in names
    assert not [name for name in names if name.endswith(".part")]
    assert all(is_whole(tmp_path / name) for name in names)
    assert 2 <= len(names) < 100


def test_the_last_picture_that_fails_is_not_missed(tmp_path: Path, face: Face) -> None:
    pool = Pool(2, "png", most=6)
    pool.submit(write, tmp_path / "missing" / "0.png", face)
    with pytest.raises(ResourceError):
        pool.close()


def test_an_interrupt_keeps_what_was_submitted(tmp_path: Path, face: Face) -> None:
    pool = Pool(2, "png", most=6)
    with suppress(KeyboardInterrupt):
        try:
            for i in range(4):
                pool.submit(write, tmp_path / f"{i}.png", face)
            raise KeyboardInterrupt
        finally:
            pool.close()
    assert sorted(os.listdir(tmp_path)) == ["0.png", "1.png", "2.png", "3.png"]

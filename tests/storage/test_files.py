from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lacelang.errors import ResourceError
from lacelang.storage.files import folder_name, make_folder, sweep_parts, whole, write_atomic


def test_what_is_written_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.bin", b"one")
    write_atomic(tmp_path / "a.bin", b"two")
    assert (tmp_path / "a.bin").read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_so_and_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write_atomic(tmp_path / "a.bin", b"old")
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        real(path, data[:1])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResourceError, match="no space left") as caught:
        write_atomic(tmp_path / "a.bin", b"new")
    assert caught.value.remedy is not None
    assert "another folder" in caught.value.remedy
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_file_where_a_folder_is_needed(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ResourceError, match="a file stands where a folder is needed"):
        make_folder(tmp_path / "out" / "kids")
    with pytest.raises(ResourceError, match="a file stands"):
        write_atomic(tmp_path / "out" / "a.png", b"x")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, data: bytes) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "write_bytes", denied)
    with pytest.raises(ResourceError, match="read-only file system"):
        write_atomic(tmp_path / "a.bin", b"x")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc on this system")
def test_a_kernel_path_that_really_refuses() -> None:
    with pytest.raises(ResourceError, match="cannot be written"):
        make_folder(Path("/proc/lacelang/out"))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on this system")
def test_a_kill_in_the_middle_leaves_no_partial_file(tmp_path: Path) -> None:
    target = tmp_path / "0000.png"
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from lacelang.storage.files import (write_atomic)
        while True:
            write_atomic(Path({str(target)!r}), b"x" * 8_000_000)
        """
    )
    for pause in (0.03, 0.07, 0.11):
        child = subprocess.Popen([sys.executable, "-c", script])
        while not target.exists():
            assert child.poll() is None
            time.sleep(0.005)
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert target.stat().st_size == 8_000_000
        sweep_parts(tmp_path)
        assert os.listdir(tmp_path) == ["0000.png"]
        target.unlink()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("bearded_kids", "bearded_kids"),
        ("beard at 0.5", "beard at 0.5"),
        ("../../etc", "_.._etc"),
        ("a/b\\c", "a_b_c"),
        ("..", "group"),
        ("", "group"),
        ("con", "_con"),
        ("nul.txt", "_nul.txt"),
        ("kids\n", "kids_"),
    ],
)
def test_a_group_name_becomes_one_safe_folder(name: str, folder: str) -> None:
    assert folder_name(name) == folder
    assert folder_name(folder) == folder


def test_folders_of_a_run_differ_by_more_than_case() -> None:
    assert folder_name("Kids", ["kids"]) == "Kids_2"
    assert folder_name("Kids", ["kids", "KIDS_2"]) == "Kids_3"


def test_a_long_name_fits_a_file_system() -> None:
    name = folder_name("ж" * 500)
    assert 0 < len(name.encode()) <= 120
    assert set(name) == {"ж"}


def test_a_folder_takes_its_place_whole_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / "model"
    for text in ("one", "two"):
        with whole(place) as part:
            part.mkdir()
            (part / text).write_text(text)
            assert not (place / text).exists()
        assert os.listdir(place) == [text]

    def broken() -> None:
        with whole(place) as part:
            part.mkdir()
            (part / "three").write_text("thr")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert os.listdir(tmp_path) == ["model"]
    assert os.listdir(place) == ["two"]

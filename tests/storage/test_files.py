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
from lacelang.storage.files import (
    disk_error,
    flush_folder,
    folder_name,
    is_folder_name,
    make_folder,
    read_regular,
    sweep_parts,
    whole,
    write_atomic,
)


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


def test_a_file_that_is_written_anew_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_atomic(path, b"one")
    for mode in (0o600, 0o664):
        path.chmod(mode)
        write_atomic(path, b"two", flush=True)
        assert path.stat().st_mode & 0o777 == mode
    (tmp_path / "folder").mkdir()
    with pytest.raises(ResourceError, match="a folder where a file is"):
        write_atomic(tmp_path / "folder", b"x")
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "folder"]


@pytest.mark.parametrize("flush", [False, True])
def test_what_is_to_last_is_flushed_before_it_is_renamed_and_its_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flush: bool
) -> None:
    done: list[object] = []
    fsync, replace = os.fsync, Path.replace

    def flushed(descriptor: int) -> None:
        done.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        fsync(descriptor)

    def replaced(path: Path, target: Path) -> Path:
        done.append("renamed")
        return replace(path, target)

    monkeypatch.setattr("os.fsync", flushed)
    monkeypatch.setattr(Path, "replace", replaced)
    write_atomic(tmp_path / "a.bin", b"one", flush)
    part = f".a.bin.{os.getpid()}.part"
    assert done == ([part, "renamed", tmp_path.name] if flush else ["renamed"])


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EIO])
def test_a_folder_that_cannot_be_flushed_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Where the system has no such call; that the disk fails is one."""

    def refused(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", refused)
    before = len(os.listdir("/proc/self/fd"))
    if number == errno.EIO:
        with pytest.raises(OSError, match="Input/output"):
            flush_folder(tmp_path)
    else:
        flush_folder(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_no_more_is_read_than_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"12345")
    assert [read_regular(path, most) for most in (4, 5, 6)] == [None, b"12345", b"12345"]
    assert read_regular(tmp_path, 9) is read_regular(tmp_path / "no", 9) is None
    assert read_regular(Path("a\0b"), 9) is None
    os.mkfifo(tmp_path / "pipe")
    assert read_regular(tmp_path / "pipe", 9) is None


def test_what_is_half_made_is_swept_by_its_name(tmp_path: Path) -> None:
    kept = {"a.1.part", ".a.part", ".a.x.part", ".a.1.part.b", ".1.part"}
    gone = {".a.1.part", ".a.b.22.part", ".c.3.part"}
    for name in kept | gone:
        (tmp_path / name).touch()
    (tmp_path / ".d.4.part").mkdir()
    (tmp_path / ".d.4.part" / "inside").touch()
    sweep_parts(tmp_path, "a.b")
    assert set(os.listdir(tmp_path)) == kept | {".d.4.part"} | gone - {".a.b.22.part"}
    (tmp_path / ".a.b.22.part").touch()
    sweep_parts(tmp_path)
    assert set(os.listdir(tmp_path)) == kept


def test_a_link_in_the_place_of_a_folder_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "kept").touch()
    (tmp_path / "place").symlink_to(tmp_path / "theirs")
    with whole(tmp_path / "place") as part:
        part.mkdir()
    assert (tmp_path / "theirs" / "kept").exists()
    assert not (tmp_path / "place").is_symlink()


ERRNOS = {
    errno.EDQUOT: ("no space left on the disk: X was not written", "free some space"),
    errno.EEXIST: ("X cannot be written: a file stands where a folder is needed", "move it away"),
    errno.EISDIR: ("X cannot be written: a file stands where a folder is needed", "move it away"),
    errno.EPERM: ("X cannot be written: operation not permitted", "choose a folder of your own"),
    errno.EROFS: ("X cannot be written: read-only file system", "choose a folder of your own"),
    errno.ENAMETOOLONG: ("X cannot be written: file name too long", "choose another folder"),
}


@pytest.mark.parametrize("number", ERRNOS)
def test_each_refusal_of_the_system_has_its_words(number: int) -> None:
    message, remedy = ERRNOS[number]
    error = disk_error(OSError(number, os.strerror(number)), Path("X"))
    assert error.message.startswith(message)
    assert error.remedy is not None
    assert error.remedy.startswith(remedy)
    assert disk_error(OSError(), Path("X")).message == "X cannot be written: oserror"


def test_names_are_cut_to_their_room_with_their_number() -> None:
    name = "n" * 200
    assert folder_name(name) == "n" * 120
    taken = ["n" * 120]
    for number in range(2, 12):
        made = folder_name(name, taken)
        assert made == "n" * (120 - len(f"_{number}")) + f"_{number}"
        assert is_folder_name(made)
        taken.append(made.upper())
    assert not any(map(is_folder_name, ("", ".", "..", "a/b", "a.", " a", "con", "n" * 121)))

"""The studio reads and writes below one folder only, and replaces nothing without asking."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import lacelang
from lacelang.errors import LaceError, ResourceError, UsageError
from lacelang.syntax.parser import read
from lacelang.web.studio.files import ExistsError, Files, opened

TEXT = "sample from digits as a\n"


def test_a_program_is_saved_and_gone_on_with(tmp_path: Path) -> None:
    files = Files(tmp_path)
    assert files.name is None
    path = files.save("mine/first", TEXT)
    assert path == (tmp_path / "mine/first.lace").resolve()
    assert path.read_text() == TEXT
    assert files.name == "mine/first.lace"
    files.save("mine/first.lace", TEXT + "# more\n")
    assert path.read_text().endswith("# more\n")


def test_nothing_is_replaced_without_asking(tmp_path: Path) -> None:
    other = tmp_path / "other.lace"
    other.write_text("# somebody's\n")
    files = Files(tmp_path)
    with pytest.raises(ExistsError, match=r"other\.lace is there already"):
        files.save("other", TEXT)
    assert other.read_text() == "# somebody's\n"
    files.save("other", TEXT, replace=True)
    # What somebody changed meanwhile is somebody's again.
    other.write_text("# changed\n")
    with pytest.raises(ExistsError):
        files.save("other", TEXT)
    assert other.read_text() == "# changed\n"


@pytest.mark.parametrize(
    "name",
    ["../out", "a/../../out", "", "  ", "a/", ".hidden", "a/.b/c", "x" * 300, "a\0b"],
)
def test_other_places_are_refused(tmp_path: Path, name: str) -> None:
    refused(name, tmp_path)


def test_absolute_places_are_refused(tmp_path: Path) -> None:
    for name in ("out", "root/out"):
        refused(str(tmp_path / name), tmp_path)


def refused(name: str, folder: Path) -> None:
    """Save below a root in a folder, in vain."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    with pytest.raises(UsageError):
        Files(root).save(name, TEXT)
    assert [p for p in folder.rglob("*") if p.is_file()] == []


def test_no_link_leads_out(tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    root.mkdir()
    out.mkdir()
    (root / "link").symlink_to(out)
    (root / "file.lace").symlink_to(out / "file.lace")
    for name in ("link/a", "file.lace"):
        with pytest.raises(UsageError, match="saved below"):
            Files(root).save(name, TEXT, replace=True)
    assert list(out.iterdir()) == []
    with pytest.raises(UsageError, match="does not lie below"):
        opened(root / "link/a.lace", root)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other rights")
def test_a_folder_that_cannot_be_written_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResourceError, match="no space"):
        Files(tmp_path).save("a", TEXT)
    assert list(tmp_path.iterdir()) == []


def test_what_is_opened(tmp_path: Path) -> None:
    program = tmp_path / "a.lace"
    program.write_bytes(b"\xef\xbb\xbfsample from digits\r\n")
    files = opened(program, None)
    assert files.root == tmp_path.resolve()
    assert files.read().startswith("sample")
    assert opened(tmp_path / "new.lace", None).name == "new.lace"
    program.write_bytes(b"\xff\xfe")
    with pytest.raises(LaceError, match="not UTF-8"):
        files.read()
    for path, root in (
        (tmp_path / "a.txt", None),
        (None, tmp_path / "none"),
        (program, tmp_path / "b"),
    ):
        with pytest.raises(UsageError):
            opened(path, root)


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        ('edit "/etc/w.npz" { smile=1 } from ffhq', ["/etc/w.npz"]),
        ('edit "~/w.npz" { smile=1 } from ffhq', ["~/w.npz"]),
        ('edit "../w.npz" { smile=1 } from ffhq', ["../w.npz"]),
        ('edit "link/w.npz" { smile=1 } from ffhq', ["link/w.npz"]),
        ('for s in 1..2 { edit "/w.npy" { smile=1 } from ffhq }', ["/w.npy"]),
        ('sample from ffhq as "a/b"\nedit "a/b" { smile=1 }', []),
        ('edit "w.npz" { smile=1 } from ffhq', []),
        ("edit men { smile=1 }", []),
        ('photo "/home/me.jpg" from ffhq', ["/home/me.jpg"]),
        ('edit "../me.jpg" { smile=1 } from ffhq', ["../me.jpg"]),
        ('for p in "/a.jpg", "b.jpg" { photo p from ffhq as "of {p}" }', ["/a.jpg"]),
        ('photo "me.jpg" from ffhq', []),
    ],
)
def test_edits_of_files_outside_are_found_without_looking(
    tmp_path: Path, text: str, outside: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("w.npz", "me.jpg", "b.jpg"):
        (root / name).write_bytes(b"")
    (root / "link").symlink_to(tmp_path)
    assert [node.value for node in Files(root).outside(read(text).program)] == outside


def test_weights_of_a_program_s_own_models_lie_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    text = f'model m {{{{ generator vae from "{{}}" sha256 "{"0" * 64}" }}}}\nsample from m as a'
    files = Files(root, root / "a.lace")
    for name, fits in (("w.safetensors", True), ("../w.safetensors", False)):
        checked = lacelang.compile(text.format(name), root / "a.lace").checked
        if fits:
            files.refuse_models(checked)
        else:
            with pytest.raises(UsageError, match="lies outside"):
                files.refuse_models(checked)
    for model in ("digits", "ffhq", "eyes"):
        files.refuse_models(lacelang.compile(f"sample from {model}").checked)

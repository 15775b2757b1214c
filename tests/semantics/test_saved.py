"""Edits of what is on disk: found, known from its run, or told by clauses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lacelang import ir
from lacelang.errors import Diagnostic, ProgramError
from lacelang.semantics.check import check
from lacelang.storage.latents import Latents, Shards
from lacelang.storage.provenance import SavedSamples
from lacelang.storage.records import GroupRecord, ProgramRecord, RunRecord, write_index


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run of one group in it, seen from the folder above."""
    settings = {"model": "ffhq", "truncation": 0.5}
    group = GroupRecord("men", "men", "", "f", 9, 4, settings, ())
    out = tmp_path / "out" / "faces"
    (out / "men").mkdir(parents=True)
    write_index(out, RunRecord(ProgramRecord("faces.lace", ""), {}, (group,)))
    w = np.zeros((4, 512), np.float32)
    Shards(out / "men", "f").append(0, Latents(None, w))
    save_file({"w": w}, out / "men" / "w.safetensors")
    monkeypatch.chdir(tmp_path)
    return out


def _edit(source: str) -> ir.EditStatement:
    (statement,) = check(source).statements
    assert isinstance(statement, ir.EditStatement)
    return statement


def _wrong(source: str, path: Path | None = None) -> tuple[Diagnostic, ...]:
    with pytest.raises(ProgramError) as wrong:
        check(source, path)
    return wrong.value.diagnostics


def _codes(source: str) -> list[str]:
    return [found.code for found in _wrong(source)]


def _edits(place: str) -> str:
    return f'edit "{place}" {{ smile=0 }} from ffhq'


@pytest.mark.parametrize("place", ["out/faces/men", "./out/faces/men/", "out/faces/men/."])
def test_a_group_of_a_run_is_known_by_its_run(run: Path, place: str) -> None:
    edit = _edit(f'edit "{place}" {{ smile=0 }} as e')
    assert edit.group == place
    assert edit.model.name == "ffhq"
    assert edit.saved is not None
    assert edit.saved.file.resolve() == run / "men"
    assert edit.saved.fingerprint == "f"
    assert (edit.saved.truncation, edit.saved.seed) == (0.5, 9)


def test_what_the_run_says_cannot_be_said_otherwise(run: Path) -> None:
    assert _codes('edit "out/faces/men" { smile=0 } from ffhq truncation 0.7') == ["LACE303"] * 2


def test_a_file_without_a_run_needs_to_be_told_its_model(run: Path) -> None:
    file = run / "men" / "w.safetensors"
    file.rename("w.safetensors")
    assert _codes('edit "w.safetensors" { smile=0 }') == ["LACE302"]
    edit = _edit('edit "w.safetensors" { smile=0 } from ffhq truncation 0.6')
    assert edit.saved == ir.Saved(Path("w.safetensors"), 0.6, 0)
    plain = _edit('edit "w.safetensors" { smile=0 } from ffhq').saved
    assert plain is not None
    assert plain.truncation == 0.7


def test_a_damaged_run_is_reported(run: Path) -> None:
    (run / "run.json").write_text("{")
    assert _codes('edit "out/faces/men" { smile=0 }') == ["LACE120"]


@pytest.mark.parametrize("psi", [None, "0.7", 0, -5, 2, [], True, {"a": 1}])
def test_what_a_run_says_is_not_believed_blindly(run: Path, psi: object) -> None:
    data = json.loads((run / "run.json").read_text())
    data["groups"][0]["settings"]["truncation"] = psi
    (run / "run.json").write_text(json.dumps(data))
    assert _codes('edit "out/faces/men" { smile=0 }') == ["LACE120"]


@pytest.mark.parametrize("latents", [np.zeros((4, 8)), np.zeros((4, 3, 512))])
def test_a_group_of_another_model_or_without_latents(run: Path, latents: np.ndarray) -> None:
    Shards(run / "men", "f").append(0, Latents(None, latents.astype(np.float32)))
    assert _codes('edit "out/faces/men" { smile=0 }') == ["LACE120"]
    (run / "men" / "latents-000000.safetensors").write_bytes(b"")
    assert _codes('edit "out/faces/men" { smile=0 }') == ["LACE120"]


def test_a_run_is_no_group(run: Path) -> None:
    (found,) = _wrong('edit "out/faces" { smile=0 }')
    assert found.code == "LACE120"
    assert found.hint == "name one of its groups, such as `out/faces/men`"


SPELLINGS = ("w.npy", "./w.npy", "sub/../w.npy", ".//w.npy", "{root}/w.npy", "~/w.npy", "link.npy")


@pytest.mark.parametrize("place", SPELLINGS)
def test_a_file_is_found_however_it_is_spelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    np.save(tmp_path / "w.npy", np.zeros((1, 512), np.float32))
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.npy").symlink_to("w.npy")
    monkeypatch.setenv("HOME", str(tmp_path))
    program = tmp_path / "p.lace"
    for folder in (tmp_path, tmp_path / "sub", tmp_path.parent):
        monkeypatch.chdir(folder)
        (edit,) = check(_edits(place.format(root=tmp_path)), program).statements
        assert isinstance(edit, ir.EditStatement)
        assert edit.saved is not None
        assert edit.saved.file.resolve() == tmp_path / "w.npy"


def test_what_is_beside_the_program_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "programs").mkdir()
    for folder in (tmp_path, tmp_path / "programs"):
        np.save(folder / "w.npy", np.zeros((1, 512), np.float32))
    monkeypatch.chdir(tmp_path)
    program = Path("programs/p.lace")
    for expected in ("programs/w.npy", "w.npy"):
        (edit,) = check(_edits("w.npy"), program).statements
        assert isinstance(edit, ir.EditStatement)
        assert edit.saved is not None
        assert edit.saved.file == Path(expected)
        Path(expected).unlink()


@pytest.mark.parametrize(
    ("place", "near"),
    [
        ("w.npz", "w.npy"),
        ("./w.npz", "./w.npy"),
        ("W.NPY", "w.npy"),
        ("faces/men1", "faces/men"),
        ("face/men", "faces/men"),
        ("./face/men/", "./faces/men"),
        ("face/nobody", "faces"),
        ("nothing/like/it", None),
        ("portrait.npy", None),
    ],
)
def test_a_hint_names_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, near: str | None
) -> None:
    (tmp_path / "faces" / "men").mkdir(parents=True)
    np.save(tmp_path / "w.npy", np.zeros((1, 512), np.float32))
    for other in ("w.npx", ".w.npz", "portrait.py"):
        (tmp_path / other).touch()
    monkeypatch.chdir(tmp_path)
    for program in (None, Path("p.lace"), tmp_path / "p.lace"):
        (found,) = _wrong(_edits(place), program)
        assert found.message == f"there is no `{place}` here"
        expected = f"did you mean `{near}`?" if near else "name the folder of a group"
        assert found.hint is not None
        assert found.hint.startswith(expected)


def test_what_is_wrong_with_a_file_is_said_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("narrow.npy", np.zeros((2, 500), np.float32))
    np.save("mixed.npy", np.zeros((18, 512), np.float32))
    Path("e4e.pt").touch()
    Path("empty.npz").touch()
    Path("faces.bin").touch()
    os.symlink("round.npy", "round.npy")
    os.mkfifo("pipe.npy")
    Path("loose.npy").symlink_to("nowhere.npy")
    Path("folder").mkdir()
    np.save("folder/w.npy", np.zeros((1, 512), np.float32))
    other = "is not a file of latents: those end in .safetensors, .npy or .npz"
    for place, said in (
        ("narrow.npy", "`narrow.npy` is 2×500; of this model, w has 512 numbers"),
        ("mixed.npy", "`mixed.npy` is 18×512: that is 18 samples of w, or the styles of one"),
        ("e4e.pt", f"`e4e.pt` {other}"),
        ("faces.bin", f"`faces.bin` {other}"),
        ("empty.npz", "`empty.npz` is damaged, or not a .npz file"),
        ("loose.npy", "`loose.npy` is a link to nothing"),
        ("round.npy", "`round.npy` is a link to nothing"),
        ("pipe.npy", "`pipe.npy` is not a regular file"),
        ("folder/", "`folder/` holds no latents"),
        ("/dev/null", f"`/dev/null` {other}"),
        ("x" * 300 + ".npy", f"`{'x' * 300}.npy` cannot be read: file name too long"),
    ):
        (found,) = _wrong(f"sample from ffhq\n{_edits(place)}")
        assert (found.code, found.message, found.span.line) == ("LACE120", said, 2)
        if place == "folder/":
            assert found.hint == "name a file, such as `folder/w.npy`"


def test_all_that_is_wrong_is_said_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("w.npy", np.zeros((2, 500), np.float32))
    said = _codes(f"{_edits('w.npy')} truncation 3 {_edits('v.npy')} {_edits('w.npy')}")
    assert said == ["LACE120", "LACE209", "LACE120", "LACE120"]


def test_a_file_that_changes_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("w.npy", np.zeros((2, 500), np.float32))
    assert _wrong(_edits("w.npy"))
    np.save("w.npy", np.zeros((2, 512), np.float32))
    assert check(_edits("w.npy"))


def test_quoted_names_of_groups_are_names() -> None:
    source = 'sample from ffhq as "old men" edit "old men" { smile=0 }'
    edit = check(source).statements[1]
    assert isinstance(edit, ir.EditStatement)
    assert edit.saved is None
    assert _codes('edit "young men" { smile=0 }') == ["LACE108"]
    named = check('sample from ffhq as "w.npy" edit "w.npy" { smile=0 }').statements[1]
    assert isinstance(named, ir.EditStatement)
    assert named.saved is None


@pytest.mark.parametrize("name", ["cafe\u0301/men", "caf\u00e9/men", "e\u0301.npy", "out"])
def test_what_is_known_of_samples_is_found_however_their_name_is_spelt(name: str) -> None:
    known = {name: SavedSamples("ffhq", 0.5, 3, of_run=True)}
    (edit,) = check(f'edit "{name}" {{ smile=0 }}', saved=known).statements
    assert isinstance(edit, ir.EditStatement)
    assert edit.saved == ir.Saved(Path(name), 0.5, 3, "")


def test_files_of_latents_are_looked_at_without_torch(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.zeros((1, 512), np.float32))
    code = (
        "import sys; from lacelang.semantics.check import check; "
        f"check({_edits(str(tmp_path / 'w.npy'))!r}); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

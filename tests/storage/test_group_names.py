"""Groups of any names get folders that every file system takes, and are found there again."""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from made_runs import make_latents, make_run, make_samples

from lacelang.storage.files import folder_name, is_folder_name
from lacelang.storage.records import NAME, GroupRecord
from lacelang.storage.run_folder import RunFolder
from lacelang.text.names import nfc

Make = Callable[..., GroupRecord]

PIECES = (
    *(
        "\u0436",
        "\u4e2d",
        "\U0001f600",
        "\U0001f469\u200d\U0001f52c",
        "\u00e9",
        "e\u0301",
        "\u0301",
    ),
    *("e" + "\u0301" * 31, "\u0327\u0301", "\u0958", "\ufb01", "\u0130", "\u00df", "ss", "\u03c2"),
    *("K", "k", "\u212a", "\u00c5", "\u212b", "\u1100\u1161", "\uac00", "\ud800", "\udce9"),
    *(".", " ", "..", "/", "\\", ":", "?", "*", "\0", "\n", "\x7f", "_", "_2", "_3", "n" * 40),
    *("con", "NUL", "aux.txt", "com1", "COM\u00b9", "lpt9 .a", "conout$", "run.json", "RUN.JSON"),
)
NAMES = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), min_size=1, max_size=50).map(
    "".join
)
FORMS: tuple[Callable[[str], str], ...] = (
    str.swapcase,
    str.casefold,
    lambda name: unicodedata.normalize("NFD", name),
    lambda name: name + "x",
    lambda name: name + " ",
    lambda name: name + ".",
    lambda name: name[:-1] + "\u4e2d",
    lambda name: f"_{name}",
)


@st.composite
def groups(draw: st.DrawFn) -> list[str]:
    """Names of groups of one program, many of which are alike."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4))
    for _ in range(draw(st.integers(0, 6))):
        names.append(draw(st.sampled_from(FORMS))(draw(st.sampled_from(names))))
    # Two of one name are one group.
    return list({nfc(name): name for name in names}.values())


DEVICES = {
    *("con", "prn", "aux", "nul", "conin$", "conout$"),
    *(f"{kind}{number}" for kind in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"),
}


@given(groups())
@settings(max_examples=80, deadline=None)
@example(["n" * 100 + "e" + "\u0301" * 31])
@example(["e" + "\u0301" * 31 + "\u00c0", "e" + "\u0301" * 31 + "A\u0300"])
@example(["e" + "\u0301" * 32, "\u00e9" + "\u0301" * 31, "\u00e9" + "\u0301" * 15])
@example(["\u0436" * 60, "\u0436" * 61, "\u0436" * 62 + "!"])
@example(["run.json", "Run.JSON", "con", "CON", "con .", "a\ud800", "a?"])
def test_every_file_system_takes_the_folders(names: list[str]) -> None:
    taken: list[str] = [NAME]
    for name in names:
        folder = folder_name(name, taken)
        assert is_folder_name(folder)
        assert 0 < len(folder.encode()) <= 120
        assert not set(folder) & set('/\\:*?"<>|\0\n\x7f')
        assert folder.strip(" .") == folder
        assert folder.lower().partition(".")[0].rstrip(" ") not in DEVICES
        assert nfc(folder) == folder
        for form in (str.casefold, str.lower, str.upper):
            for way in ("NFC", "NFD"):
                alike = {form(unicodedata.normalize(way, other)) for other in taken}  # type: ignore[arg-type]
                assert form(unicodedata.normalize(way, folder)) not in alike  # type: ignore[arg-type]
        taken.append(folder)


@given(groups())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(["run.json", "n" * 100 + "e" + "\u0301" * 31, "con", "CON", "kids.", "kids "])
@example(["\u0436" * 99 + end for end in ("", "!", "\u00e9", " ", ".")])
def test_a_second_run_finds_everything(make_group: Make, names: list[str]) -> None:
    # Halves of characters are in no program.
    names = list({nfc(n.encode(errors="replace").decode()): n for n in names})
    run = make_run(*(make_group(name, str(i), count=2) for i, name in enumerate(names)))
    with tempfile.TemporaryDirectory() as root:
        with RunFolder(Path(root), run) as folder:
            folder.begin()
            for name in names:
                folder.add(name, make_samples(0, 2), make_latents(2))
            first = [folder.group(name).path for name in names]
        again = make_run(*reversed(run.groups))
        with RunFolder(Path(root), again) as folder:
            assert folder.begin() == ()
            assert [folder.group(name).path for name in names] == first
            assert all(len(folder.group(name).samples) == 2 for name in names)


@pytest.mark.parametrize("name", ["run.json", "RUN.json", ".lock", "lock"])
def test_a_group_that_is_called_like_a_file_of_the_run(
    tmp_path: Path, make_group: Make, name: str
) -> None:
    for _ in range(2):
        with RunFolder(tmp_path, make_run(make_group(name))) as folder:
            folder.begin()
            assert folder.group(name).path.is_dir()
            assert (tmp_path / NAME).is_file()

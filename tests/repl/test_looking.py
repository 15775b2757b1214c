"""Commands that choose samples, show them, and hand them to a viewer."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

import lacelang
from lacelang.repl import looking
from lacelang.repl.loop import Loop
from lacelang.storage.png import XMP, texts_of
from lacelang.storage.provenance import SYNTHETIC
from lacelang.text.channels import console

ENTER = "\r"
Sitting = Callable[[str], str]
pytestmark = pytest.mark.usefixtures("model")

MEN = f"sample 6 from ffhq where glasses=1 seed 3 as men{ENTER}"


@pytest.mark.parametrize(
    ("typed", "statement"),
    [
        (":keep 3 5", "pick 3, 5 of men"),
        (":keep 3, 5", "pick 3, 5 of men"),
        (":keep 0..2 4", "pick 0..2, 4 of men"),
        (":keep 5 .. 5 of men as best", "pick 5..5 of men as best"),
        (":keep 1 as best", "pick 1 of men as best"),
    ],
)
def test_what_is_kept_is_part_of_the_program(
    typed: str, statement: str, loop: Loop, sit: Sitting, tmp_path: Path
) -> None:
    path = tmp_path / "kept.lace"
    edit = "edit pick1 { glasses = 1 } hold later(0.01)"
    said = sit(f"{MEN}{typed}{ENTER}{edit}{ENTER}:save {path}{ENTER}:groups{ENTER}")
    assert statement in said
    source = path.read_text()
    assert statement in source
    made = loop.groups["best" if "best" in typed else "pick1"]
    run = lacelang.compile(source, path).run()
    assert torch.equal(run[made.name].w, made.w)
    if made.name == "pick1":
        assert torch.equal(run["edit1"].w, loop.groups["edit1"].w)


def test_the_last_group_is_meant_by_its_name_in_quotes(loop: Loop, sit: Sitting) -> None:
    said = sit(f'sample 3 from ffhq as "for me"{ENTER}:keep 2{ENTER}')
    assert 'pick 2 of "for me"' in said
    assert len(loop.groups["pick1"]) == 1


@pytest.mark.parametrize("wrong", [":keep", ":keep best", ":keep -1", ":keep out/mine"])
def test_keep_needs_numbers(wrong: str, sit: Sitting) -> None:
    assert "needs numbers of samples" in sit(f"{MEN}{wrong}{ENTER}")


def test_keep_says_what_there_is(sit: Sitting) -> None:
    assert "it has the samples 0 to 5" in sit(f"{MEN}:keep 6{ENTER}")


def test_a_seed_is_written_into_what_names_none(loop: Loop, sit: Sitting, tmp_path: Path) -> None:
    path = tmp_path / "seeds.lace"
    said = sit(
        f":seed 7{ENTER}glasses=1{ENTER}sample 2 from ffhq{ENTER}sample 2 from ffhq seed 1{ENTER}"
        f'for s in 1, 2 {{ sample 1 from ffhq temp s as "t {{s}}" }}{ENTER}'
        f":seed{ENTER}:seed none{ENTER}glasses=1{ENTER}:seed x{ENTER}:save {path}{ENTER}"
    )
    assert "seed 7" in said
    assert "takes a whole number" in said
    seeds = {name: group.record.seed for name, group in loop.groups.items()}
    assert seeds == {"sample1": 7, "sample2": 7, "sample3": 1, "t 1": 7, "t 2": 7, "sample4": 0}
    again = lacelang.compile(path.read_text(), path).run()
    assert {name: again[name].record.seed for name in again} == seeds


def test_an_edit_stands_beside_what_it_was(loop: Loop, sit: Sitting) -> None:
    loop.console = console(io.StringIO(), width=90)
    loop._graphics = "blocks"
    sit(f"sample 2 from ffhq as two{ENTER}edit two {{ glasses = 1 }} hold later(0.01){ENTER}")
    assert isinstance(loop.console.file, io.StringIO)
    lines = loop.console.file.getvalue().splitlines()
    head = next(i for i, line in enumerate(lines) if "0 before" in line)
    assert re.findall(r"0 before|1 before|after", lines[head]) == [
        "0 before",
        "after",
        "1 before",
        "after",
    ]
    group = loop.groups["edit1"]
    values = [float(x) for x in re.findall(r"\d\.\d\d", lines[head + 1])]
    wanted = []
    for sample in group.record.samples:
        wanted += [sample.steps[0].readings["glasses=1"], sample.readings["glasses=1"]]
    assert values == pytest.approx(wanted, abs=0.006)
    before, after = next(group.each_pair())
    assert before.tobytes() == loop.groups["two"].images[0].tobytes()
    assert after.tobytes() == group.images[0].tobytes()


def test_a_sheet_is_drawn_or_written(loop: Loop, sit: Sitting, tmp_path: Path) -> None:
    file = tmp_path / "all of them.png"
    said = sit(f"{MEN}:sheet{ENTER}:sheet men {tmp_path}/men.jpg{ENTER}:sheet no{ENTER}")
    assert "shows no pictures" in said
    assert "there is no group `no`" in said
    with Image.open(tmp_path / "men.jpg") as sheet:
        assert sheet.format == "JPEG"
        assert sheet.width > 400
    assert not file.exists()
    loop.console = console(io.StringIO(), width=60)
    loop._graphics = "blocks"
    looking.sheet(loop, "men")
    assert isinstance(loop.console.file, io.StringIO)
    lines = loop.console.file.getvalue().splitlines()
    assert {line.count("▀") for line in lines} == {60}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="another viewer there")
@pytest.mark.parametrize(
    ("typed", "opened"),
    [
        ("", r".*/lacelang-\w+/men\.png"),
        ("men", r".*/lacelang-\w+/men\.png"),
        ("men 2", r".*/lacelang-\w+/men-2\.png"),
        ("3", r".*/lacelang-\w+/men-3\.png"),
        ("{folder}/a $(touch x);b.png", r".*/a \$\(touch x\);b\.png"),
        ("{folder}", None),
    ],
)
def test_a_viewer_is_given_one_path(
    typed: str,
    opened: str | None,
    loop: Loop,
    sit: Sitting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said, folder = tmp_path / "said", tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (4, 4)).save(folder / "a $(touch x);b.png")
    viewer = tmp_path / "xdg-open"
    lines = ("#!/bin/sh", f'printf "%s\\n" "$#" "$1" > "{said}.part"', f'mv "{said}.part" "{said}"')
    viewer.write_text("\n".join(lines) + "\n")
    viewer.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    sit(f"{MEN}:open {typed.format(folder=folder)}{ENTER}")
    deadline = time.monotonic() + 60
    while not said.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    count, path = said.read_text().splitlines()
    assert count == "1"
    if opened is None:
        assert path == str(folder)
    else:
        assert re.fullmatch(opened, path)
        assert Path(path).exists()


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("{file}", "neither a folder nor a picture"),
        ("men 6", "has the samples 0 to 5"),
        ("nobody", "there is no group `nobody`"),
    ],
)
def test_what_is_not_opened(typed: str, answer: str, sit: Sitting, tmp_path: Path) -> None:
    script = tmp_path / "run.desktop"
    script.write_text("")
    assert answer in sit(f"{MEN}:open {typed.format(file=script)}{ENTER}")


def test_without_a_viewer_the_file_is_named(sit: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "which", lambda name: None)
    said = sit(f"{MEN}:open{ENTER}")
    assert re.search(r"there is no viewer here.*men\.png", " ".join(said.split()))


def test_a_theme_is_chosen(loop: Loop, sit: Sitting) -> None:
    said = sit(f":theme{ENTER}:theme light{ENTER}:theme lihgt{ENTER}")
    assert said.splitlines()[:2] == ["terminal", "light"]
    assert "did you mean `light`?" in said
    assert loop.theme.name == "light"


def test_groups_of_a_loop_make_a_grid(sit: Sitting, tmp_path: Path) -> None:
    none = sit(f"{MEN}:grid{ENTER}")
    assert "there is no loop" in none
    loops = 'for t in 2, 1, 0.5 { sample 2 from ffhq where glasses=1 temp t as "at {t}" }'
    assert "name a file: `:grid faces.png`" in sit(f"{loops}{ENTER}:grid{ENTER}")
    said = sit(f"{loops}{ENTER}{MEN.replace('men', 'late')}:grid {tmp_path}/grid.png{ENTER}")
    assert "written to" in said
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.height > picture.width
    assert SYNTHETIC in texts_of(tmp_path / "grid.png")[XMP]

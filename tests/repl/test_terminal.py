"""The prompt in a pseudo-terminal, with the real generator and classifiers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from prompt_toolkit.input import PipeInput

import lacelang
from lacelang.render.result_text import achieved
from lacelang.repl.loop import Loop
from lacelang.repl.show import GAP, layout_for

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals there", allow_module_level=True)
from prompt_terminal import ENTER, Terminal

pytestmark = pytest.mark.weights

TAB, CTRL_C, CTRL_D = "\t", "\x03", "\x04"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def begin(**environment: str) -> Terminal:
        opened.append(Terminal(tmp_path, **environment))
        opened[-1].wait_for_prompt()
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


def test_lines_errors_and_completion(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    sitting = terminal()
    _define(sitting)
    sitting.type(CTRL_C)
    sitting.wait_for_prompt()
    assert "saved to mine.lace" in sitting.enter(":save mine")[0]
    sitting.type(CTRL_D)
    assert sitting.process.wait() == 0
    source = "let grandpa = gender=male and age in 60..70\n"
    assert (tmp_path / "mine.lace").read_text().replace("\n  ", " ") == source


def _define(sitting: Terminal) -> None:
    """Type a statement over several lines, an error in the words of files, a completion."""
    sitting.type("let grandpa = gender=male and" + ENTER)
    sitting.wait(lambda lines: lines[-1].strip() == "...")
    sitting.type("age in 60..70" + ENTER)
    sitting.wait_for_prompt()
    said = sitting.enter("grandpa and yaw=frnt")
    assert said[0] == "input:1:17: error LACE104: `yaw` has no value called `frnt`"
    assert said[2].index("^") - len("  1 | ") == len("grandpa and yaw=")
    sitting.type("grandpa and yaw=fr" + TAB)
    sitting.wait(lambda lines: lines[-1].startswith("lace> grandpa and yaw=front"))


@pytest.mark.slow
def test_a_sitting(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    sitting = terminal()
    _define(sitting)
    # Faces, with what was wanted and got under each.
    sitting.type(" seed 3" + ENTER)
    sitting.wait(lambda lines: any("age in 60..70" in line for line in lines[8:]))
    sitting.wait_for_prompt()
    captions = sitting.lines[-5:-1]
    # Long sampling, stopped.
    sitting.type("glasses=1 and smile=0 with langevin(steps=900000)" + ENTER)
    sitting.wait(lambda lines: any("sampling" in line for line in lines))
    sitting.type(CTRL_C)
    sitting.wait_for_prompt()
    assert sitting.lines[-2] == "stopped"
    # The program so far, and a way out.
    assert "saved to mine.lace" in sitting.enter(":save mine")[0]
    sitting.type(CTRL_D)
    assert sitting.process.wait() == 0

    source = (tmp_path / "mine.lace").read_text()
    assert source == (
        "let grandpa = gender=male and\n  age in 60..70\n"
        "sample 4 from ffhq where grandpa and yaw=front seed 3\n"
    ) or source == (
        "let grandpa = gender=male and age in 60..70\n"
        "sample 4 from ffhq where grandpa and yaw=front seed 3\n"
    )
    group = lacelang.compile(source).run()["sample1"]
    for atom, caption in zip(group.record.atoms, captions[1:], strict=True):
        got = [achieved(atom, sample.readings[atom.text]) for sample in group.record.samples]
        assert caption.split(atom.wanted)[1:] == [
            f"{value:>{19 - len(atom.wanted)}}" + (" " if place < 3 else "")
            for place, value in enumerate(got)
        ]
    first, *_ = _faces_on(sitting, group.images[0])
    assert first < 12


def _faces_on(sitting: Terminal, face: Image.Image) -> list[float]:
    """Return how far the first face on the screen is from `face`, in levels of 256 on average."""
    layout = layout_for(4, sitting.screen.columns)
    top = next(i for i, line in enumerate(sitting.screen.display) if "▀" in line)
    size = (layout.width, 2 * layout.height)
    wanted = face.resize(size, Image.Resampling.LANCZOS)
    far = []
    for place in range(1):
        total = 0.0
        for y in range(layout.height):
            for x in range(layout.width):
                cell = sitting.screen.buffer[top + y][place * (layout.width + GAP) + x]
                for half, colour in enumerate((cell.fg, cell.bg)):
                    shown = [int(colour[i : i + 2], 16) for i in (0, 2, 4)]
                    pixel = wanted.getpixel((x, 2 * y + half))
                    total += sum(abs(a - b) for a, b in zip(shown, pixel, strict=True))
        far.append(total / (3 * size[0] * size[1]))
    return far


@pytest.mark.slow
def test_text_only_where_colours_are_not_wanted(terminal: Callable[..., Terminal]) -> None:
    sitting = terminal(NO_COLOR="1")
    printed = sitting.enter("glasses=1")
    assert printed[0].startswith("sample1: 4 samples, seed 0")
    assert not any("▀" in line for line in printed)
    assert len(re.findall(r"glasses=1", printed[2])) == 4


def test_the_saved_program_makes_identical_latents(
    loop: Loop, sit: Callable[[str], str], tmp_path: Path, keyboard: PipeInput
) -> None:
    path = tmp_path / "mine.lace"
    sit(
        f"let kid = age < 12{ENTER}sample 2 from ffhq where kid as kids{ENTER}:again{ENTER}"
        f"let kid = age < 20{ENTER}sample 2 from ffhq where kid and smile=1{ENTER}"
        f":save {path}{ENTER}"
    )
    run = lacelang.compile(path.read_text(), path).run()
    assert list(run) == ["kids", "kids_2", "sample1"]
    for name in run:
        assert (run[name].latents == loop.groups[name].latents).all()

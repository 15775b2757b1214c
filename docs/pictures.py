"""Make the pictures of docs/pictures anew: `python docs/pictures.py [NAME…]`, from a checkout.

Each is made by a program of programs/ or of a page, with the models themselves; all of them take
some minutes. Figures of experiments are made by `python -m experiments NAME`, see evaluation.md.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

import lacelang

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS), *(str(ROOT / "tests" / name) for name in ("repl", "teaching", "web"))]
from browsers import found, launched  # noqa: E402
from prompt_terminal import Terminal  # noqa: E402
from studio_serving import served  # noqa: E402
from terminal import picture_of  # noqa: E402

PICTURES = DOCS / "pictures"


def _people(folder: Path) -> Image.Image:
    """The sheet of the first program of the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^```lace people\.lace\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert block is not None
    return _sheet(block[1], "people", folder)


def _bearded_kids(folder: Path) -> Image.Image:
    program = (ROOT / "programs" / "zero_shot.lace").read_text(encoding="utf-8")
    sheet = _sheet(program, "bearded_kids", folder)
    return sheet.resize((846, round(sheet.height * 846 / sheet.width)), Image.Resampling.LANCZOS)


def _continuous_control(folder: Path) -> Image.Image:
    """The grids of beards by the temperature of logits and of smiles by degree, side by side."""
    program = lacelang.compile((ROOT / "programs" / "continuous_control.lace").read_text("utf-8"))
    loops = ("beard at logit ", "smile ")
    chosen = [name for name in program.groups if name.startswith(loops)]
    program.run(out=folder, only=chosen, progress=True)
    grids = [Image.open(path).convert("RGB") for path in sorted(folder.glob("grid_*.png"))]
    for grid in grids:
        grid.thumbnail((1000, 1000), Image.Resampling.LANCZOS)
    wide, high = sum(grid.width for grid in grids), max(grid.height for grid in grids)
    joined = Image.new("RGB", (wide, high), grids[0].getpixel((0, 0)))
    x = 0
    for grid in grids:
        joined.paste(grid, (x, 0))
        x += grid.width
    return joined


def _prompt(folder: Path) -> Image.Image:
    """A terminal: a definition, an error, four faces."""
    terminal = Terminal(folder, 140, 60)
    try:
        terminal.wait_for_prompt()
        terminal.enter("let scholar = glasses=1 and not smile=1")
        terminal.enter("sample 4 from ffhq where scholar and yaw=frnt seed 3")
        terminal.enter("sample 4 from ffhq where scholar and age > 40 seed 3")
        return picture_of(terminal.screen)
    finally:
        terminal.close()


def _sheet(source: str, group: str, folder: Path) -> Image.Image:
    lacelang.compile(source).run(out=folder, only=group, progress=True)
    return Image.open(folder / group / "sheet.png").convert("RGB")


@contextmanager
def _page(width: int, height: int) -> Iterator[Any]:
    """A page in a browser; needs playwright and a Chromium."""
    path = found()
    if path is None:
        raise SystemExit("there is no Chromium or Chrome; LACELANG_BROWSER names one")
    with launched(path) as browser:
        yield browser.new_page(viewport={"width": width, "height": height})


def _report(folder: Path) -> Image.Image:
    """The first group of a report, as a browser shows it."""
    from lacelang.report.page import write_report

    source = "sample 5 from ffhq where glasses=1 and age in 50..70 seed 3 as readers\n"
    lacelang.compile(source).run(out=folder, progress=True)
    page_file = write_report(folder)
    with _page(1200, 900) as page:
        page.goto(page_file.as_uri())
        return _opened(page.locator(".group").first.screenshot(type="png"))


def _studio(folder: Path) -> Image.Image:
    """A face of the studio that a slider has aged."""
    file = folder / "portrait.lace"
    file.write_text("sample 3 from ffhq where smile=1 and glasses=0 seed 0 as people\n")
    with served(folder, file) as studio, _page(1360, 960) as page:
        page.set_default_timeout(300_000)
        page.goto(studio.url)
        page.wait_for_selector("body[data-ready]")
        page.click("#run")
        page.wait_for_selector("article[data-status=done]")
        page.locator(".face button", has_text="Edit this face").nth(2).click()
        page.wait_for_selector("#after:not([hidden])")
        page.fill("[data-attribute=age] input.number", "60")
        page.keyboard.press("Enter")
        page.wait_for_timeout(2000)
        page.wait_for_selector("body:not([aria-busy])")
        page.wait_for_timeout(1000)
        page.evaluate("document.querySelector('.left').scrollTop = 0; scrollTo(0, 0)")
        return _opened(page.screenshot(type="png"))


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


MADE: dict[str, Callable[[Path], Image.Image]] = {
    "people.jpg": _people,
    "bearded_kids.jpg": _bearded_kids,
    "continuous_control.jpg": _continuous_control,
    "repl.png": _prompt,
    "report.jpg": _report,
    "studio.jpg": _studio,
}
"""What makes each picture, given an empty folder."""


def main(names: list[str]) -> None:
    """Make the pictures of these names, or all.

    Raises:
        SystemExit: there is none of this name.
    """
    if unknown := sorted(set(names) - set(MADE)):
        raise SystemExit(f"no picture {', '.join(unknown)}; there are {', '.join(MADE)}")
    for name in names or MADE:
        with TemporaryDirectory() as folder:
            picture = MADE[name](Path(folder))
        temporary = PICTURES / f".{name}"
        picture.save(temporary, quality=88, optimize=True)
        temporary.replace(PICTURES / name)
        print(f"{name}: {picture.width} x {picture.height}")


if __name__ == "__main__":
    main(sys.argv[1:])

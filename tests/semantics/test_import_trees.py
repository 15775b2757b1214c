"""Trees of files that import one another, as a stranger may make them: links, circles, devices."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from lacelang.errors import LaceError
from lacelang.semantics.check import check
from lacelang.syntax.render import render_all

SECRET = "let password = hunter2 / 7\n"
_NAMES = ("a", "b", "c/a", "c/d/b", "e")


def _tree(home: Path, rng: random.Random) -> None:
    """Make files that import each other, and links, folders and pipes in place of some."""
    targets = [f'"{name}.lace"' for name in _NAMES]
    targets += ['"../outside.lace"', '"loop.lace"', '"c/../a.lace"', '"c"', '"/dev/zero"', "logic"]
    targets += [f'"../{name}.lace"' for name in _NAMES] + ['"./a.lace"', '"up/home/a.lace"']
    for name in _NAMES:
        place = home / f"{name}.lace"
        place.parent.mkdir(parents=True, exist_ok=True)
        how = rng.randrange(12)
        if how == 0:
            links = ["a.lace", "loop.lace", "../outside.lace", "../home/b.lace", "/dev/zero", "no"]
            place.symlink_to(rng.choice(links))
        elif how == 1 and hasattr(os, "mkfifo"):
            os.mkfifo(place)
        elif how == 2:
            place.mkdir()
        elif how == 3:
            place.write_bytes(rng.randbytes(40))
        else:
            wanted = rng.sample(targets, rng.randrange(4))
            lines = [*(f"import {each}" for each in wanted), f"let {name[-1]}{how} = smile=1"]
            rng.shuffle(lines)
            place.write_text("\n".join(lines))
    (home / "loop.lace").symlink_to("loop.lace")
    (home / "up").symlink_to("..", target_is_directory=True)


def _checked(source: str, home: Path) -> str:
    """Return what is said of a program of that folder."""
    try:
        return render_all(check(source, home / "main.lace", pedantic=True).warnings)
    except LaceError as error:
        return render_all(error.diagnostics)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_any_tree_is_checked_and_shows_no_file_outside(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    (tmp_path / "outside.lace").write_text(SECRET)
    right = 0
    for _ in range(4000 if seed else 80):
        home = tmp_path / "home"
        home.mkdir()
        _tree(home, rng)
        wanted = rng.sample(_NAMES, 2)
        source = "".join(f'import "{name}.lace"\n' for name in wanted) + "sample from ffhq"
        said = _checked(source, home)
        assert "hunter2" not in said
        assert "password" not in said
        right += "error" not in said
        shutil.rmtree(home)
    assert right > 3


@pytest.mark.parametrize("count", [20, 200])
def test_chains_and_fans_of_imports(count: int, tmp_path: Path) -> None:
    """A chain is refused beyond its limit; each file of a fan is read once."""
    for i in range(count):
        wanted = [i + 1] if count == 200 else range(i + 1, count + 1)
        text = "".join(f'import "{j}.lace"\n' for j in wanted) + f"let d{i} = smile=1\n"
        (tmp_path / f"{i}.lace").write_text(text)
    (tmp_path / f"{count}.lace").write_text("let last = smile=1")
    said = _checked('import "0.lace"\nsample from ffhq where d0', tmp_path)
    assert ("nested more than" in said) == (count == 200)
    assert ("error" in said) == (count == 200)

"""docs/extending.md: its sampler, installed as a package, is as good as one of lacelang's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
CONTRACT = """
from lacelang.samplers import SAMPLERS
from lacelang.testing.samplers import CONTRACT

for check in CONTRACT.values():
    check(SAMPLERS["adam"])
print(*SAMPLERS)
"""


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's package, built to a wheel and installed from it."""
    folder = tmp_path_factory.mktemp("package")
    module, pyproject = blocks("python")[0], tomllib.loads(blocks("toml")[0])
    assert len(module.splitlines()) <= 40
    points = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in pyproject["project"]["entry-points"].items()
    ]
    wheel, info = folder / "lace_adam-1.0-py3-none-any.whl", "lace_adam-1.0.dist-info"
    files = {
        "lace_adam.py": module,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: lace_adam\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n".join(points),
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(target), str(wheel)], check=True, timeout=120)
    return target


def python(installed: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(installed), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_the_checker_knows_it_and_its_options(installed: Path) -> None:
    right = "sample 2 from ffhq where glasses=1 with adam(steps=50)\n"
    done = python(installed, "-m", "lacelang", "check", "-", text=right)
    assert (done.returncode, done.stderr) == (0, "")
    wrong = "sample 2 from ffhq where glasses=1 with adam(stps=50, step=0)\n"
    done = python(installed, "-m", "lacelang", "check", "-", text=wrong)
    assert done.returncode == 1
    assert "did you mean `steps`?" in done.stderr
    assert "`step` is above 0" in done.stderr
    editing = "sample 2 from ffhq as a\nedit a { smile=1 } with adam\n"
    done = python(installed, "-m", "lacelang", "check", "-", text=editing)
    assert "it cannot edit" in done.stderr


def test_it_keeps_the_contract(installed: Path) -> None:
    done = python(installed, "-c", CONTRACT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["exponential", "adam"]


@pytest.mark.weights
def test_it_samples(installed: Path, tmp_path: Path) -> None:
    program = "sample 1 from ffhq where glasses=1 with adam(steps=40) as one\n"
    arguments = ("run", "-", "--out", str(tmp_path / "out"), "--no-images")
    done = python(installed, "-m", "lacelang", *arguments, text=program)
    assert done.returncode == 0, done.stderr
    assert "glasses=1" in done.stdout


def test_a_package_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lacelang.samplers]\nbroken = no_such_module:X\n")
    right = python(tmp_path, "-m", "lacelang", "check", "-", text="sample from ffhq with heun\n")
    assert (right.returncode, right.stderr) == (0, "")
    wrong = python(tmp_path, "-m", "lacelang", "check", "-", text="sample from ffhq with huen\n")
    assert wrong.returncode == 1
    assert "did you mean `heun`?" in wrong.stderr
    used = python(tmp_path, "-m", "lacelang", "check", "-", text="sample from ffhq with broken\n")
    assert used.returncode == 3
    assert "the entry point 'broken' of lacelang.samplers cannot be loaded" in used.stderr
    assert "mend or remove the package that offers it: no_such_module:X" in used.stderr

"""docs/extending.md: its parts, installed as a package, are as good as lacelang's own."""

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
IMPORTS = """
from lacelang.annotators import ANNOTATORS
from lacelang.generators import ARCHITECTURES
from lacelang.samplers import SAMPLERS
ADAM, DISCS, BRIGHT = SAMPLERS["adam"], ARCHITECTURES["discs"], ANNOTATORS["bright"]
print(*SAMPLERS, *ARCHITECTURES, *ANNOTATORS)
"""


def blocks(kind: str) -> list[str]:
    return re.findall(
        rf"^```{kind}\b[^\n]*\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )


def modules() -> dict[str, str]:
    """The modules of the page, by the name that their first line says."""
    found = {}
    for block in blocks("python"):
        named = re.match(r'"""(\w+\.py):', block)
        if named is not None:
            found[named[1]] = block
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's package, built to a wheel and installed from it."""
    folder = tmp_path_factory.mktemp("package")
    points = []
    for block in blocks("toml"):
        for group, entries in tomllib.loads(block)["project"]["entry-points"].items():
            points.append(f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in entries.items()))
    wheel, info = folder / "lace_parts-1.0-py3-none-any.whl", "lace_parts-1.0.dist-info"
    files = {
        **modules(),
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: lace_parts\nVersion: 1.0\n",
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


def check(installed: Path, text: str) -> subprocess.CompletedProcess[str]:
    return python(installed, "-m", "lacelang", "check", "-", text=text)


def test_each_is_short() -> None:
    assert list(modules()) == ["lace_adam.py", "lace_discs.py", "lace_bright.py"]
    assert all(len(module.splitlines()) < 40 for module in modules().values())


def test_the_checker_knows_the_sampler_and_its_options(installed: Path) -> None:
    done = check(installed, "sample 2 from ffhq where glasses=1 with adam(steps=50)\n")
    assert (done.returncode, done.stderr) == (0, "")
    done = check(installed, "sample 2 from ffhq where glasses=1 with adam(stps=50, step=0)\n")
    assert done.returncode == 1
    assert "did you mean `steps`?" in done.stderr
    assert "`step` must be above 0" in done.stderr
    done = check(installed, "sample 2 from ffhq as a\nedit a { smile=1 } with adam\n")
    assert "it cannot edit" in done.stderr


def test_they_keep_the_contracts(installed: Path) -> None:
    done = python(installed, "-c", IMPORTS + blocks("python")[-1])
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    # The samplers, generators and annotators, each kind with its first one first.
    samplers, rest = names[: names.index("mobilestylegan")], names[names.index("mobilestylegan") :]
    assert samplers[:2] == ["exponential", "adam"]
    generators, annotators = rest[: rest.index("faces")], rest[rest.index("faces") :]
    assert "discs" in generators
    assert "bright" in annotators


@pytest.mark.weights
def test_the_sampler_samples(installed: Path, tmp_path: Path) -> None:
    program = "sample 1 from ffhq where glasses=1 with adam(steps=40) as one\n"
    arguments = ("run", "-", "--out", str(tmp_path / "out"), "--no-images")
    done = python(installed, "-m", "lacelang", *arguments, text=program)
    assert done.returncode == 0, done.stderr
    assert "glasses=1" in done.stdout


def test_the_generator_paints_and_the_annotator_judges(installed: Path, tmp_path: Path) -> None:
    (program,) = blocks("text")
    program += "expect bright > 0.2 in 50% of some\nexpect bright > 0.9 in 10% of some\n"
    done = python(installed, "-m", "lacelang", "run", "-", "--out", str(tmp_path), text=program)
    assert done.returncode == 1, done.stderr
    assert "bright > 0.9" in done.stdout
    assert len(list((tmp_path / "some").rglob("0*.png"))) == 8


def test_what_a_model_of_the_generator_may_declare(installed: Path) -> None:
    weights = 'model discs { generator discs from "discs==1" }\nsample from discs\n'
    assert (
        "a discs has no weights, and the model discs names a package"
        in check(installed, weights).stderr
    )
    layers = "model discs { generator discs attribute bright : 0..1 layers 0..2 }\n"
    done = check(installed, layers + "sample from discs\n")
    assert "layers are whole numbers from 0 to 1" in done.stderr
    unseen = "model discs { generator discs attribute round : binary }\nsample from discs as a\n"
    done = check(installed, unseen + "expect round=1 in 50% of a\n")
    assert "no annotator sees `round` in an image" in done.stderr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A package whose entry points name a module that is not there."""
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    groups = ("samplers", "generators", "annotators")
    points = "".join(f"[lacelang.{group}]\nbroken = no_such_module:X\n" for group in groups)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    return tmp_path


def test_a_broken_package_is_no_matter_to_others(broken: Path) -> None:
    done = check(broken, "sample from ffhq as a with heun\nexpect age > 20 in 5% of a\n")
    assert (done.returncode, done.stderr) == (0, "")
    done = check(broken, "sample from ffhq with huen\n")
    assert done.returncode == 1
    assert "did you mean `heun`?" in done.stderr


@pytest.mark.parametrize(
    ("kind", "program"),
    [
        ("samplers", "sample from ffhq with broken\n"),
        ("generators", "model m { generator broken }\nsample from m\n"),
    ],
)
def test_a_broken_package_that_is_used_is_named(broken: Path, kind: str, program: str) -> None:
    done = check(broken, program)
    assert done.returncode == 3
    assert f"the entry point 'broken' of lacelang.{kind} cannot be loaded" in done.stderr
    assert "mend or remove the package that offers it: no_such_module:X" in done.stderr


def test_a_broken_annotator_is_named_where_one_lacks(broken: Path) -> None:
    generator = f'generator mobilestylegan from "weights==1" sha256 "{"0" * 64}"'
    program = f"model m {{ {generator} attribute bright : 0..1 }}\nsample from m as a\n"
    done = check(broken, program + "expect bright > 0.5 in 50% of a\n")
    assert done.returncode == 1
    assert "the entry point 'broken' of lacelang.annotators cannot be loaded" in done.stderr

"""The wheel, built from the source archive and installed in an environment of its own, works."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "package.py"


@pytest.mark.weights
def test_the_wheel_checks_and_runs_a_program_from_an_empty_folder(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--borrow", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two: 2 samples" in done.stdout
    assert done.stdout.endswith("is fine\n")
    (source,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "grammars/lace.lark", "stdlib/ffhq.lace"} <= names

"""The command line with the real generator and classifiers, from text to pixels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from made_runs import read_run
from PIL import Image

from lacelang.storage.provenance import read
from lacelang.syntax.format import format_source

pytestmark = pytest.mark.weights

# To the letter as the design has it, but for the count and a name.
SENTENCE = (
    "sample 2 from ffhq where (glasses=1 or yaw=front) and not smile=1 temp 0.5 as sentence\n"
)


def run(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lacelang", "run", str(source), "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_sentence_runs_and_twice_the_same(tmp_path: Path) -> None:
    source = tmp_path / "p.lace"
    source.write_text(SENTENCE)
    results = [run(source, tmp_path / name) for name in ("a", "b")]
    for result in results:
        assert result.returncode == 0, result.stderr
        # Silent in a pipe: no bars, no escapes.
        assert result.stderr == ""
        assert result.stdout.startswith("sentence: 2 samples")
    for name in ("0000.png", "0001.png", "sheet.png", "latents-000000.safetensors"):
        first = (tmp_path / "a" / "sentence" / name).read_bytes()
        assert first == (tmp_path / "b" / "sentence" / name).read_bytes()
    with Image.open(tmp_path / "a" / "sentence" / "0000.png") as face:
        assert face.size == (1024, 1024)
        assert face.mode == "RGB"
    record = read_run(tmp_path / "a")
    assert record is not None
    assert record.complete
    (group,) = record.groups
    assert [atom.wanted for atom in group.atoms] == ["glasses=1", "yaw=front", "not smile=1"]
    for sample in group.samples:
        assert sample.status == "converged"
        smile = sample.readings["smile=1"]
        assert smile is not None
        assert smile < 0.5
    said = read(tmp_path / "a" / "sentence" / "0001.png")
    assert said is not None
    assert said.program == format_source(SENTENCE)


def test_what_did_not_converge_is_said_with_its_remedy(tmp_path: Path) -> None:
    program = tmp_path / "rare.lace"
    program.write_text(
        "sample 2 from ffhq where beard=1 and glasses=1 and age=3 with rejection(max_tries=2) as r"
    )
    said = run(program, tmp_path / "out").stdout
    assert "r: 2 samples, 2 did not converge" in said
    assert "2 × max_tries: No draw from the prior was accepted" in said
    assert "allow more tries (`max_tries`), or sample it with `smc`" in said

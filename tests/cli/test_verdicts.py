"""`measure` and `expect` at the command line, over the small model of the runtime's tests."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from made_runs import read_run

HELPERS = [str(Path(__file__).parents[1] / folder) for folder in ("engine", "storage")]
SCRIPT = """
    import sys
    sys.path[:0] = {helpers}
    {before}
    from test_expectations import FakePool
    from tiny import TinyModel
    from lacelang.engine import (execute, plan)
    model = TinyModel()
    plan.load = lambda spec, device, progress: model
    if {fake}:
        execute.AnnotatorPool = FakePool
    from lacelang.cli.main import main
    sys.exit(main(sys.argv[1:]))
"""
MODEL = """
model tiny {
  generator mobilestylegan from "tiny==1" sha256 "%s"
  classifiers "tiny.safetensors" on w
  attribute glasses : binary
  attribute age : 0..70 years
}
""" % ("0" * 64)
MEASURES = """
measure glasses=1 given age > 40 from tiny as seniors
measure glasses=1 given age < 20 and age > 30 from tiny
"""
GROUPS = """
sample 4 from tiny where glasses=1 as kids
sample 3 from tiny as anybody
"""


def run(
    folder: Path, source: str, *arguments: str, before: str = "", fake: bool = True
) -> subprocess.CompletedProcess[str]:
    path = folder / "p.lace"
    path.write_text(MODEL + source)
    script = textwrap.dedent(SCRIPT).format(helpers=HELPERS, before=before, fake=fake)
    command = [sys.executable, "-c", script, "run", str(path), "--out", str(folder / "out")]
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_measures_are_printed(tmp_path: Path) -> None:
    result = run(tmp_path, MEASURES)
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert first.startswith("P(glasses=1 | age > 40) = 0.")
    assert "100 000 draws" in first
    assert "with age > 40; decided: 0." in first
    assert second.endswith("is unknown: of 100 000 draws, none has age < 20 and age > 30")
    assert [path.name for path in (tmp_path / "out").iterdir() if path.suffix] == ["run.json"]
    # The condition that cannot hold is warned of, before and not instead of the run.
    assert "warning LACE501" in result.stderr


def test_only_a_measure_is_made(tmp_path: Path) -> None:
    result = run(tmp_path, GROUPS + MEASURES, "--only", "seniors")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("P(glasses=1 | age > 40)")
    assert result.stdout.count("\n") == 1
    assert run(tmp_path, GROUPS + MEASURES, "--only", "nobody").returncode == 2


def test_a_failed_expectation_is_1_after_everything_is_made(tmp_path: Path) -> None:
    source = GROUPS + "expect glasses=1 in 95% of kids\nexpect glasses=0 in 50% of kids\n"
    result = run(tmp_path, source)
    assert result.returncode == 1
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert "expect glasses=1 in 95% of kids: holds, 4 of 4 samples show it (100 %)" in lines
    assert (
        "expect glasses=0 in 50% of kids: FAILED, 0 of 4 samples show it (0 %); "
        "not in 0000, 0001, 0002, 0003"
    ) in lines
    for made in ("kids/0003.png", "kids/sheet.png", "anybody/0002.png", "anybody/sheet.png"):
        assert (tmp_path / "out" / made).exists()
    record = read_run(tmp_path / "out")
    assert record is not None
    assert record.complete
    assert [found.holds for found in record.expectations] == [True, False]
    # Once more: nothing is made or judged, and the answer is the same.
    again = run(tmp_path, source)
    assert (again.returncode, again.stdout) == (1, result.stdout)
    skipped = run(tmp_path, source, "--only", "anybody")
    assert skipped.returncode == 0
    assert skipped.stderr.count("skipped, kids is not made") == 2


@pytest.mark.parametrize("expected", [True, False])
def test_without_opencv_nothing_is_sampled_for_an_expectation(
    tmp_path: Path, expected: bool
) -> None:
    source = GROUPS + ("expect glasses=1 in 95% of kids\n" if expected else "")
    result = run(tmp_path, source, before="sys.modules['cv2'] = None", fake=False)
    if not expected:
        assert result.returncode == 0, result.stderr
        return
    assert result.returncode == 3
    assert "OpenCV" in result.stderr
    assert "pip install 'lacelang[annotate]'" in result.stderr
    assert not list((tmp_path / "out").rglob("*.png"))

"""What is printed of programs, word for word, without weights.

Run with LACELANG_UPDATE=1 to write the expected texts anew, then read them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lacelang.explain.outline import Term, outlines
from lacelang.explain.render import outline_json, outline_lines, plan_lines, text_of
from lacelang.semantics.check import check

FOLDER = Path(__file__).parent / "golden"
PROGRAMS = sorted(FOLDER.glob("*.lace"))


def _golden(path: Path, text: str) -> None:
    if os.environ.get("LACELANG_UPDATE"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_what_is_printed(path: Path) -> None:
    found = outlines(check(path.read_text(encoding="utf-8"), path))
    blocks = [plan_lines(found), *map(outline_lines, found)]
    _golden(path.with_suffix(".txt"), "\n".join(map(text_of, blocks)))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_what_programs_read(path: Path) -> None:
    found = outlines(check(path.read_text(encoding="utf-8"), path))
    text = json.dumps([outline_json(o) for o in found], indent=1, ensure_ascii=False) + "\n"
    _golden(path.with_suffix(".json"), text)


def test_a_program_of_definitions_runs_nothing() -> None:
    found = outlines(check("let happy = smile=1"))
    assert text_of(plan_lines(found)) == "nothing to run\n"


def test_there_are_programs_to_print() -> None:
    assert len(PROGRAMS) >= 2


def _term(condition: str, before: str = "", clauses: str = "") -> Term:
    program = check(f"{before}\nsample from ffhq where {condition} {clauses}")
    (outline,) = outlines(program)
    root = outline.trees[0].root
    assert root is not None
    return root


def test_terms_know_the_definitions_that_they_were_written_as() -> None:
    before = "let old = age > 60  let grandpa = gender=male and old  def both(a, b) = a and b"
    root = _term("grandpa and smile=1 and both(beard=1, old)", before)
    assert [term.predicate.via for term in root.terms] == [
        ("grandpa",),
        ("grandpa", "old"),
        (),
        ("both",),
        ("both", "old"),
    ]
    assert _term("old", before).predicate.via == ("old",)


def test_the_temperature_in_force_is_shown() -> None:
    root = _term("smile=1 and glasses=1 [temp 2] and age > 60", clauses="temp 0.5")
    assert [term.temp for term in root.terms] == [0.5, 2.0, None]
    root = _term("smile=1 and glasses=1 [temp 2] and smile ~ 0.5", clauses="temp logit(0.5)")
    assert [term.logit_temp for term in root.terms] == [0.5, None, 0.5]
    assert [term.formula for term in root.terms] == [
        "−f / 0.5 + log Σ e^f",
        "−log p / 2",
        "KL(0.5 ‖ p) / 0.5",
    ]


@pytest.mark.parametrize(
    ("condition", "rewritten", "text"),
    [
        ("smile=1 and glasses=1", False, "smile=1 and glasses=1"),
        ("(smile=1 and glasses=1) [weight 2]", False, "smile=1 and glasses=1"),
        ("smile=1 and glasses=1 [weight 2]", False, "smile=1 and glasses=1 [weight 2]"),
        ("smile=1 xor glasses=1", True, "smile=1 xor glasses=1"),
        ("(smile=1 xor glasses=1) [weight 2, temp 3]", True, "smile=1 xor glasses=1"),
        ("yaw in {left, right}", True, "yaw in {left, right}"),
        ("yaw != left", True, "yaw != left"),
        ("(not smile=1) [temp 2]", False, "not smile=1"),
        ("smile=1 [weight 2]", False, "smile=1"),
    ],
)
def test_texts_are_as_written_without_settings(condition: str, rewritten: bool, text: str) -> None:
    term = _term(condition)
    assert (bool(term.terms and term.predicate.written), term.text) == (rewritten, text)


def test_an_arm_denied_twice_counts_its_own_arms() -> None:
    root = _term("smile=1 or not not (glasses=1 or beard=1)")
    assert [term.odds for term in root.terms] == pytest.approx([1 / 3, 2 / 3])


def test_outlines_need_neither_torch_nor_numpy_nor_rich() -> None:
    code = (
        "import sys\n"
        "from lacelang.cli.main import main\n"
        f"assert main(['explain', {str(PROGRAMS[0])!r}]) == 0\n"
        "heavy = {'torch', 'numpy', 'openvino', 'PIL', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr

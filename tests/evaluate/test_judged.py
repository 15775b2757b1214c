"""Groups are judged by the annotators of their model."""

from __future__ import annotations

import pytest

import lacelang
from lacelang.evaluate.judged import judge_groups
from lacelang.progress import Silent

MODEL = """
model rooms {
  generator mobilestylegan from "tiny==1" sha256 "%s"
  classifiers "rooms.safetensors" on w
  attribute windows : binary
}
""" % ("0" * 64)


def test_what_no_annotator_judges_is_refused_before_sampling() -> None:
    program = lacelang.compile(f"{MODEL}sample 2 from rooms where windows=1 as bright")
    with pytest.raises(lacelang.UsageError, match="no annotator sees `windows` in an image"):
        judge_groups(program, Silent())

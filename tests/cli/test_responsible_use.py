"""What is said of photographs where people read it: in the help, the pages and the programs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lacelang.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def test_the_help_of_run_says_what_becomes_of_photographs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "stays on this machine" in said
    assert "only who agree to it" in said
    assert "composite" in said


@pytest.mark.parametrize(
    "page", ["README.md", "docs/photos.md", "docs/responsible_use.md", "programs/my_photo.lace"]
)
def test_pages_say_that_people_are_to_agree(page: str) -> None:
    said = re.sub(r"[\s#]+", " ", (ROOT / page).read_text(encoding="utf-8"))
    assert re.search(r"people[^.]{0,30}(who|who have) agree", said)

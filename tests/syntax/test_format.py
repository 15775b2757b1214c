from __future__ import annotations

from pathlib import Path

import pytest

from lacelang.errors import ProgramError
from lacelang.syntax.format import format_source

ROOT = Path(__file__).parent.parent.parent
SHIPPED = sorted([*ROOT.glob("stdlib/*.lace"), *ROOT.glob("programs/*.lace")])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_programs_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_source(text) == text


UNTIDY = """


# top
sample   8 from ffhq where(smile = 1 or not glasses=1)and yaw>10 deg seed 3
sample from ffhq
  where a=1 # why
  # and now
  seed 4



edit men {yaw=left
  smile=0  # no
}as "x" stay .04
edit men { yaw=left smile=0 }
for t in 2,1 {
  sample from ffhq as "a {t}"
  # done
}
for t in 1 {}
let limit=10 deg
def f( a,b )=a xor b
expect a!=1 in 95 % of men
model m{generator g from "a==1" classifiers "c" on w attribute a:binary
attribute long:one of x,y layers 1 .. 2,3 # note
attribute q: -4..4 deg layers 0 {l=-1,r=2}
}
# end
"""

TIDY = """\
# top
sample 8 from ffhq where (smile=1 or not glasses=1) and yaw > 10 deg seed 3
sample from ffhq
  where a=1  # why
  # and now
  seed 4

edit men {
  yaw = left
  smile = 0  # no
} as "x" stay .04
edit men { yaw = left smile = 0 }
for t in 2, 1 {
  sample from ffhq as "a {t}"
  # done
}
for t in 1 {}
let limit = 10 deg
def f(a, b) = a xor b
expect a != 1 in 95% of men
model m {
  generator g from "a==1"
  classifiers "c" on w
  attribute a    : binary
  attribute long : one of x, y  layers 1..2, 3  # note
  attribute q    : -4..4 deg    layers 0  { l = -1, r = 2 }
}
# end
"""


def test_layout() -> None:
    assert format_source(UNTIDY) == TIDY
    assert format_source(TIDY) == TIDY


def test_long_conditions_break_before_their_loosest_operators() -> None:
    atoms = [f"attribute_number_{i}=1" for i in range(6)]
    joined = " or ".join(f"({atoms[i]} and {atoms[i + 1]} and {atoms[i + 2]})" for i in range(3))
    assert format_source(f"sample from ffhq where {joined}") == (
        "sample from ffhq\n"
        "  where (attribute_number_0=1 and attribute_number_1=1 and attribute_number_2=1)\n"
        "    or (attribute_number_1=1 and attribute_number_2=1 and attribute_number_3=1)\n"
        "    or (attribute_number_2=1 and attribute_number_3=1 and attribute_number_4=1)\n"
    )


def test_even_a_line_of_nothing_but_nots_is_broken() -> None:
    nots = " ".join(["not"] * 30)
    for condition in ("smile=1 [temp logit(2)]", "(smile=1 or glasses=1)", "f(smile=1, glasses=1)"):
        formatted = format_source(f"sample from ffhq where {nots} {condition}")
        assert max(map(len, formatted.split("\n"))) <= 100
        assert format_source(formatted) == formatted
        written = f"sample from ffhq where {nots} {condition}"
        assert "".join(formatted.split()) == "".join(written.split())


def test_a_comment_too_long_for_its_line_goes_above_it() -> None:
    comment = "# " + "w" * 80
    assert format_source(f"sample from ffhq where smile=1 {comment}\n") == (
        f"{comment}\nsample from ffhq where smile=1\n"
    )


def test_nothing_is_formatted_to_nothing() -> None:
    assert format_source("") == ""
    assert format_source("\n\n") == ""
    assert format_source("# a\n\n\n\n# b") == "# a\n\n# b\n"


def test_a_wrong_program_is_left_alone() -> None:
    with pytest.raises(ProgramError):
        format_source("sample from")

"""A text that is read piece by piece says what it says when it is read as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang.syntax import nodes
from lacelang.syntax.parser import Parsed, read
from lacelang.syntax.pieces import SHORT, read_in_pieces

BLOCK = """\
# Block {n}.
let grandpa_{n} = gender=male and age in 60..70 and haircolor=gray
def both_{n}(a, b) = a and not b
sample 8 from ffhq
  where grandpa_{n} and (smile=1 [weight 2] or glasses=1)  # so {{ it is
  as men_{n}

edit men_{n} {{
  yaw = left
  smile = 0
}} stay 0.04 as edited_{n}
for t in 1, 2 {{
  sample from ffhq where both_{n}(smile=1, age > 10) seed t as "{n} at {{t}}"
}}

"""
TEXT = "import faces\n" + "".join(BLOCK.format(n=n) for n in range(12))
BAD = sorted((Path(__file__).resolve().parents[1] / "bad").glob("*.lace"))
TYPED = [
    "", " ", "\n", "\r\n", "{", "}", "(", ")", '"', "#", "sample", "sample 4 frm ffhq", " and",
    "let x = ", " smile == 1 && glasses", "=", "1", "any(smile, glasses)", "import logic\n", "’",
    "edit men_1 {", "}\n}\n", " either", "select * from ffhq where smile", "age > 10 and < 20",
]  # fmt: skip


def everything(parsed: Parsed) -> tuple[Any, ...]:
    def placed(node: nodes.Node) -> Any:
        return type(node), node.span, tuple(map(placed, node.parts))

    # What a notation needs is imported above the text, in whatever order.
    imports = {placed(s) for s in parsed.program.statements if isinstance(s, nodes.Import)}
    others = [s for s in parsed.program.statements if not isinstance(s, nodes.Import)]
    tree = imports, tuple(map(placed, others)), tuple(others)
    said = tuple((p, p.fix, p.source) for p in parsed.problems)
    return tree, said, set(parsed.error_spans), len(parsed.tokens.tokens)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(TEXT)), st.integers(0, 30), st.sampled_from(TYPED)),
        min_size=1,
        max_size=3,
    )
)
def test_edits(edits: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for at, cut, new in edits:
        text = text[:at] + new + text[at + cut :]
    assert len(text) > SHORT
    assert everything(read_in_pieces(text, "a.lace")) == everything(read(text, "a.lace"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_wrong_programs_amid_right_ones(path: Path) -> None:
    wrong = path.read_text(encoding="utf-8")
    if len(wrong) > 20_000:
        return
    half = TEXT.index("# Block 6")
    text = f"{TEXT[:half]}{wrong}\n{TEXT[half:]}"
    assert everything(read_in_pieces(text)) == everything(read(text))

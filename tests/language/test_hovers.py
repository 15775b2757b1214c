"""What is said of the word at a place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lacelang.annotators import ANNOTATORS
from lacelang.language.document import Document
from lacelang.language.hover import hover
from lacelang.language.prior import distribution
from lacelang.language.words import WORDS
from lacelang.samplers import SAMPLERS
from lacelang.semantics.check import check
from lacelang.semantics.codes import CODES
from lacelang.semantics.modules import library_models

PROGRAM = """\
import faces
let older = grandpa or age > 60  # see LACE104
def both(a, b) = a and b
sample 4 from ffhq where both(older, yaw=left) and haircolor=gray
  with heun(tolerance=1e-3) as men
"""


def said(text: str, needle: str, at: int = 0) -> str:
    document = Document(text)
    found = hover(document, document.places.position(text.index(needle) + at))
    return "" if found is None else found.markdown


@pytest.mark.parametrize("word", sorted(WORDS))
def test_words_have_an_example_that_uses_them(word: str) -> None:
    example = WORDS[word].example
    assert f"{example}\n```" in said(example, f"{word}")
    check(example)
    assert word in re.findall(r"\w+", example)


def test_an_attribute_has_its_values_layers_and_spread() -> None:
    text = said(PROGRAM, "yaw")
    assert "-45..45 deg (left = -25, front = 0, right = 25)" in text
    assert "layers that an edit replaces: 0..5" in text
    assert "draws from the prior (2nd, 50th and 98th percentile: -27, 0.491, 29.7 deg)" in text
    assert "▂▂▂▂▂▂▃▃▄▅▇███▆▄▃▃▂▂▂▂▂▂" in text
    assert "54.8%  brown" in said(PROGRAM, "haircolor")


def test_names_say_what_they_refer_to() -> None:
    assert "gender=male and age > 60 and haircolor=gray" in said(PROGRAM, "grandpa")
    assert "def both(a, b) = a and b" in said(PROGRAM, "both(older")
    assert "parameter of `both`" in said(PROGRAM, "a and b")
    assert "value of `yaw` of `ffhq`: -25 deg" in said(PROGRAM, "left")
    assert "group of samples, of `ffhq`" in said(PROGRAM, "men")
    assert "`toddler`, `child`" in said(PROGRAM, "faces")
    assert "mobilestylegan" in said(PROGRAM, "ffhq")
    assert SAMPLERS["heun"].doc in said(PROGRAM, "heun")
    assert "from 1e-09 to 1, default 0.001" in said(PROGRAM, "tolerance")
    assert CODES["LACE104"] in said(PROGRAM, "LACE104")


def test_an_error_comes_with_what_its_code_means() -> None:
    assert f"**LACE104** {CODES['LACE104']}" in said("sample from ffhq where smile=2", "2")


def test_a_statement_that_cannot_be_read_keeps_its_names() -> None:
    assert "binary attribute" in said("sample from ffhq where smile=1 and and glasses=1", "glasses")


def test_a_comment_behind_an_attribute_says_what_it_is(tmp_path: Path) -> None:
    text = (
        '# Cats.\nmodel cats {\n  generator mobilestylegan from "w.safetensors"\n'
        '  classifiers "cats.safetensors" on w\n  attribute fur : 0..1  # how long, ![x](http://x)\n'
        "}\nsample from cats where fur > 0.5\n"
    )
    found = said(text, "fur > 0.5")
    # In a block of code, where nothing is fetched.
    assert "```text\nhow long, ![x](http://x)\n```" in found
    assert "```text\nCats.\n```" in said(text, "cats where")


def test_nothing_of_a_program_is_taken_for_markup() -> None:
    text = 'sample 4 from ffhq as "``` ![x](http://x)"'
    found = said(text, "![x]")
    assert found.startswith("**```` ``` ![x](http://x) ````**")


@pytest.mark.parametrize("model", sorted(library_models()))
def test_the_prior_is_known_where_annotators_have_labelled_it(model: str) -> None:
    spec = library_models()[model]
    seen = {name for one in ANNOTATORS.values() for name in one.attributes}
    for attribute in spec.declared:
        found = distribution(spec, attribute)
        if model in ("ffhq", "digiface", "digits", "eyes"):
            assert attribute.name in seen
            assert found is not None
            assert sum(found.shares) == pytest.approx(1)
            assert len(found.sparkline) == len(found.shares)
            assert "█" in found.sparkline


def test_labels_that_are_none_are_passed_over(tmp_path: Path) -> None:
    declared = (
        'model cats {\n  generator mobilestylegan from "w.safetensors"\n'
        '  classifiers "cats.safetensors" on w\n  attribute fur : 0..1\n}\n'
    )
    (tmp_path / "cats.labels.safetensors").write_bytes(b"\xff" * 100)
    document = Document(declared + "sample from cats where fur > 0.5", tmp_path / "a.lace")
    found = hover(document, document.places.position(len(document.text) - 6))
    assert found is not None
    assert "prior" not in found.markdown

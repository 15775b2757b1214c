"""What is offered at a place of a file; the prompt's own tests hold what is offered everywhere."""

from __future__ import annotations

import pytest

from lacelang.language.completion import completions
from lacelang.language.document import Document
from lacelang.language.words import WORDS
from lacelang.semantics.clauses import ALLOWED
from lacelang.semantics.modules import library_models, shipped_files
from lacelang.syntax.grammar import keywords

PROGRAM = """\
let old = age > 60
def both(a, b) = a and b
sample 4 from ffhq where old as men
"""


def offered(text: str) -> dict[str, str]:
    """What is offered at the `|` of a text, with the kind of each."""
    before, _, after = text.partition("|")
    document = Document(before + after)
    found = completions(document, document.places.position(len(before)))
    return {offer.word: offer.kind for offer in found.offers}


def test_names_of_the_file_wherever_they_stand() -> None:
    found = offered("sample from ffhq where | as x\n" + PROGRAM)
    assert found["old"] == found["both"] == "definition"
    assert found["smile"] == "attribute"


@pytest.mark.parametrize("statement", ALLOWED)
def test_clauses_that_the_statement_has_and_has_not_yet(statement: str) -> None:
    begun = {
        "sample": "sample 4 from ffhq ",
        "photo": 'photo "a.jpg" from ffhq ',
        "edit": PROGRAM + "edit men { smile=1 } from ffhq ",
        "pick": PROGRAM + "pick 1 of men ",
        "measure": "measure smile=1 from ffhq ",
    }[statement]
    clauses = {word for word, kind in offered(f"{begun}|").items() if kind == "clause"}
    assert clauses == set(ALLOWED[statement]) - {"from"}


def test_a_broken_statement_hides_no_name() -> None:
    found = offered("import faces\nlet broken = and\n" + PROGRAM + "edit men { yaw = | ")
    assert {"left", "front", "right"} <= set(found)
    assert found["left"] == "value"
    assert "grandpa" in offered("import faces\nlet broken = and\nsample from ffhq where |")


def test_the_model_may_be_named_behind_the_cursor() -> None:
    assert "digit" in offered(PROGRAM + "sample 4 where | from digits")
    assert "digit" in offered(PROGRAM + 'edit "w.npy" { | } from digits')


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("def both(one, other) = |", "other"),
        ("for who in female, male { sample from ffhq where gender=|", "who"),
        ("for t in 1, 2 { for u in 3, 4 { sample from ffhq where age > 1 and | } }", "t"),
    ],
)
def test_parameters_and_loop_variables(text: str, word: str) -> None:
    assert offered(text)[word] == "variable"


def test_a_loop_that_is_closed_binds_nothing() -> None:
    text = 'for who in female, male { sample from ffhq where gender=who as "{who}" }\n'
    assert "who" not in offered(text + "sample from ffhq where gender=|")


@pytest.mark.parametrize("text", ["# sample fr|", 'import "fa|', "sample from ffhq # wh|"])
def test_nothing_in_comments_and_texts(text: str) -> None:
    assert not offered(text)


def test_kinds() -> None:
    assert offered("sample from |") == dict.fromkeys(library_models(), "model")
    assert offered("import |") == dict.fromkeys(shipped_files(), "module")
    assert offered("sample from ffhq with |")["heun"] == "sampler"
    assert offered("sample from ffhq with heun(|")["tolerance"] == "option"
    assert offered("|")["sample"] == "statement"
    assert offered("sample from ffhq |")["where"] == "clause"
    assert offered("sample from ffhq where haircolor = each {bl|")["blond"] == "value"


def test_what_is_replaced_is_the_word_before() -> None:
    document = Document("sample from ffhq where 𝔁 and gla")
    found = completions(document, document.places.position(len(document.text)))
    assert [offer.word for offer in found.offers] == ["glasses"]
    assert document.places.offsets(found.span) == (29, 32)


def test_every_word_of_the_grammar_is_explained_and_offered_somewhere() -> None:
    assert WORDS.keys() == keywords()
    seen: set[str] = set()
    for said in WORDS.values():
        text = said.example
        document = Document(text)
        for token in document.tokens:
            here = document.places.position(token.start_pos or 0)
            seen |= {offer.word for offer in completions(document, here).offers}
    assert keywords() <= seen

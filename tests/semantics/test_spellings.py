"""Names of every kind are found under every spelling that Unicode holds for the same."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "syntax"))

from written_names import BAD_WORDS, WORDS, identifiers, spellings

from lacelang import ir
from lacelang.errors import ProgramError
from lacelang.explain.outline import outlines
from lacelang.semantics.check import check
from lacelang.text.names import folded, nfc

_FAST = settings(max_examples=40, deadline=None)

PROGRAM = """
model {model} {{
  generator mobilestylegan from "weights==1"
    sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  classifiers "heads.safetensors" on w
  attribute {binary} : binary
  attribute {choice} : one of {value}, other, third
  attribute {measured} : 0..70 years {{ {point} = 10 }}
}}
let {let} = {binary}=1 or {choice}={value}
def {def_}({parameter}) = {parameter} and {measured} > {point}
for {loop} in 1, 2 {{
  sample {loop} from {model} where {def_}({let}) temp {loop} as "{text} {{{loop}}}"
}}
sample 2 from {model} where not {let} as {group}
edit {group} {{ {binary} = 1 }} as "{text}"
measure {let} given {choice} in {{{value}, other}} from {model} as {measure}
"""

KINDS = [
    "model",
    "binary",
    "choice",
    "value",
    "measured",
    "point",
    "let",
    "def_",
    "parameter",
    "loop",
    "text",
    "group",
    "measure",
]


class _Respelled(dict[str, str]):
    """Names by kind, each time in another spelling."""

    def __init__(self, data: st.DataObject, names: dict[str, str]) -> None:
        super().__init__(names)
        self.data = data

    def __getitem__(self, kind: str) -> str:
        return self.data.draw(spellings(super().__getitem__(kind)))


def _different(names: list[str]) -> bool:
    return len({folded(name) for name in names}) == len(names)


_NAMES = st.lists(identifiers(), min_size=len(KINDS), max_size=len(KINDS)).filter(_different)


@_FAST
@given(_NAMES, st.data())
def test_every_kind_of_name_is_found_under_every_spelling(
    names: list[str], data: st.DataObject
) -> None:
    called = {kind: nfc(name) for kind, name in zip(KINDS, names, strict=True)}
    plain = check(PROGRAM.format_map(called))
    respelled = check(PROGRAM.format_map(_Respelled(data, called)))
    made = [s.name for s in respelled.statements if not isinstance(s, ir.ExpectStatement)]
    text, group, measure = (called[kind] for kind in ("text", "group", "measure"))
    assert made == [f"{text} 1", f"{text} 2", group, text, measure]
    assert [o.name for o in outlines(respelled)] == [o.name for o in outlines(plain)]
    (model,) = respelled.models
    assert model.name == called["model"]
    assert {a.name for a in model.attributes} == {
        called[kind] for kind in ("binary", "choice", "measured")
    }
    assert respelled.warnings == ()


def _codes(source: str) -> list[str]:
    with pytest.raises(ProgramError) as caught:
        check(source)
    return [found.code for found in caught.value.diagnostics]


@_FAST
@given(identifiers(), st.data())
def test_two_spellings_of_a_name_are_one_name(name: str, data: st.DataObject) -> None:
    one, two = data.draw(spellings(name)), data.draw(spellings(name))
    assert _codes(f"let {one} = age > 60\nlet {two} = age > 50") == ["LACE110"]
    assert _codes(f"def f({one}, {two}) = {one}") == ["LACE110"]
    assert _codes(f'sample from ffhq as {one}\nsample from ffhq as "{two}"') == ["LACE111"]
    loop = f'for {one} in "{one}", "{two}" {{ sample from ffhq as "{{{two}}}" }}'
    assert _codes(loop) == ["LACE111"]


@pytest.mark.parametrize("word", WORDS)
def test_a_slip_is_told_in_the_right_spelling(word: str) -> None:
    known = unicodedata.normalize("NFD", f"{word}abc")
    with pytest.raises(ProgramError) as caught:
        check(f"let {known} = age > 60\nsample from ffhq where {word}abcd")
    (problem,) = caught.value.diagnostics
    assert problem.hint == f"did you mean `{nfc(known)}`?"


@pytest.mark.parametrize("word", BAD_WORDS)
@pytest.mark.parametrize(
    "program",
    [
        "let {} = age > 60\nsample from ffhq where smile=1",
        "def {}(a) = a",
        "def f(a, {}) = a",
        "for {} in 1 {{ sample from ffhq }}",
        "sample from ffhq as {}",
        "sample from ffhq where smile=1 or {}",
        "sample from ffhq where {}=1",
        "sample from ffhq where haircolor={}",
        "sample from {}",
        "import {}",
        "sample from ffhq as a edit {} {{ smile=1 }}",
    ],
)
def test_a_bad_name_has_one_complaint_wherever_it_stands(program: str, word: str) -> None:
    assert _codes(program.format(word)) == ["LACE001"]


@pytest.mark.parametrize("text", ["x²", "בן־אדם", "👩\u200d👧"], ids=ascii)
def test_in_quotes_a_group_is_called_anything_that_is_seen(text: str) -> None:
    (statement,) = check(f'sample from ffhq as "{text}"').statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.name == text


def test_the_hole_of_a_name_may_join_what_stands_around_it() -> None:
    (statement,) = check('for t in e { sample from ffhq as "{t}\u0301" }').statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.name == "é"


@pytest.mark.parametrize(("written", "there"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_file_is_found_under_either_spelling(written: str, there: str, tmp_path: Path) -> None:
    folder = tmp_path / unicodedata.normalize(there, "été")
    folder.mkdir()
    (folder / unicodedata.normalize(there, "bücher.lace")).write_text("let old = age > 60")
    target = unicodedata.normalize(written, "été/bücher.lace")
    source = f'import "{target}"\nsample from ffhq where old'
    assert check(source, tmp_path / "p.lace", pedantic=True).warnings == ()

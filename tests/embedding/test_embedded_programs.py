"""Programs made in Python: printed, checked, and the same as those that somebody writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from conditions import Pair, pairs
from hypothesis import given, settings

import lacelang
from lacelang import LaceError, Program, UsageError, attr, condition, ir, sampling
from lacelang.errors import ProgramError
from lacelang.syntax.format import format_source

wanted = (attr("glasses") == 1) & (attr("age") > 60)


def statement(program: Program) -> ir.SampleStatement:
    (found,) = program.samples
    return found


def test_a_program_without_text_is_the_one_that_text_makes() -> None:
    made = sampling(
        "ffhq",
        wanted,
        count=16,
        name="kids",
        seed=124,
        truncation=0.5,
        temp=0.5,
        sampler="langevin",
        options={"preset": "paper", "steps": 50},
        contrast=0.2,
        disjunction="balanced",
        sigma="paper",
    )
    text = """\
sample 16 from ffhq
  where glasses=1 and age > 60
  temp 0.5
  truncation 0.5
  seed 124
  with langevin(preset=paper, steps=50)
  negation contrast(0.2)
  disjunction balanced
  sigma paper
  as kids
"""
    assert made.source == text
    assert statement(made) == statement(lacelang.compile(text))


def test_what_is_left_out_has_the_language_s_defaults() -> None:
    made = sampling("ffhq")
    assert made.source == "sample from ffhq\n"
    assert statement(made) == statement(lacelang.compile("sample from ffhq"))
    logit = sampling("ffhq", "smile=1", logit_temp=2)
    assert statement(logit).options.logit_temp == 2


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_programs_of_conditions_are_those_of_their_texts(pair: Pair) -> None:
    made, text = pair
    program = sampling("ffhq", made, seed=1)
    assert statement(program) == statement(sampling("ffhq", text, seed=1))
    assert format_source(program.source) == program.source
    named = lacelang.compile("sample from ffhq where it seed 1", definitions={"it": made})
    assert statement(named).where == statement(program).where


def test_what_python_builds_is_not_read_from_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from lacelang.semantics import modules
    from lacelang.syntax import parser

    texts: list[str] = []
    read = parser.read

    def spy(source: str, path: str | None = None) -> parser.Parsed:
        texts.append(source)
        return read(source, path)

    monkeypatch.setattr(parser, "read", spy)
    monkeypatch.setattr(modules, "read", spy)
    begin = modules.Library.__init__

    def spied(self: modules.Library, report: object, opened: object = None, _: object = None):
        begin(self, report, opened, spy)

    monkeypatch.setattr(modules.Library, "__init__", spied)
    sampling("ffhq", wanted, count=2, sampler="heun", options={"tolerance": 1e-2})
    lacelang.compile("sample from ffhq where it", definitions={"it": wanted})
    assert not [text for text in texts if "glasses=1 and" in text]
    # What there is to say of it is shown in its text.
    assert sampling("ffhq", wanted & (attr("age") < 20)).warnings[0].span.line == 2
    assert [text for text in texts if "glasses=1 and" in text]


def test_definitions_stand_for_conditions_texts_and_numbers() -> None:
    source = "sample from ffhq where wanted or young and age > least as g"
    program = lacelang.compile(
        source, definitions={"wanted": wanted, "young": "age < teenager", "least": 5}
    )
    assert program.source.startswith(f"{source}\n")
    by_hand = lacelang.compile(
        "let wanted = glasses=1 and age > 60  let young = age < teenager  let least = 5\n" + source
    )
    assert statement(program) == evolve(statement(by_hand), span=statement(program).span)
    # What is kept beside the samples makes the same program again, without Python.
    assert statement(lacelang.compile(program.source)) == statement(program)
    assert lacelang.compile(source.replace("wanted or young and age > least", "smile=1"))
    assert lacelang.compile("sample from ffhq", definitions={}).source == "sample from ffhq"


def test_mistakes_are_shown_in_the_printed_text() -> None:
    with pytest.raises(ProgramError) as caught:
        sampling("ffhq", (attr("glases") == 1) & (attr("age") > 600))
    first, second = caught.value.diagnostics
    assert first.source == "sample from ffhq\n  where glases=1 and age > 600\n"
    assert (first.code, first.span.line, first.hint) == ("LACE102", 2, "did you mean `glasses`?")
    assert second.code == "LACE203"
    # Below the program, whose own lines keep their numbers.
    source = "sample from ffhq where it\nsample from ffhq where smil=1"
    with pytest.raises(ProgramError) as caught:
        lacelang.compile(source, definitions={"it": attr("glases") == 1})
    lines = {d.span.line: d for d in caught.value.diagnostics}
    assert set(lines) == {2, 5}
    assert lines[5].source.split("\n")[4] == "let it = glases=1"


def test_a_program_with_syntax_errors_still_has_its_own_complaints() -> None:
    with pytest.raises(ProgramError) as caught:
        lacelang.compile("sample from ffhq where (it", definitions={"it": wanted})
    assert [d.code for d in caught.value.diagnostics] == ["LACE004"]
    with pytest.raises(ProgramError) as caught:
        lacelang.compile("let it = smile=1", definitions={"it": wanted})
    assert [d.code for d in caught.value.diagnostics] == ["LACE110"]


def test_imports(tmp_path: Path) -> None:
    (tmp_path / "people.lace").write_text("let scholar = glasses=1 and age > 60")
    program = sampling(
        "ffhq", "scholar", imports=["people.lace"], path=tmp_path / "program.lace", count=2
    )
    where = statement(program).where
    assert where == statement(sampling("ffhq", wanted, count=2)).where
    assert where is not None
    logic = sampling("ffhq", condition("exactly_one(smile=1, glasses=1)"), imports=["logic"])
    assert isinstance(statement(logic).where, ir.Predicate)


@pytest.mark.parametrize("name", ["kids", "a b", "in", "2nd", "faces of 60"])
def test_groups_may_have_any_name_that_text_can_give(name: str) -> None:
    assert sampling("ffhq", name=name).groups == (name,)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: sampling("ffhq sample"), "the name of a model"),
        (lambda: sampling("ffhq", name='a"b'), "the name of a group"),
        (lambda: sampling("ffhq", name="a\nb"), "the name of a group"),
        (lambda: sampling("ffhq", count="many"), "`count` is a number"),
        (lambda: sampling("ffhq", count=2.5), "LACE205"),
        (lambda: sampling("ffhq", seed=-1), "LACE205"),
        (lambda: sampling("ffhq", temp=1, logit_temp=1), "two forms"),
        (lambda: sampling("ffhq", options={"tolerance": 1}), "name it"),
        (lambda: sampling("ffhq", sampler="heun", options={"tolerance": 5}), "LACE211"),
        (lambda: sampling("ffhq", sampler="huen"), "LACE106"),
        (lambda: sampling("ffhq", sampler="heun(tolerance=1)"), "the name of a sampler"),
        (lambda: sampling("ffhq", sampler="heun", options={"a b": 1}), "the name of an option"),
        (lambda: sampling("ffhq", disjunction="even"), "LACE109"),
        (lambda: sampling("ffhq", wanted, sigma="paper seed 3"), "`sigma` says"),
        (lambda: sampling("ffhq", 3), "the text of a condition"),
        (lambda: sampling("ffhq", imports=["no_such"]), "LACE114"),
        (lambda: sampling("ffhq", imports=['a"b']), "a module or a file"),
        (lambda: lacelang.compile("sample from ffhq", definitions={"a b": 1}), "of a definition"),
        (lambda: lacelang.compile("sample from ffhq", definitions={"let": 1}), "word of the"),
        (lambda: lacelang.compile("sample from ffhq", definitions={"a": None}), "not None"),
        (lambda: lacelang.compile("sample from ffhq", definitions={"a": "b="}), "LACE012"),
        (lambda: lacelang.compile(3), "text, not int"),
    ],
)
def test_wrong_arguments_are_named(wrong: Callable[[], object], said: str) -> None:
    with pytest.raises(LaceError, match=said):
        wrong()


def test_no_condition_has_no_energy() -> None:
    with pytest.raises(UsageError, match="no group"):
        sampling("ffhq", wanted, name="a").energy("b")

from __future__ import annotations

from typing import get_args

import pytest
from lace_programs import larks_own

from lacelang.errors import ProgramError, Span
from lacelang.semantics.clauses import ALLOWED
from lacelang.syntax import nodes
from lacelang.syntax.grammar import CLAUSES, keywords, loaded
from lacelang.syntax.hints import _WHEN, TABLE, Rule
from lacelang.syntax.nodes import (
    And,
    Comparison,
    FromClause,
    Implies,
    Not,
    Or,
    Parenthesis,
    PredicateClause,
    Quantity,
    Reference,
    Sample,
    Setting,
    TempClause,
    Tuned,
    Word,
    Xor,
)
from lacelang.syntax.parse_error import TokenReader
from lacelang.syntax.parser import parse, read

S = Span(1, 1, 1, 1)  # spans take no part in equality


def _word(name: str) -> Word:
    return Word(name, span=S)


def _is(name: str, text: str) -> Comparison:
    return Comparison(_word(name), "=", Quantity(text, span=S), span=S)


def _where(condition: str) -> nodes.Predicate:
    (statement,) = parse(f"sample from ffhq where {condition}").statements
    assert isinstance(statement, Sample)
    (clause,) = (c for c in statement.clauses if isinstance(c, PredicateClause))
    return clause.predicate


def _ref(name: str) -> Reference:
    return Reference(_word(name), span=S)


def test_the_sentence_parses_to_the_letter() -> None:
    source = "sample from ffhq where (glasses=1 or yaw=front) and not smile=1 temp 0.5"
    front = Comparison(_word("yaw"), "=", _word("front"), span=S)
    either = Parenthesis(Or((_is("glasses", "1"), front), span=S), span=S)
    where = And((either, Not(_is("smile", "1"), span=S)), span=S)
    expected = Sample(
        None,
        (
            FromClause(_word("ffhq"), span=S),
            PredicateClause("where", where, span=S),
            # `temp` without brackets is a clause of the statement, not of the last condition.
            TempClause(Setting("temp", Quantity("0.5", span=S), span=S), span=S),
        ),
        span=S,
    )
    assert parse(source).statements == (expected,)


def test_precedence_from_the_tightest() -> None:
    a, b, c, d, e, f = map(_ref, "abcdef")
    assert _where("not a and b xor c or d implies e implies f") == Implies(
        (Or((Xor((And((Not(a, span=S), b), span=S), c), span=S), d), span=S), e, f), span=S
    )
    assert _where("a or b or c") == Or((a, b, c), span=S)
    assert _where("not not a") == Not(Not(a, span=S), span=S)


def test_brackets_bind_to_the_atom_or_group_before_them() -> None:
    weight = Setting("weight", Quantity("2", span=S), span=S)
    temp = Setting("temp", Quantity("0.3", span=S), span=S)
    tuned = Tuned(_is("smile", "1"), (weight, temp), span=S)
    expected = Parenthesis(Or((tuned, _is("glasses", "1")), span=S), span=S)
    assert _where("(smile=1 [weight 2, temp 0.3] or glasses=1)") == expected
    assert _where("not smile=1 [weight 2]") == Not(
        Tuned(_is("smile", "1"), (weight,), span=S), span=S
    )


def test_a_name_after_a_number_is_its_unit_unless_a_comparison_follows() -> None:
    (edit,) = parse("edit men { age = 15 years smile = 0 yaw = 10 glasses in {1} }").statements
    assert isinstance(edit, nodes.Edit)
    conditions = [step.predicate for step in edit.steps[:3]]
    units = [c.value.unit for c in conditions if isinstance(c, Comparison)]  # type: ignore
    assert units == [_word("years"), None, None]
    assert len(edit.steps) == 4


def test_two_conditions_side_by_side_are_two_steps_of_an_edit() -> None:
    (edit,) = parse(
        """edit men {
          smile=1 or glasses=1 in layers 0..5, 7  not beard=1
          yaw = left (a or b) [weight 2] age = 10 grandpa
          age = 10 years in layers all either(a, b) haircolor in {gray, red} smile = 1
        }"""
    ).statements
    assert isinstance(edit, nodes.Edit)
    kinds = [type(step.predicate).__name__ for step in edit.steps]
    assert kinds == [
        *["Or", "Not", "Comparison", "Tuned", "Comparison"],
        *["Reference", "Comparison", "Call", "InSet", "Comparison"],
    ]
    words = [step.layers and step.layers.word for step in edit.steps]
    assert [word.name for word in words if word] == ["all"]
    first = edit.steps[0].layers
    assert first is not None
    assert [(n.first.number, n.last and n.last.number) for n in first.layers] == [(0, 5), (7, None)]


def test_in_belongs_to_expect_before_a_percentage() -> None:
    (expect,) = parse("expect a and age = 15 years in 95% of men").statements
    assert isinstance(expect, nodes.Expect)
    assert expect.share.text == "95"
    assert parse("expect age in 1..2 in 9.5% of men").statements


@pytest.mark.parametrize(
    "source",
    [
        "",
        "# nothing but a comment",
        "\ufeffsample from ffhq",
        "sample from ffhq\r\n  where smile=1\r\n",
        "sample\nfrom\nffhq\nwhere\nsmile\n=\n1",
        "sample as men seed 3 from ffhq 	 where tête=1",
        'for t in 2, 1, left, "a b" { for u in t { sample t from ffhq } } sample from x',
        "sample from ffhq with heun(tolerance=1e-3, preset=paper) with langevin()",
        "def f() = a  def g(a, b) = a  let x = 10 deg  let y = f(a=1, 3 deg, -2, b)",
        'import faces import "a/b.lace"',
        "measure a=1 given b=2 from ffhq as m",
        "sample from ffhq where yaw in -10..10 and yaw in left..right and a in {b, 1, 2 deg}",
        'edit "a b" { a ~ 0.5 [temp logit(2)] } stay 0.04 hold 0.01 as c',
    ],
)
def test_programs_without_mistakes(source: str) -> None:
    assert read(source).problems == ()


@pytest.mark.parametrize("kind", [k for k in get_args(nodes.Statement) if k is not nodes.Model])
def test_examples_of_statements_are_programs(kind: type[nodes.Node]) -> None:
    (statement,) = parse(TABLE["examples"][kind.__name__.lower()]).statements
    assert isinstance(statement, kind)


def test_no_word_of_the_language_is_taken_for_another() -> None:
    written = {word for words in TABLE["synonyms"].values() for word in words.split()}
    assert not written & keywords()
    (problem,) = read("edit men { smile=1 } KEEP identity").problems
    assert problem.hint == "write `keep`"


def test_rules_of_hints_are_made_of_what_can_be_read() -> None:
    rows = [row for row in TABLE["rule"] if "shape" in row]
    assert {row["if"] for row in rows if "if" in row} == _WHEN.keys()
    for element in {k for row in rows for s in Rule(row).shapes for e in s for k in e.kinds}:
        assert TokenReader([], 0).read(element, 0) in (0, None)


def _first(symbol: str) -> set[str]:
    """The terminals that a rule can begin with."""
    heads = {rule.expansion[0] for rule in loaded().rules if rule.origin.name == symbol}
    return set().union(*({h.name} if h.is_term else _first(h.name) for h in heads))


def test_clauses_are_those_of_the_grammar() -> None:
    assert _first("clause") == CLAUSES == {word.upper() for word in set().union(*ALLOWED.values())}


def test_larks_own_parser_of_the_grammar_reads_the_same_language() -> None:
    lark = larks_own()
    lark.parse("edit men { age = 15 smile = 0 } expect a in 95% of men")


def test_spans_cover_what_was_written() -> None:
    source = "sample from ffhq\n  where (a=1 or\n b=2) [weight 2]"
    (statement,) = parse(source).statements
    assert statement.span == Span(1, 1, 3, 17)
    assert isinstance(statement, Sample)
    tuned = statement.clauses[1].predicate  # type: ignore[union-attr]
    assert tuned.span == Span(2, 9, 3, 17)
    assert tuned.term.inner.terms[1].span == Span(3, 2, 3, 5)


def test_one_mistake_does_not_hide_the_next() -> None:
    parsed = read(
        "sample 8 from ffhq where (smile=1 or\n"
        "let x = \n"
        "for t in 1, 2 {\n"
        "  sample from ffhq where a=1 b=2\n"
        "  sample from ffhq truncation as men\n"
        "}\n"
        "sample from ffhq where smile=1"
    )
    assert [p.span.line for p in parsed.problems] == [1, 2, 4, 5]
    assert isinstance(parsed.program.statements[-1], Sample)


def test_a_refused_token_leaves_what_was_read_as_it_was() -> None:
    parsed = read("sample from ffhq where smile=1)) and glasses=1")
    (meant,) = parse("sample from ffhq where smile=1 and glasses=1").statements
    assert parsed.program.statements == (meant,)
    assert len(parsed.problems) == 2


def test_what_is_mended_is_read_as_meant() -> None:
    parsed = read("sampel 8 form ffhq where smile==1 && glasses=1")
    (meant,) = parse("sample 8 from ffhq where smile=1 and glasses=1").statements
    assert parsed.program.statements == (meant,)
    assert len(parsed.problems) == 4


def test_the_error_carries_all_problems_with_their_source() -> None:
    with pytest.raises(ProgramError) as caught:
        parse("sample from\nsample from ffhq where", "some.lace")
    assert [d.path for d in caught.value.diagnostics] == ["some.lace"] * 2
    assert all(d.source.startswith("sample from") for d in caught.value.diagnostics)

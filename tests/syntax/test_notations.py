"""Notations of other tools: one diagnostic each, whose hint, put in its place, is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lace_programs import from_the_grammar

from lacelang.errors import Diagnostic, ProgramError
from lacelang.semantics.check import check, examine
from lacelang.syntax.lines import with_line_feeds
from lacelang.syntax.notations import search
from lacelang.syntax.notations.facts import facts_of
from lacelang.syntax.notations.reader import Reader
from lacelang.syntax.notations.search import mend
from lacelang.syntax.notations.table import NOTATIONS
from lacelang.syntax.parser import read
from lacelang.testing.programs import programs

_ROOT = Path(__file__).parents[2]
PROGRAMS = [p for folder in ("stdlib", "programs") for p in sorted((_ROOT / folder).glob("*.lace"))]

BAD = sorted((_ROOT / "tests" / "bad").glob("*.lace"))

CONTEXTS = {
    "alone": "sample from ffhq where {}",
    "left": "sample 4 from ffhq where {} and gender=male seed 3",
    "right": "sample from ffhq where gender=male and {} as men",
    "or": "sample from ffhq where pitch > 5 or {}\n  temp 0.5",
    "nested": "sample from ffhq where not (gender=male and ({}))",
    "twice nested": "sample from ffhq where ((({})) or gender=male)",
    "let": "let x = {}\nsample from ffhq where x",
    "def": "def f(a) = a and {}\nsample from ffhq where f(gender=male)",
    "edit": "sample from ffhq as men\nedit men {{ {} }}",
    "line of an edit": "sample from ffhq as m\nedit m {{\n  pitch = up\n  {}\n  gender = male\n}}",
    "measure": "measure {} from ffhq",
    "denied": "sample from ffhq where gender=male and not ({})",
    "implied": "sample from ffhq where ({}) implies gender=male",
    "implying": "sample from ffhq where (gender=male implies ({}))",
    "either": "sample from ffhq where ({}) xor gender=male",
}
"""Programs with a gap for a condition."""

# In each, {a} and {b} are conditions, {x} a yes-or-no attribute, {n} a weight.
WEIGHTS = [
    "({a}:{n})",
    "({a} : {n})",
    "({a}){n}",
    "({a}) {n}",
    "({a} and {b}:{n})",
    "({a} and {b}){n}",
    "({a} or {b})++",
    "({a} or {b})-",
    "({a})+",
    "({a})[{n}]",
    "[{a}]",
    "[[{a}]]",
    "[{a}:0.5]",
    "{a}:{n}",
    "{a} :{n}",
    "{a}::{n}",
    "{a} :: {n}",
    "{a}++",
    "{a}+++",
    "{a}--",
    "{x}++",
    "({x}:1.3)",
    "{a}@{n}",
    "{a} {{{n}}}",
    "{a} [{n}]",
    "very {a}",
]
COUNTS = [
    "at least 2 of ({a}, {b}, {c})",
    "at least two of {a}, {b}, {c}",
    "at least one of ({a}, {b})",
    "at most 1 of ({a}, {b}, {c})",
    "at most one of ({a}, {b})",
    "no more than 2 of [{a}, {b}, {c}]",
    "more than 1 of ({a}, {b}, {c})",
    "fewer than 2 of ({a}, {b}, {c})",
    "exactly one of ({a}, {b})",
    "exactly 2 of {{{a}, {b}, {c}}}",
    "exactly two of ({a}, {b}, {c}, {d}, {a})",
    "only one of ({a}, {b}, {c})",
    "any of ({a}, {b})",
    "two or more of ({a}, {b}, {c})",
    "1 or fewer of ({a}, {b}, {c})",
    "all of ({a}, {b}, {c})",
    "none of ({a}, {b}, {c})",
    "one of ({a}, {b})",
    "2 of ({a}, {b}, {c})",
    "any({a}, {b})",
    "all({a}, {b}, {c})",
    "any([{a}, {b}])",
    "none({a}, {b})",
    "at_least(2, {a}, {b}, {c})",
    "count({a}, {b}, {c}) >= 2",
    "sum([{a}, {b}, {c}]) == 1",
    "either {a} or {b}",
    "neither {a} nor {b}",
    "both {a} and {b}",
    "or({a}, {b})",
    "{{2$${a}|{b}|{c}}}",
]
CONDITIONALS = [
    "if {a} then {b}",
    "if {a}: {b}",
    "if {a}, {b}",
    "if ({a}) {b}",
    "if ({a}) {{ {b} }}",
    "if {a} and {c} then {b} or {d}",
    "if {a} then {b} else {c}",
    "{a} ? {b} : {c}",
    "{b} if {a} else {c}",
    "when {a} then {b}",
    "unless {a} then {b}",
    "{a} -> {b}",
    "{a} => {b}",
    "{a} → {b}",
    "{a} ⇒ {b}",
    "{a} <-> {b}",
    "{a} <=> {b}",
    "{a} iff {b}",
    "{a} if {b}",
    "{a} only if {b}",
    "{a} implies that {b}",
    "{a} if and only if {b}",
    "{a} unless {b}",
]
JOINTS = [
    "{{{a}|{b}}}",
    "{{{a}|{b}|{c}}}",
    "[{a}|{b}]",
    "{{{a}}}",
    "{a} BREAK {b}",
    "{a} + {b}",
    "{a} + {b} + {c}",
    "{a} * {b}",
    "{a} - {b}",
    "{a} nand {b}",
    "{a} nor {b}",
    "{a} && {b}",
    "{a} || {b}",
    "{a} & {b}",
    "{a} | {b}",
    "{a} ^ {b}",
    "{a} ∧ {b}",
    "{a} and also {b}",
    "{a} and/or {b}",
    "{a} as well as {b}",
    "{a} except {b}",
    "{a} without {b}",
    "{a} without {x}",
    "{a} with {x}",
    "{a} and no {x}",
    "without {x}",
    "with {x}",
    "no {x}",
    "has {x}",
    "~{a}",
    "~({a} or {b})",
    "!{a}",
    "¬{a}",
    "{x} is true",
    "{x}=not 1",
    "{x} is not 1",
    "{x} isn't 1",
    "{x} is 1",
    "{x} == 1",
    "{x} === 1",
    "{x} <> 1",
    "{x} := 1",
    "{x} ≠ 1",
    "{x} eq 1",
    "{x}: 1",
    '{{"{x}": 1}}',
    '{{"{x}": true, "age": 30}}',
    "haircolor=gray|blond",
    "haircolor=gray/blond",
    "haircolor=gray or blond",
    "haircolor={{gray|blond}}",
    "haircolor in gray or blond",
    "haircolor in [gray, blond]",
    "haircolor in (gray, blond)",
    "haircolor one of gray, blond",
    "haircolor is one of (gray, blond)",
    "haircolor not in {{gray, blond}}",
    "haircolor not in (gray, blond)",
    "haircolor ∈ {{gray, blond}}",
    "haircolor ∉ {{gray, blond}}",
    "age ∈ 20..30",
    "ffhq.{x}=1",
    "<lora:faces:0.8> {a}",
    "{a} <lora:faces:0.8>",
]
# {m} is a measured attribute, {v} and {w} two of its values, the smaller one first, {t} a few.
RANGES = [
    "{m}={v}±{t}",
    "{m} = {v} ± {t}",
    "{m}={v}+-{t}",
    "{m}={v}+/-{t}",
    "{m} = {v} +- {t}",
    "{m}={v}±10%",
    "{m} = {v} (±{t})",
    "{m} > {v} < {w}",
    "{m} < {w} > {v}",
    "{m}≈{v}",
    "{m}~={v}",
    "{m}=~{v}",
    "{m} ~ {v}",
    "{m} about {v}",
    "{m}=about {v}",
    "{m} is around {v}",
    "{v}<{m}<{w}",
    "{v} <= {m} <= {w}",
    "{w} > {m} > {v}",
    "{w} >= {m} > {v}",
    "{v} < {m}",
    "{w} >= {m}",
    "{m}={v}-{w}",
    "{m} = {v} - {w}",
    "{m} in {v}-{w}",
    "{m} in {v} - {w}",
    "{m}={v}..{w}",
    "{m} {v}..{w}",
    "{m} {v} to {w}",
    "{m}={v} to {w}",
    "{m} in {v} to {w}",
    "{m} from {v} to {w}",
    "{m} between {v} and {w}",
    "{m} is between {v} and {w}",
    "{m} in [{v},{w}]",
    "{m} in [{v}, {w}]",
    "{m} in ({v}, {w})",
    "{m} in ({v}, {w}]",
    "{m} in ]{v}, {w}[",
    "{m} in [{v}..{w}]",
    "{m} in [{v};{w}]",
    "{m} in {{{v}..{w}}}",
    "{m} in range({v}, {w})",
    "{m}=[{v}, {w}]",
    "{m} in {v}:{w}",
    "{m}>={v}+",
    "{m}={v}+",
    "{m} {v}+",
    "{m} gt {v}",
    "{m} is greater than {v}",
    "{m} is less than or equal to {w}",
    "{m} above {v}",
    "{m} at least {v}",
    "{m} is not less than {v}",
    "{m} is {v}",
    "{m} >> {v}",
    "{m} ≥ {v}",
    "{m} in {v}, {w}",
    "{m}={v} or {w}",
    "({m} in {v}..{w}:1.3)",
]
SHARES = [
    "{p}% {x}",
    "{p}% {x}=1",
    "{x}={p}%",
    "{x} {p}%",
    "{x} ~ {p}%",
    "{x}≈0.{q}",
    "{x} about 0.{q}",
]

_ATTRIBUTES = ("smile", "glasses", "beard")
_CONDITIONS = st.sampled_from(
    (
        "smile=1",
        "glasses = 0",
        "beard!=1",
        "age > 30",
        "haircolor=gray",
        "yaw in -10..10 deg",
        "age in {10, 20}",
        "haircolor in {gray, black}",
        "yaw=left",
        "(smile=1 and age<20)",
    )
)
_PARTS = st.fixed_dictionaries(
    {
        **{name: _CONDITIONS for name in "abcd"},
        "x": st.sampled_from(_ATTRIBUTES),
        "n": st.sampled_from(["1.3", "0.8", "2", "1.05", "0"]),
        "p": st.integers(0, 100),
        "q": st.integers(1, 9),
    }
)


def said(source: str) -> tuple[Diagnostic, ...]:
    """Return the errors of a program."""
    try:
        check(source)
    except ProgramError as error:
        return tuple(d for d in error.diagnostics if d.severity == "error")
    return ()


def applied(source: str, found: Diagnostic) -> str | None:
    """Return the program with what the hint says in place of what it is said of."""
    hint = found.hint or ""
    written = re.match(r"(?:write|did you mean) `([^`]*)`", hint)
    if written is None and "leave it out" not in hint:
        return None
    lines = source.split("\n")
    span = found.span
    start = sum(len(line) + 1 for line in lines[: span.line - 1]) + span.column - 1
    end = sum(len(line) + 1 for line in lines[: span.end_line - 1]) + span.end_column - 1
    fixed = source[:start] + (written.group(1) if written else "") + source[end:]
    needed = re.search(r"with `(import \w+)` above", hint)
    return f"{needed.group(1)}\n{fixed}" if needed else fixed


def assert_mended(source: str) -> None:
    """Check that a program has one mistake, and that its hint mends it."""
    found = said(source)
    assert len(found) == 1, (source, [(d.code, d.message, d.hint) for d in found])
    fixed = applied(source, found[0])
    assert fixed is not None, (source, found[0])
    assert not said(fixed), (source, fixed, said(fixed))


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("notation", [*WEIGHTS, *COUNTS, *CONDITIONALS, *JOINTS, *SHARES])
def test_what_the_hint_says_is_right(notation: str, context: str) -> None:
    parts = {"a": "smile=1", "b": "glasses=1", "c": "beard=1", "d": "age > 30", "n": "1.3"}
    condition = notation.format(**parts, x="glasses", p=60, q=6)
    assert_mended(CONTEXTS[context].format(condition))


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("notation", RANGES)
def test_ranges(notation: str, context: str) -> None:
    condition = notation.format(m="age", v=20, w=30, t=5)
    assert_mended(CONTEXTS[context].format(condition))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([*WEIGHTS, *COUNTS, *CONDITIONALS, *JOINTS, *SHARES]),
    st.sampled_from(list(CONTEXTS.values())),
    _PARTS,
)
@example(
    "at least two of {a}, {b}, {c}",
    CONTEXTS["alone"],
    {"a": "(smile=1 and age<20)", "b": "smile=1", "c": "yaw > 3", "d": "", "x": "", "n": ""},
)
def test_of_other_conditions(notation: str, context: str, parts: dict[str, str]) -> None:
    assert_mended(context.format(notation.format(**parts)))


@pytest.mark.parametrize("value", ["up", "0.5", "-5 deg", "in {up, down}", "in down..up"])
@pytest.mark.parametrize("notation", ["{} nand smile=1", "{} unless smile=1", "{} only if smile=1"])
def test_a_value_and_the_bracket_below_it_are_no_call(value: str, notation: str) -> None:
    line = notation.format("(smile=1 and age<20)")
    first = f"pitch {value}" if value.startswith("in") else f"pitch = {value}"
    assert_mended(f"sample from ffhq as m\nedit m {{\n  {first}\n  {line}\n  gender = male\n}}")


def test_a_plus_between_conditions_is_no_lower_bound() -> None:
    assert_mended("sample from ffhq where age > 30 + smile=1")


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(RANGES),
    st.sampled_from(list(CONTEXTS.values())),
    st.sampled_from([("age", 1, 70), ("yaw", -44, 45), ("pitch", -29, 30)]),
    st.data(),
)
def test_of_other_values(
    notation: str, context: str, attribute: tuple[str, int, int], data: st.DataObject
) -> None:
    name, low, high = attribute
    v = data.draw(st.integers(low, high - 1))
    w = data.draw(st.integers(v + 1, high))
    t = data.draw(st.integers(1, 20))
    assert_mended(context.format(notation.format(m=name, v=v, w=w, t=t)))


DECADES = ["age=20s", "age in 20s", "age in the 20s", "age = 30 years old"]
CLAUSES = [
    "sample from ffhq where smile=1 --seed 4",
    "sample from ffhq where smile=1 --ar 1:1",
    "sample from ffhq where smile=1 --seed=4",
    "sample from ffhq where smile=1 --steps 20",
    "sample from ffhq where smile=1 --no glasses",
    "sample from ffhq --temp 0.5",
    "sample from ffhq where smile=1 order by age desc",
    "sample from ffhq where smile=1 group by gender",
    "select * from ffhq where smile=1",
    "SELECT * FROM ffhq where smile=1",
    "select 8 * from ffhq where smile=1",
    "select count(*) from ffhq where smile=1",
    "sample from ffhq where: smile=1",
    "sample from ffhq where = smile=1",
    "sample(8) from ffhq where smile=1",
    "sample top 8 from ffhq where smile=1",
    "sample from ffhq where smile=1;",
    "sample from ffhq as men\nedit men { smile -> 1 }",
    "sample from ffhq as men\nedit men { smile=0 -> 1\n glasses = 0 }",
    *(f"sample from ffhq where {decade}" for decade in DECADES),
]


@pytest.mark.parametrize("source", CLAUSES)
def test_clauses(source: str) -> None:
    assert_mended(source)


IN_WORDS = {
    "sample from ffhq where smile=1 limit 8": "sample 8 from",
    "sample from ffhq where smile=1 --n 8": "sample 8 from",
    "sample from ffhq where [smile=1:glasses=1:0.5]": "edit",
    "sample from ffhq where smile=1 and __haircolor__": "leave the attribute out",
    "sample from ffhq where haircolor=__hair__": "leave the attribute out",
    "sample from ffhq where without age": "like `age=",
    "sample from ffhq where smile is null": "leave the condition out",
    "sample from ffhq where glasses=0.5±0.1": "has no range",
    "sample from ffhq where pitch=50±5": "goes from -30 to 30",
    "sample from ffhq where 30% gender=male": "expect gender=male in 30% of",
    "sample from ffhq where age=30%": "age=0.3",
    "if smile=1 then sample from ffhq": "behind `where`",
    "sample from ffhq as men\nedit men { age += 10 }": "an edit says what",
    "sample from ffhq where at least 3 of (smile=1, glasses=1)": "import logic",
}


@pytest.mark.parametrize("source", IN_WORDS)
def test_where_no_text_mends_it_the_hint_says_so_in_words(source: str) -> None:
    (found,) = said(source)
    assert IN_WORDS[source] in (found.hint or "")


@pytest.mark.parametrize(
    "element", sorted({k for n in NOTATIONS for e in n.shape for k in e.kinds})
)
def test_what_shapes_are_made_of_can_be_read(element: str) -> None:
    assert Reader([], {}).read(element, 0) in (0, None)


def test_two_notations_are_two_diagnostics() -> None:
    found = said("sample from ffhq where (glasses=1:1.3)\n  and age=30±5 and smlie=1")
    assert [(d.span.line, d.span.column) for d in found] == [(1, 24), (2, 7), (2, 20)]


def test_one_inside_another_is_one() -> None:
    (found,) = said("sample from ffhq where if glasses=1++ then age=30±5")
    assert found.hint == "write `glasses=1 implies age in 25..35`"


def test_what_one_inside_another_needs_is_imported() -> None:
    (found,) = said("sample from ffhq where if smile=1 then exactly one of (beard=1, age>50)")
    hint = "write `smile=1 implies exactly_one(beard=1, age>50)`, with `import logic` above"
    assert found.hint == hint


def test_a_range_goes_no_further_than_its_attribute() -> None:
    (found,) = said("sample from ffhq where age=68±5")
    assert found.hint == "write `age in 63..70`"


def test_what_a_module_brings_is_not_imported_twice() -> None:
    (found,) = said("import logic\nsample from ffhq where exactly 1 of (smile=1, beard=1)")
    assert found.hint == "write `exactly_one(smile=1, beard=1)`"


def test_a_definition_of_that_name_is_no_notation() -> None:
    source = "def any(a, b) = a or b\nsample from ffhq where any(smile=1, glasses=1)"
    assert not said(source)
    (found,) = said(source + " and smlie=1")
    assert found.code == "LACE102"


def test_a_model_of_the_program_is_known() -> None:
    model = "model m { attribute hat : binary attribute size : 0..5 { small: 1, large: 4 } }\n"
    hints = [d.hint for d in said(model + "sample from m where without hat and size=4±2")]
    assert "write `hat=0`" in hints
    assert "write `size in 2..5`" in hints


@pytest.mark.parametrize("sign", ["(", "[", "{", "if ", "not ", "at least 2 of (", "a:", "a + "])
def test_long_texts_take_no_long_time(sign: str) -> None:
    said("sample from ffhq where " + sign * 3000)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_what_is_right_is_no_notation(source: str) -> None:
    assert not mend(source, {}).places
    assert not mend(source, facts_of(read(source).program, ["ffhq"])).places


@pytest.mark.parametrize("values", ["in \n{ smile }", "in\n{gray,\nblond}", "=\n1", "in\n1..2"])
def test_a_value_on_a_line_of_its_own_is_no_step_of_an_edit(values: str) -> None:
    assert not mend(f"edit faces {{ smile {values} }}", {}).places


@settings(max_examples=60, deadline=None)
@given(from_the_grammar())
@example("let a = f(smile = 1, 1)")
@example("let a = f(g(age = 20, 30), yaw = left, right) or smile in {0, 1}")
@example("edit a { smile = 1 in layers smile not smile = 1 }")
def test_whatever_the_grammar_derives_is_no_notation(source: str) -> None:
    assert not mend(with_line_feeds(source), {}).places


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_nor_is_anything_in_the_programs_that_are_shipped(path: Path) -> None:
    assert not mend(path.read_text(encoding="utf-8"), {}).places


@pytest.mark.parametrize("model", ["smile", "nobody", "ffhq"])
def test_a_name_of_no_known_value_is_no_value(model: str) -> None:
    """`a=1 or b`, where nobody knows the values of `a`, may well be two conditions."""
    with pytest.raises(ProgramError) as caught:
        check(f"sample from {model} where smile = 1 or smile")
    assert "LACE008" not in [found.code for found in caught.value.diagnostics]


@pytest.mark.parametrize("path", BAD[::6], ids=lambda path: path.stem)
def test_only_notations_that_cannot_be_meant_are_not_tried(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = with_line_feeds(path.read_text(encoding="utf-8"))
    found = [(p.start, p.diagnostic) for p in mend(text, {}, parsing=True).places]
    monkeypatch.setattr(search._Candidates, "at", lambda *_: NOTATIONS)
    assert found == [(p.start, p.diagnostic) for p in mend(text, {}, parsing=True).places]


def test_in_a_long_text_they_are_looked_for_where_it_cannot_be_read() -> None:
    line = "sample 8 from ffhq where (smile=1 or glasses=1) and not yaw=left\n"
    wrong = "sample from ffhq where 18 <= age <= 25\n"
    for source in (line * 700 + wrong, wrong + line * 700):
        (problem,) = read(source).problems
        assert problem.hint == "write `age in 18..25`"


def test_the_search_ends_when_enough_has_been_tried() -> None:
    text = "sample from ffhq where 18 <= age <= 25\n" + "a b c " * 1000
    patience = search.Patience(500)
    assert len(mend(text, {}, patience=patience).places) == 1
    assert -len(NOTATIONS) < patience.left <= 0


@pytest.mark.parametrize("name", ["conditionals", "counts", "prompts", "tolerances"])
def test_a_long_text_is_searched_around_what_is_wrong(name: str) -> None:
    """The same is said of a wrong program alone and behind a long one that is right."""
    folder = Path(__file__).parents[1] / "bad"
    wrong = (folder / f"notations_of_{name}.lace").read_text(encoding="utf-8")
    right = 'sample 8 from ffhq where smile=1 and age in 60..70 and not yaw=left as "g{}"\n'
    before = "".join(right.replace("{}", str(n)) for n in range(80))

    def said(text: str, above: int) -> set[tuple[str, str, str | None, int, int]]:
        found = examine(text).errors
        return {(e.code, e.message, e.hint, e.span.line - above, e.span.column) for e in found}

    assert said(before + wrong, 80) == said(wrong, 0)

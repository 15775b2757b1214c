"""Whatever the text, reading and checking it ends in a tree or in a ProgramError."""

from __future__ import annotations

import contextlib
import sys
import time

import pytest
from hostile_shapes import SHAPES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lace_programs import NAMES, from_the_grammar

import lacelang
from lacelang.errors import MOST_SHOWN, Diagnostic, LaceError, ProgramError
from lacelang.semantics.check import check
from lacelang.syntax.format import format_source
from lacelang.syntax.grammar import keywords
from lacelang.syntax.lines import with_line_feeds
from lacelang.syntax.parser import read
from lacelang.syntax.render import render_all
from lacelang.testing.programs import programs

_SETTINGS = settings(max_examples=60, deadline=None)
_SIGNS = [*"(){}[],:%=<>~#\n", "..", "!=", "==", "&&", "1", "-2.5", '"x"', '"', "§", "\x00"]
_SCRAPS = st.sampled_from(
    [*sorted(keywords()), *NAMES, *_SIGNS, "deg", "ffhq", "\u2028", "”", "\ud800", "１"]
)


def _survives(source: str) -> tuple[Diagnostic, ...]:
    found = _found(source)
    lines = with_line_feeds(source).split("\n")
    for diagnostic in found:
        span = diagnostic.span
        assert 1 <= span.line <= span.end_line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1
        assert (span.line, span.column) < (span.end_line, span.end_column)
    assert bool(render_all(found)) == bool(found)
    return found


def _found(source: str) -> tuple[Diagnostic, ...]:
    try:
        check(source)
    except ProgramError as error:
        return error.diagnostics
    return ()


@_SETTINGS
@given(st.text(max_size=200))
def test_any_text(source: str) -> None:
    _survives(source)


@_SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    _survives(data.decode("utf-8", "surrogateescape"))
    _survives(data.decode("latin-1"))


@_SETTINGS
@given(st.lists(_SCRAPS, max_size=60))
def test_any_order_of_the_words_of_the_language(scraps: list[str]) -> None:
    _survives(" ".join(scraps))


@settings(_SETTINGS, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(from_the_grammar())
def test_whatever_the_grammar_derives_is_checked(source: str) -> None:
    # What it says may be wrong; how it is written is not.
    assert not any(d.code < "LACE100" and d.code not in _ALSO_MEANT for d in _survives(source))


_ALSO_MEANT = ("LACE003", "LACE006", "LACE008", "LACE012")
"""Said by the checker too: of clauses' words, of nesting, of notations that the grammar reads."""


@_SETTINGS
@given(programs(), st.data())
def test_a_program_with_a_piece_cut_out(source: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, min(len(source), start + 12)))
    broken = source[:start] + data.draw(st.sampled_from(["", " x ", ")", '"'])) + source[end:]
    _survives(broken)


@_SETTINGS
@given(st.lists(_SCRAPS, max_size=60))
def test_formatting_refuses_what_it_cannot_read(scraps: list[str]) -> None:
    source = " ".join(scraps)
    if read(source).problems:
        with pytest.raises(ProgramError):
            format_source(source)
    else:
        assert read(format_source(source)).problems == ()


@pytest.mark.parametrize(
    "source",
    ["", "\ufeff", "\ufeff\ufeff", "\x00", "\r", "\t", "\ud800", "\u2028", "\x1a", "\x00" * 300],
)
def test_texts_with_hardly_anything_in_them(source: str) -> None:
    _survives(source)


@settings(_SETTINGS, max_examples=25)
@given(programs())
def test_line_ends_of_windows_change_nothing(source: str) -> None:
    assert _found(source.replace("\n", "\r\n")) == _found(source)


@_SETTINGS
@given(st.lists(_SCRAPS, max_size=40))
def test_nor_do_they_where_something_is_wrong(scraps: list[str]) -> None:
    source = "\n".join(s for s in scraps if s != "\n")
    said = [
        [(d.code, d.message, d.span.line, d.span.column) for d in _found(text)]
        for text in (source, source.replace("\n", "\r\n"))
    ]
    assert said[0] == said[1]


@_SETTINGS
@given(st.lists(_SCRAPS, max_size=60))
def test_the_same_text_is_always_told_the_same(scraps: list[str]) -> None:
    source = " ".join(scraps)
    assert _found(source) == _found(source)


@pytest.mark.parametrize("source", [None, 3, b"sample from ffhq", ["sample"], object()])
def test_what_is_no_text_is_refused(source: object) -> None:
    with pytest.raises(LaceError, match="`source` is a program's text"):
        lacelang.compile(source)  # type: ignore[arg-type]
    with pytest.raises(LaceError, match="`path` is"):
        lacelang.compile("", path=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "quoted",
    [
        "~nobody/x",
        "a/" + "x" * 300,
        "\\" + "y" * 5000,
        "/\x00/b",
        "/proc/1/fd/3/x",
        "//",
        "a/\ud800",
    ],
)
def test_no_place_on_disk_makes_it_raise(quoted: str) -> None:
    for source in (
        f'edit "{quoted}" {{ smile=1 }} from ffhq',
        f'import "{quoted}"',
        f'sample from ffhq as "{quoted}"',
        f'model m {{ generator g from "{quoted}" classifiers "{quoted}" }} sample from m',
    ):
        _survives(source)


@_SETTINGS
@given(st.text(max_size=80), st.one_of(st.none(), st.text(max_size=10)))
def test_nothing_but_a_lace_error_leaves_compile(source: str, path: str | None) -> None:
    with contextlib.suppress(LaceError):
        lacelang.compile(source, path)


@pytest.mark.parametrize("text", ["(", "not ", "[", "{", "f(", "not (", "(a=1 and "])
def test_deep_nesting_is_one_spanned_error(text: str) -> None:
    found = _survives("sample from ffhq where " + text * 100_000)
    deep = [d for d in found if d.code == "LACE006"]
    assert len(deep) == 1
    assert len(found) <= 2
    assert deep[0].span.line == 1


def test_deep_but_closed_brackets() -> None:
    deep = "sample from ffhq where " + "(" * 100_000 + "smile=1" + ")" * 100_000
    (found,) = _survives(deep)
    assert found.code == "LACE006"
    assert _survives("sample from ffhq where " + "(" * 60 + "smile=1" + ")" * 60) == ()


def test_many_loops_inside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lacelang.semantics.statements.MAX_STATEMENTS", 500)
    loops = "".join(f"for t{i} in 1, 2 {{ " for i in range(60))
    found = _survives(loops + "sample from ffhq where smile=1" + "}" * 60)
    assert [d.code for d in found if d.severity == "error"] == ["LACE307"]


def test_definitions_that_double_do_not_explode() -> None:
    doubled = "".join(f"def d{i}(a) = d{i - 1}(d{i - 1}(a))\n" for i in range(1, 40))
    source = f"def d0(a) = a and a\n{doubled}sample from ffhq where d39(smile=1)"
    assert [d.code for d in _survives(source)] == ["LACE307"]


def test_a_chain_of_xor_does_not_explode() -> None:
    def work(terms: int) -> int:
        chain = " xor ".join(f"age > {1 + i % 60}" for i in range(terms))
        assert not _survives(f"sample from ffhq where {chain}")
        return _calls(f"sample from ffhq where {chain}")

    assert work(72) < 12 * work(9)


def _calls(source: str) -> int:
    """How many calls checking and rendering take: a measure of work that no busy machine moves."""
    calls = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        render_all(_found(source))
    finally:
        sys.setprofile(None)
    return calls


def _seconds(source: str) -> float:
    started = time.process_time()
    render_all(_found(source))
    return time.process_time() - started


@pytest.mark.parametrize(
    "shape",
    [
        "doubled lets, five loops",
        "doubled with the loop variable",
        "doubled with all loop variables",
        "doubled nots",
    ],
)
def test_work_is_budgeted_for_the_whole_program(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts of a few hundred characters that stand for millions of comparisons."""
    monkeypatch.setattr("lacelang.semantics.conditions.MAX_ALL_TERMS", 3000)
    source = SHAPES[shape](0)
    assert "LACE307" in [d.code for d in _survives(source)]
    assert _calls(source) < 800_000


@pytest.mark.parametrize("shape", ["unknown attributes", "groups of one name", "strange signs"])
def test_checking_stops_at_so_many_errors_and_says_so(shape: str) -> None:
    few, many = (_survives(SHAPES[shape](size)) for size in (300, 20_000))
    assert few[-1].code != "LACE016"
    assert len(many) == MOST_SHOWN + 1
    assert [d.code for d in many].index("LACE016") == MOST_SHOWN
    assert many[-1].span == many[-2].span


def test_errors_warnings_and_pedantic_ones_do_not_hide_one_another() -> None:
    odd = "sample from ffhq where smile=1 and smile=1\n" * 300
    clash = "sample from ffhq where smile=1 and smile=0\n" * 300
    found = check(odd + clash, pedantic=True).warnings
    assert [d.code for d in found].count("LACE501") == MOST_SHOWN
    assert [d.code for d in found].count("LACE514") == MOST_SHOWN
    wrong = odd + clash + "sample from ffhq where smil=1"
    assert _survives(wrong)[0].code == "LACE102"


LINES = [
    'sample 8 from ffhq where (smile=1 or glasses=1) and not yaw=left seed {i} as "g{i}"\n',
    "sample 8 from ffhq where (smile=1 or glasses=1 seed {i} as g{i}\n",
    "sample 8 from ffhq where smile=1 and smile=0 seed {i} as g{i}\n",
    "let l{i} = smile=1 and gender=male\n",
    "let a{i} = smile=1 or not a{j}\n",
    "§ @ sampel ((( ]]] }}}} \n",
    "# {i} a comment only\n",
    "edit g {{ smile=0 }} as e{i}\n",
    "measure smile=1 given age > {i}.5 from ffhq as m{i}\n",
    "sample 8 from ffhq where smil=1\n",
    "sample 8 from ffhk{i} as g{i}\n",
]


def _program(line: str, count: int) -> str:
    return "sample from ffhq as g\n" + "".join(
        line.replace("{i}", str(i)).replace("{j}", str(i + 1)).replace("{{", "{").replace("}}", "}")
        for i in range(count)
    )


@pytest.mark.parametrize("line", LINES)
def test_work_grows_with_the_length_only(line: str) -> None:
    _calls(_program(line, 10))
    short, long = (_calls(_program(line, n)) for n in (60, 480))
    # Eight times the text; work that grew with its square would show as a factor of 64.
    assert long < 12 * short


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_with_the_length_of_any_text(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lacelang.semantics.conditions.MAX_ALL_TERMS", 0)
    _calls(SHAPES[shape](1000))
    short, long = (_calls(SHAPES[shape](n)) for n in (1500, 12_000))
    assert long < 14 * short + 50_000


def test_a_loop_of_a_thousand_statements_is_no_large_program() -> None:
    values = ", ".join(str(i) for i in range(100))
    terms = " and ".join(f"(age > {i} or smile=1 [weight 2])" for i in range(10))
    loops = f"for s in {values} {{ for t in {', '.join('123456789')}, 10 {{"
    assert not _survives(f'{loops} sample from ffhq where {terms} seed s as "{{s}} {{t}}" }} }}')


def test_what_is_resolved_once_for_a_loop_is_what_each_turn_asks_for() -> None:
    loops = "for a in smile, glasses { for b in a { for t in 1, 0 { "
    conditions = ("a=t", "b=1", "smile=1", "age > 10 or b=t and a=0")
    for condition in conditions:
        source = f'{loops}sample from ffhq where {condition} as "{{a}} {{t}}" }} }} }}'
        shown = [str(s.where) for s in check(source).samples]
        written = []
        for name in ("smile", "glasses"):
            for t in "10":
                one = condition.replace("a=t", f"{name}={t}").replace("b=t", f"{name}={t}")
                one = one.replace("b=1", f"{name}=1").replace("a=0", f"{name}=0")
                written.append(str(check(f"sample from ffhq where {one}").samples[0].where))
        assert shown == written


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_time_grows_with_the_length_only(line: str) -> None:
    _seconds(_program(line, 10))
    short, long = (min(_seconds(_program(line, n)) for _ in range(3)) for n in (1000, 8000))
    assert long < 24 * short + 0.5


@pytest.mark.parametrize("count", [15_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("word", ["and", "or", "xor", "implies"])
def test_a_chain_that_never_ends(count: int, word: str) -> None:
    many = "sample from ffhq where " + f" {word} ".join(["smile=1"] * count)
    assert [d.code for d in _survives(many)] == ["LACE307"]


def test_a_megabyte_on_one_line() -> None:
    for long in ("where " + "x" * 1_000_000, 'as "' + "x" * 1_000_000 + '"', "seed " + "1" * 10**6):
        assert [d.code for d in _survives(f"sample from ffhq {long}")] == ["LACE015"]
    _survives("{" * 1_000_000)

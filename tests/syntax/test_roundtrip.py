"""parse(format(p)) = p, format is idempotent and keeps comments, lines are short."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from lace_programs import from_the_grammar

from lacelang.syntax.format import format_source
from lacelang.syntax.parser import parse, read
from lacelang.syntax.tokens import tokenize
from lacelang.testing.programs import programs

_FAST = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _check(source: str) -> None:
    tree = parse(source)
    formatted = format_source(source)
    assert parse(formatted) == tree
    assert format_source(formatted) == formatted
    before, after = tokenize(source), tokenize(formatted)
    assert [str(t) for t in after.tokens] == [str(t) for t in before.tokens]
    assert sorted(map(str, after.comments)) == sorted(str(c).rstrip() for c in before.comments)
    for line, below in pairwise([*filter(None, formatted.split("\n")), ""]):
        assert line == line.rstrip()
        if line.lstrip().startswith("#") and below and below.lstrip()[0] not in "})]":
            assert _margin(line) == _margin(below)
        assert len(line) <= 100 or re.fullmatch(r"\s*#.*", line)
    assert "\n\n\n" not in formatted
    assert not formatted.startswith("\n")


@_FAST
@given(from_the_grammar())
def test_whatever_the_grammar_derives_survives_formatting(source: str) -> None:
    assert read(source).problems == ()
    _check(source)


@_FAST
@given(programs())
def test_meaningful_programs_survive_formatting(source: str) -> None:
    _check(source)

"""grammars/lace.tmLanguage.json colours programs as the one grammar reads them."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lacelang.resources import shipped
from lacelang.syntax.grammar import CLAUSES, ITEMS, STATEMENTS, UNITS, keywords
from lacelang.syntax.parser import read

sys.path.append(str(Path(__file__).parents[1] / "syntax"))

from written_names import WORDS

GRAMMAR: dict[str, Any] = json.loads(
    (shipped("grammars") / "lace.tmLanguage.json").read_text(encoding="utf-8")
)
RULES: dict[str, dict[str, Any]] = GRAMMAR["repository"]
ORDER = [RULES[pattern["include"].removeprefix("#")] for pattern in GRAMMAR["patterns"]]
PROGRAMS = [
    *sorted((Path(__file__).resolve().parents[2] / "programs").glob("*.lace")),
    *sorted(shipped("stdlib").glob("*.lace")),
    *sorted((Path(__file__).resolve().parents[1] / "programs").glob("*.lace")),
]
# Editors take marks for characters of words, which Python does not.
MARKS = "".join(
    c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in ("Mn", "Mc")
)
KEYWORD_RULES = ("statement", "clause", "item", "operator", "setting")


def _words(rule: str) -> set[str]:
    found = re.fullmatch(r"\\b\((.*)\)\\b", RULES[rule]["match"])
    assert found is not None
    return set(found[1].split("|"))


def test_keywords_are_those_of_the_grammar() -> None:
    assert set().union(*map(_words, KEYWORD_RULES)) == keywords()
    assert _words("statement") == {terminal.lower() for terminal in STATEMENTS}
    assert _words("clause") == {terminal.lower() for terminal in CLAUSES}
    assert _words("item") >= {terminal.lower() for terminal in ITEMS}
    for unit in UNITS:
        assert unit in RULES["number"]["match"]


def test_every_rule_is_in_use() -> None:
    assert len(ORDER) == len(RULES)


def _coloured(line: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, scope) as TextMate does: the leftmost match, the first rule at a tie."""
    position = 0
    while position < len(line):
        found = [
            (match.start(), order, match, rule)
            for order, rule in enumerate(ORDER)
            if (match := re.compile(_pattern(rule)).search(line, position))
        ]
        if not found:
            return
        _, _, match, rule = min(found, key=lambda item: item[:2])
        if "name" in rule:
            yield match.start(), match.end(), rule["name"]
        for group, capture in rule.get("captures", {}).items():
            if match[int(group)] is not None:
                yield match.start(int(group)), match.end(int(group)), capture["name"]
        position = max(match.end(), position + 1)


def _pattern(rule: dict[str, Any]) -> str:
    # Text in quotes never leaves its line.
    return rule["match"] if "match" in rule else f'{rule["begin"]}[^"]*?(?:{rule["end"]})'


SCOPES = {
    "NUMBER": "constant.numeric",
    "STRING": "string.quoted",
    "UNIT": "keyword.other.unit",
    "PERCENT": "keyword.other.unit",
    **dict.fromkeys(
        ("EQUAL", "UNEQUAL", "LESSTHAN", "MORETHAN", "AT_MOST", "AT_LEAST", "TILDE", "RANGE"),
        "keyword.operator.comparison",
    ),
}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_programs_are_coloured_token_by_token(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    lines = source.split("\n")
    scopes = {
        (number, start + 1): (end + 1, scope)
        for number, line in enumerate(lines, 1)
        for start, end, scope in _coloured(line)
    }
    parsed = read(source, str(path)).tokens
    for token in parsed.tokens:
        word = token.value in keywords()
        wanted = SCOPES.get(token.type, "keyword|storage" if word else None)
        if token.type == "$END" or (wanted is None and token.type != "NAME"):
            continue
        assert token.line is not None
        end, scope = scopes.get((token.line, token.column or 0), (None, ""))
        if wanted is None:
            assert not scope or scope == "entity.name.function.lace", token
        else:
            assert re.match(wanted, scope), (token, scope)
            assert end == token.end_column, token
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            assert scopes[number, line.index("#") + 1][1].startswith("comment")


@pytest.mark.parametrize("word", WORDS)
def test_names_of_all_scripts_are_coloured_whole(word: str) -> None:
    pattern = RULES["definition"]["match"].replace("[\\w", f"[\\w{MARKS}")
    found = re.match(pattern, f"let {word} = 1")
    assert found is not None
    assert found[2] == word

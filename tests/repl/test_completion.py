from __future__ import annotations

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from lacelang.language.completion import Offer
from lacelang.repl.commands import command_offers
from lacelang.repl.completion import SessionCompleter, offers
from lacelang.repl.session import Session
from lacelang.semantics.modules import library_models


@pytest.fixture(scope="module")
def session() -> Session:
    growing = Session()
    for typed in (
        "let grandpa = gender=male and age > 60",
        "def both(a, b) = a and b",
        "sample 2 from ffhq as men",
        'sample 2 from ffhq as "old men"',
    ):
        growing.entries.append(growing.read(typed))
    return growing


def words(session: Session, before: str) -> list[str]:
    return [offer.word for offer in offers(session, before)[1]]


def test_statements_begin_an_entry(session: Session) -> None:
    assert {"sample", "let", "edit", "measure"} <= set(words(session, ""))
    assert words(session, "sa") == ["sample"]
    assert "where" not in words(session, "")


def test_models_follow_from(session: Session) -> None:
    assert words(session, "sample 4 from ") == sorted(library_models())
    assert words(session, "sample 4 from ff") == ["ffhq"]


@pytest.mark.parametrize(
    "before",
    [
        "sample from ffhq where ",
        "sample from ffhq where smile=1 and ",
        "sample from ffhq where (",
        "sample from ffhq where not ",
        "glasses=1 and ",
        "measure ",
        "measure smile=1 given ",
        "expect ",
    ],
)
def test_attributes_and_definitions_begin_a_condition(session: Session, before: str) -> None:
    found = words(session, before)
    assert {"smile", "yaw", "grandpa", "both"} <= set(found)
    assert "men" not in found


def test_each_line_of_an_edit_is_a_condition(session: Session) -> None:
    assert {"yaw", "grandpa", "not"} <= set(words(session, "edit men { "))
    assert {"yaw", "grandpa", "or"} <= set(words(session, "edit men { smile = 0 "))
    assert words(session, "edit men { smile = 0 in layers ") == ["all", "declared"]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("sample from ffhq where yaw=", ["left", "front", "right", "each"]),
        ("yaw=", ["left", "front", "right", "each"]),
        ("yaw=fr", ["front"]),
        ("yaw in left..", ["left", "front", "right"]),
        ("haircolor in {", ["black", "brown", "blond", "gray", "red"]),
        ("haircolor in {gray, bl", ["black", "blond"]),
        ("smile=", ["0", "1", "each"]),
        ("edit men { yaw = r", ["right"]),
    ],
)
def test_values_follow_a_comparison(session: Session, before: str, found: list[str]) -> None:
    assert words(session, before) == found


def test_points_come_with_their_number_and_the_range(session: Session) -> None:
    _, (left, *_) = offers(session, "yaw=")
    assert left == Offer("left", "-25 deg, of -45..45 deg", "value")


def test_units_follow_a_number(session: Session) -> None:
    assert "years" in words(session, "age > 10 ")
    assert "deg" not in words(session, "age > 10 ")


def test_clauses_that_belong_and_are_not_given_yet(session: Session) -> None:
    found = set(words(session, "sample from ffhq where smile=1 "))
    assert {"seed", "temp", "and", "or"} <= found
    assert not {"where", "from", "stay", "given"} & found
    assert {"stay", "hold"} <= set(words(session, "edit men { smile = 0 } "))


def test_samplers_and_their_options(session: Session) -> None:
    assert "exponential" in words(session, "sample from ffhq with ")
    assert "tolerance" in words(session, "sample from ffhq with heun(")
    assert words(session, "sample from ffhq with heun(tolerance=1e-3, max") == ["max_steps"]
    assert words(session, "sample from ffhq with langevin(preset=") == ["paper"]
    assert "tolerance" not in words(session, "sample from ffhq with heun(tolerance=1) ")


def test_groups_follow_edit_and_of(session: Session) -> None:
    assert words(session, "edit ") == ["men", '"old men"']
    assert words(session, "expect smile=1 in 90% of ") == ["men", '"old men"']


def test_words_of_clauses(session: Session) -> None:
    assert words(session, "sample from ffhq sigma ") == ["residual", "paper"]


def test_commands_after_a_colon(session: Session) -> None:
    def found(before: str) -> list[tuple[str, int]]:
        completions = completer.get_completions(Document(before), CompleteEvent())
        return [(c.text, c.start_position) for c in completions]

    completer = SessionCompleter(session, command_offers)
    assert found(":ag") == [(":again", -3)]
    assert found(":show m") == [("men", -1)]
    assert found(":attrs ff") == [("ffhq", -2)]
    assert found(":undo ") == found(":nothing ") == []


@pytest.mark.parametrize("before", ["", '"', "((((", "edit { } }", "yaw = = ", "≠ 1 ..", "\n\n#"])
def test_nothing_makes_it_fail(session: Session, before: str) -> None:
    offers(session, before)

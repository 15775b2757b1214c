"""What sliders show of a program, and how they change its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from lacelang.errors import UsageError
from lacelang.language.document import Document, diagnostics
from lacelang.syntax.format import format_source
from lacelang.web.studio import changes
from lacelang.web.studio.targets import Reading, read_targets

CHILD = "sample 4 from ffhq where age=10 and smile=1 seed 7 as kids  # small\n"


def reading(text: str) -> Reading:
    return read_targets(Document(text, None, Path()))


def said(text: str, group: str) -> dict[str, tuple[object, ...]]:
    """The settings of a group that say something, without terms."""
    target = reading(text).find(group)
    assert target is not None
    assert target.name == group
    return {name: (s.form, *s.values) for name, s in target.settings.items() if s.form != "any"}


def changed(text: str, group: str, attribute: str, form: str, *values: object) -> str:
    """The text after a slider's change; it has no errors, and says what was set."""
    read = reading(text)
    target = read.find(group)
    assert target is not None
    made = changes.set_attribute(read, target, attribute, form, values)  # type: ignore[arg-type]
    after = changes.applied(text, made)
    assert [d for d in diagnostics(Document(after)) if d.severity == "error"] == []
    assert format_source(after)
    expected = None if form == "any" else (form, *values)
    assert said(after, group).get(attribute) == expected
    return after


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("smile=1", {"smile": ("is", "1")}),
        ("smile ~ 0.4 and age > 30", {"smile": ("degree", 0.4), "age": ("above", 30.0)}),
        ("(smile=1 and age <= adult)", {"smile": ("is", "1"), "age": ("below", 35.0)}),
        ("yaw in left..5 deg", {"yaw": ("between", -25.0, 5.0)}),
        ("haircolor=gray [weight 2]", {"haircolor": ("is", "gray")}),
        ("smile != 1", {"smile": ("text",)}),
        ("haircolor in {gray, blond}", {"haircolor": ("text",)}),
        ("age = each 20..60", {"age": ("text",)}),
        ("smile=1 or age > 30", {}),
        ("not smile=1", {}),
    ],
)
def test_sliders_show_terms_of_the_topmost_and(where: str, expected: object) -> None:
    assert said(f"sample from ffhq where {where} as x", "x") == expected


def test_what_else_mentions_an_attribute_is_shown_beside_it() -> None:
    text = "let old = age > 60\nsample from ffhq where old and (smile=1 or glasses=1) as x"
    target = reading(text).find("x")
    assert target is not None
    assert target.settings["age"].beside == ("old",)
    assert target.settings["smile"].beside == ("(smile=1 or glasses=1)",)
    assert target.settings["yaw"].beside == ()


def test_every_statement_that_makes_samples_is_a_target_of_its_model() -> None:
    text = """
sample from digits where digit=two
sample 3 from ffhq as "two words"
edit "two words" { smile = 0 }
pick 1 of "two words" as one
edit one { age = 30
 smile = 1 } as aged
for t in 1, 2 { sample from eyes where color=blue temp t as "eyes {t}" }
"""
    read = reading(text)
    found = [(t.name, t.model.name if t.model else None) for t in read.targets]
    assert found == [
        ("sample1", "digits"),
        ("two words", "ffhq"),
        ("edit1", "ffhq"),
        ("aged", "ffhq"),
        ("eyes {t}", "eyes"),
    ]
    assert said(text, "aged") == {"age": ("is", 30.0), "smile": ("is", "1")}


def test_a_text_that_cannot_be_read_is_broken_and_one_with_wrong_names_is_not() -> None:
    assert reading("sample from ffhq where smile= as x").broken
    read = reading("sample from ffhq where smle=1 and age=30 as x")
    assert not read.broken
    target = read.find("x")
    assert target is not None
    assert target.settings["age"].form == "is"


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        (CHILD, ("age", "is", 31.5), CHILD.replace("age=10", "age=31.5")),
        (CHILD, ("age", "above", 20.0), CHILD.replace("age=10", "age > 20")),
        (CHILD, ("age", "any"), CHILD.replace("age=10 and ", "")),
        (CHILD, ("smile", "any"), CHILD.replace(" and smile=1", "")),
        (
            CHILD,
            ("yaw", "between", -5.0, 5.0),
            CHILD.replace("smile=1", "smile=1 and yaw in -5..5"),
        ),
        (
            "sample from ffhq as x",
            ("smile", "degree", 0.25),
            "sample from ffhq where smile ~ 0.25 as x",
        ),
        ("sample from ffhq where smile=1 as x", ("smile", "any"), "sample from ffhq as x"),
        (
            "sample from ffhq where smile=1 or glasses=1 as x",
            ("age", "is", 30.0),
            "sample from ffhq where (smile=1 or glasses=1) and age=30 as x",
        ),
        (
            "sample from ffhq where (age=10 [weight 2] and smile=1) as x",
            ("age", "is", 20.0),
            "sample from ffhq where (age=20 [weight 2] and smile=1) as x",
        ),
        (
            "sample from ffhq where haircolor in {gray, red} as x",
            ("haircolor", "is", "blond"),
            "sample from ffhq where haircolor=blond as x",
        ),
        (
            "sample from digits as x",
            ("digit", "is", "nine"),
            "sample from digits where digit=nine as x",
        ),
        ("sample from eyes as x", ("eye", "is", "0"), "sample from eyes where eye=0 as x"),
    ],
)
def test_a_slider_changes_its_term_and_nothing_else(
    text: str, change: tuple[str, str, object], expected: str
) -> None:
    assert changed(text, text.split(" as ")[1].split()[0], *change) == expected


@pytest.mark.parametrize(
    ("body", "change", "expected"),
    [
        ("{\n  smile = 0  # not\n}", ("age", "is", 44.0), "{\n  smile = 0  # not\n  age = 44\n}"),
        ("{ smile = 0 }", ("smile", "is", "1"), "{ smile = 1 }"),
        ("{\n  smile = 0\n  age = 44\n}", ("smile", "any"), "{\n  age = 44\n}"),
        ("{ smile = 0 age = 44 }", ("smile", "any"), "{ age = 44 }"),
        ("{ smile=0 and age=44 }", ("age", "any"), "{ smile=0 }"),
        ("{ smile = 0 in layers 4..5 }", ("smile", "is", "1"), "{ smile = 1 in layers 4..5 }"),
    ],
)
def test_a_slider_changes_lines_of_an_edit(
    body: str, change: tuple[str, str, object], expected: str
) -> None:
    head = "sample 2 from ffhq as x\nedit x "
    assert changed(f"{head}{body} as y", "y", *change) == f"{head}{expected} as y"


def test_an_edit_keeps_its_last_line() -> None:
    read = reading("sample 2 from ffhq as x\nedit x { smile = 0 } as y")
    with pytest.raises(UsageError, match="at least one line"):
        changes.set_attribute(read, read.targets[1], "smile", "any", ())


@pytest.mark.parametrize(
    ("attribute", "form", "values"),
    [
        ("age", "is", [71]),
        ("age", "is", ["old"]),
        ("age", "is", [True]),
        ("age", "is", [float("nan")]),
        ("age", "between", [1]),
        ("age", "degree", [0.5]),
        ("smile", "is", ["2"]),
        ("smile", "is", [1]),
        ("smile", "is", [[]]),
        ("smile", "above", [0.5]),
        ("gender", "degree", [0.5]),
        ("nose", "is", ["1"]),
        ("age", "no such form", [30]),
    ],
)
def test_what_an_attribute_cannot_be_is_refused(
    attribute: str, form: str, values: list[object]
) -> None:
    read = reading(CHILD)
    with pytest.raises(UsageError):
        changes.set_attribute(read, read.targets[0], attribute, form, values)  # type: ignore[arg-type]


def test_counts_and_seeds_are_set_where_there_are_none_too() -> None:
    for text in (
        CHILD,
        "sample from ffhq",
        "sample from ffhq as x  # n",
        "sample 2 from ffhq seed 1",
    ):
        for set_, value in ((changes.set_count, 9), (changes.set_seed, 12)):
            read = reading(text)
            after = changes.applied(text, set_(read, read.targets[0], value))
            again = reading(after)
            assert not again.broken
            found = again.targets[0]
            said = found.node.count if set_ is changes.set_count else found.clauses["seed"].value  # type: ignore[union-attr]
            assert said.text == str(value)  # type: ignore[union-attr]


def test_a_face_is_picked_and_edited_once() -> None:
    read = reading(CHILD)
    model = read.targets[0].model
    assert model is not None
    age = model.attribute("age")
    made, name = changes.edit_of(read, "kids", 2, 4, age, 12.0)
    after = changes.applied(CHILD, made)
    assert after.endswith(
        "pick 2 of kids as kids_2\n\nedit kids_2 {\n  age = 12\n} as kids_2_edited\n"
    )
    assert name == "kids_2_edited"
    assert format_source(after) == after
    assert [d for d in diagnostics(Document(after)) if d.severity == "error"] == []
    # The same face, its picked copy, and its edited self go on with the same edit.
    for group, index, count in (("kids", 2, 4), ("kids_2", 0, 1), ("kids_2_edited", 0, 1)):
        assert changes.edit_of(reading(after), group, index, count, age, 12.0) == ([], name)
    made, name = changes.edit_of(reading(after), "kids", 1, 4, age, 12.0)
    assert name == "kids_1_edited"
    assert made


def test_a_face_of_a_loop_is_edited() -> None:
    text = 'for years in 10, 30 {\n  sample 2 from ffhq where age=years as "age {years}"\n}\n'
    read = reading(text)
    model = read.groups["age 30"]
    assert model is not None
    made, name = changes.edit_of(read, "age 30", 1, 2, model.attribute("age"), 28.0)
    after = changes.applied(text, made)
    assert 'pick 1 of "age 30" as "age 30_1"' in after
    assert [d for d in diagnostics(Document(after)) if d.severity == "error"] == []
    # Sliders act on it.
    assert said(after, name) == {"age": ("is", 28.0)}


def test_names_that_are_taken_or_need_quotes() -> None:
    text = 'sample 2 from ffhq as "my kids"\nsample 2 from ffhq as "my kids_0"'
    read = reading(text)
    model = read.targets[0].model
    assert model is not None
    made, name = changes.edit_of(read, "my kids", 0, 2, model.attribute("age"), 3.0)
    after = changes.applied(text, made)
    assert name == "my kids_0_2_edited"
    assert [d for d in diagnostics(Document(after)) if d.severity == "error"] == []


def test_every_model_has_a_first_program() -> None:
    from lacelang.semantics.modules import library_models

    for name, model in library_models().items():
        text = changes.starting_text(model)
        assert [d for d in diagnostics(Document(text)) if d.severity == "error"] == [], name
        assert format_source(text) == text
        assert reading(text).targets[0].model is not None

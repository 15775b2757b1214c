"""Models as a program declares them: what is taken from each word, and what each refusal says."""

from __future__ import annotations

import pytest

from lacelang import ir
from lacelang.errors import Diagnostic, ProgramError
from lacelang.semantics.check import check

DIGEST = "E5D10E2BE7DF63F06123855EC591CA35DCB1D059EBA47DDCB175D7D26B4019B5"


def source(
    attributes: str = "attribute smile: binary", package: str = "Face_x-1.y==1!2.0b+L"
) -> str:
    return (
        f'model m {{ generator mobilestylegan from "{package}" sha256 "{DIGEST}"\n'
        f'classifiers "heads.safetensors" on w\n{attributes} }}\nsample from m where smile=1\n'
    )


def declared(text: str) -> ir.ModelSpec:
    (statement,) = check(text).statements
    assert isinstance(statement, ir.SampleStatement)
    return statement.model


def refusal(text: str) -> Diagnostic:
    with pytest.raises(ProgramError) as refused:
        check(text)
    return refused.value.diagnostics[0]


def test_names_of_packages_and_checksums_in_any_case() -> None:
    """Versions as PEP 440 writes them; a checksum is compared in lower case."""
    model = declared(source())
    assert (model.package, model.version) == ("Face_x-1.y", "1!2.0b+L")
    assert model.sha256 == DIGEST.lower()


@pytest.mark.parametrize("word", ["bool", "Boolean", "FLAG", "yesno", "bit", "Bit"])
def test_words_for_yes_or_no(word: str) -> None:
    found = refusal(source(f"attribute smile: {word}"))
    assert (found.code, found.message) == ("LACE402", f"there is no kind `{word}`")
    assert found.hint == "for yes or no, write `binary`"


@pytest.mark.parametrize(
    ("kind", "code", "message", "hint"),
    [
        ("0..0 years", "LACE402", "the range 0..0 is empty", None),
        ("7..3", "LACE402", "the range 7..3 is empty", "write `3..7`"),
        (
            "one of a",
            "LACE402",
            "`smile` needs two values or more to choose from",
            "for yes or no, write `binary`",
        ),
        ("two of a, b", "LACE402", "`two of` is no kind", "write `one of`"),
        ("one of a, b, a", "LACE110", "`smile` has the value `a` twice", None),
        (
            "binary { a = 1 }",
            "LACE402",
            "only a measured attribute has named points; `smile` has none",
            "leave the braces out",
        ),
        ("0..9 years { a = 10 }", "LACE404", "`a` lies outside 0..9", None),
        ("0..9 years { a = 1 deg }", "LACE202", "`smile` is in years", "leave the unit out"),
        ("0..9 { a = 1 deg }", "LACE202", "`smile` is without a unit", "leave the unit out"),
        ("0..9 { a = 1, a = 2 }", "LACE110", "the point `a` is given twice", None),
    ],
)
def test_kinds_that_are_none(kind: str, code: str, message: str, hint: str | None) -> None:
    found = refusal(source(f"attribute smile: {kind}"))
    assert (found.code, found.message, found.hint) == (code, message, hint)


@pytest.mark.parametrize("span", ["0..1e40", "0..1e-40", "1000000..1000000.0001"])
def test_ranges_that_float32_cannot_tell(span: str) -> None:
    found = refusal(source(f"attribute smile: {span}"))
    assert found.message == f"float32 cannot tell values of the range {span}"
    assert found.hint is not None
    assert found.hint.startswith("it lies within ±")


@pytest.mark.parametrize(
    "text", ["smile=1", "age=40", "age > 40 years", "age in 20..30", "smile ~ 0.5"]
)
def test_a_comparison_knows_where_it_stands(text: str) -> None:
    before = "sample from ffhq where "
    (statement,) = check(f"{before}{text}\n").statements
    assert isinstance(statement, ir.SampleStatement)
    where = statement.where
    assert where is not None
    span = where.span
    assert span is not None
    assert (span.line, span.column, span.end_column) == (
        1,
        len(before) + 1,
        len(before) + len(text) + 1,
    )
    assert where.text == text


def test_layers_of_a_generator_that_is_not_known_have_a_limit() -> None:
    text = source("attribute smile: binary layers 250..999999999").replace("mobilestyle", "other")
    found = refusal(text)
    assert found.code == "LACE405"
    assert found.message == "layers are whole numbers from 0 to 255, in rising order"

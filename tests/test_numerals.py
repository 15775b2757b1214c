from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lacelang
from lacelang.errors import ProgramError
from lacelang.text.numerals import number_text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**30), 10**30))
def test_a_number_is_read_back_as_it_was(value: float) -> None:
    text = number_text(value)
    assert type(value)(text) == value
    assert "+" not in text
    assert not text.endswith(".0")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1000001.0, "1000001"),
        (1e15, "1000000000000000"),
        (1e20, "100000000000000000000"),
        (1e22, "1e22"),
        (0.1, "0.1"),
        (1e-05, "0.00001"),
        (-1.25e-07, "-0.000000125"),
        (5e-324, "5e-324"),
        (-0.0, "0"),
        (2.5, "2.5"),
        (10**25, "1" + 25 * "0"),
    ],
)
def test_numbers_as_a_person_writes_them(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    "source",
    [
        "sample {} from ffhq",
        "sample from ffhq where age={}",
        "sample from ffhq truncation {}",
        "sample from ffhq where smile ~ {}",
        "sample from ffhq with langevin(steps={})",
    ],
)
@pytest.mark.parametrize("number", ["1000001", "12345678.5", "10000000000000000"])
def test_messages_have_the_number_that_was_written(source: str, number: str) -> None:
    with pytest.raises(ProgramError) as caught:
        lacelang.compile(source.format(number))
    assert number in caught.value.diagnostics[0].message

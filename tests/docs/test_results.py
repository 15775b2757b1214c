"""docs/results.py: which published orderings hold in figures measured here."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_results", DOCS / "results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # attrs resolves annotations there
    spec.loader.exec_module(module)
    return module


results = _load()
shares = st.floats(0, 1)
measures = st.sampled_from(["ACC", "FID"])


@given(measures, shares, shares, shares, shares)
def test_an_ordering_holds_if_both_differences_have_one_sign(
    measure: str, a: float, b: float, published_a: float, published_b: float
) -> None:
    one = results.System("one", {measure: a}, {measure: published_a})
    other = results.System("other", {measure: b}, {measure: published_b})
    found = list(results.orderings([one, other]))
    if published_a == published_b:
        assert not found
        return
    (ordering,) = found
    ahead = published_a < published_b if measure == "FID" else published_a > published_b
    assert ordering.better.name == ("one" if ahead else "other")
    same = (a - b) * (published_a - published_b)
    if a == b:
        assert ordering.verdict == "within noise"
    elif same:  # else the product underflowed
        assert ordering.verdict == ("holds" if same > 0 else "reversed")


@given(shares, shares, st.integers(1, 400), st.integers(1, 400))
def test_shares_of_few_images_decide_nothing(a: float, b: float, few: int, more: int) -> None:
    def verdict(images: int) -> str:
        one = results.System("one", {"ACC": a}, {"ACC": 0.9}, images)
        other = results.System("other", {"ACC": b}, {"ACC": 0.8}, images)
        (found,) = results.orderings([one, other])
        return str(found.verdict)

    if verdict(few) != "within noise":
        assert verdict(few) == verdict(1_000_000 * more)
    assert verdict(1) == "within noise"


def test_deviations_over_seeds_are_the_noise() -> None:
    one = results.System("one", {"FID": 5.0}, {"FID": 1}, deviations={"FID": 3.0})
    other = results.System("other", {"FID": 9.9}, {"FID": 2}, deviations={"FID": 4.0})
    (found,) = results.orderings([one, other])
    assert found.verdict == "within noise"
    other = results.System("other", {"FID": 10.1}, {"FID": 2}, deviations={"FID": 4.0})
    (found,) = results.orderings([one, other])
    assert found.verdict == "holds"


def test_what_lacks_a_figure_is_not_ordered() -> None:
    one = results.System("one", {"ACC": 0.9}, {"ACC": 0.8, "FID": 3})
    other = results.System("other", {"FID": 2.0}, {"ACC": 0.7, "FID": 4})
    assert not list(results.orderings([one, other]))
    said = results.part([one, other])
    assert "0.900 (0.800)" in said
    assert "– (0.700)" in said
    assert results.part([]) == "Not measured yet.\n"


def test_figures_stand_in_pairs_of_columns_or_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [
        {"method": "pc", "ACC": "0.5 ± 0.1", "paper's ACC": 0.7, "faces": 40},
        {"method": "ours alone", "ACC": 0.6, "paper's ACC": None, "faces": 40},
    ]
    second = [{"method": "pc", "Fréchet": 3.0, "paper's FID": 4}]
    third = [
        {"variant": "default", "DES": 0.7, "faces": 8},
        {"variant": "paper: it", "DES": 0.5, "faces": None},
    ]
    (tmp_path / "a" / "one").mkdir(parents=True)
    tables = {"tables": [{"title": "t", "rows": rows} for rows in (first, second, third)]}
    (tmp_path / "a" / "one" / "report.json").write_text(json.dumps(tables))
    monkeypatch.setattr(results, "DOCS", tmp_path)
    columns = {"ACC": ("ACC", "paper's ACC"), "FID": ("Fréchet", "paper's FID")}
    (pc,) = results.beside([("one", 1), ("one", 2)], "method", columns)
    assert (pc.name, pc.images) == ("LACE-PC", 40)
    assert pc.found == {"ACC": 0.5, "FID": 3.0}
    assert pc.published == {"ACC": 0.7, "FID": 4.0}
    assert pc.deviations == {"ACC": 0.1}
    (it,) = results.rows_beside([("one", 3)], {"it": ("default", "paper: it")}, ["DES"])
    assert (it.found, it.published, it.images) == ({"DES": 0.7}, {"DES": 0.5}, 8)
    assert results.beside([("not made", 1)], "method", columns) == []

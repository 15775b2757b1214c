"""The page of a run in a real browser: filters, slider, lightbox, and nothing from the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lacelang.report.page import write_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write_report(run_folder, tmp_path_factory.mktemp("page") / "report.html")
    return path.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, which afterwards has said nothing and asked for nothing."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    context.close()


def shown(page: Any) -> int:
    return int(page.locator(".face:visible").count())


def test_all_pictures_load_and_the_count_is_told(page: Any) -> None:
    broken = page.evaluate(
        "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    )
    assert broken == 0
    assert shown(page) == 17
    assert page.locator("[data-count]").inner_text() == "17 of 17 samples shown"


def test_samples_are_filtered_by_status_and_by_value(page: Any) -> None:
    page.uncheck("input[value=converged]")
    assert shown(page) == 3
    assert page.locator("[data-count]").inner_text() == "3 of 17 samples shown"
    page.click("button[type=reset]")
    page.wait_for_selector("[data-count]:has-text('17 of 17')")
    page.select_option("select[name=key]", "age (years)")
    ages = page.evaluate(
        """[...document.querySelectorAll('.face')]
        .map((face) => JSON.parse(face.dataset.values)['age (years)'])"""
    )
    known = sorted(age for age in ages if age is not None)
    assert shown(page) == len(known)
    middle = known[len(known) // 2]
    page.fill("input[name=low]", str(middle))
    assert shown(page) == sum(age >= middle for age in known)
    page.fill("input[name=high]", str(middle))
    assert shown(page) == known.count(middle)


def test_samples_are_filtered_by_whether_comparisons_hold(page: Any) -> None:
    counts = {}
    for value in ("yes", "no"):
        page.select_option("select[name=holds]", value)
        counts[value] = shown(page)
    # The draws have no comparisons.
    assert counts["yes"] + counts["no"] == 15


def test_a_slider_moves_a_film(page: Any) -> None:
    film = page.locator("[data-film]").first
    slider = film.locator("input[type=range]")
    slider.focus()
    assert film.locator("img:visible").count() == 1
    assert film.locator("output").inner_text() == "2 of 2: age=40"
    last = film.locator("img:visible").get_attribute("alt")
    page.keyboard.press("ArrowLeft")
    assert film.locator("output").inner_text() == "1 of 2: glasses=1"
    assert slider.get_attribute("aria-valuetext") == "1 of 2: glasses=1"
    page.keyboard.press("Home")
    assert film.locator("output").inner_text() == "0 of 2: before"
    assert film.locator("img:visible").get_attribute("alt") != last


def test_the_lightbox_is_driven_by_keys_and_gives_the_focus_back(page: Any) -> None:
    page.locator(".face .open").nth(1).focus()
    page.keyboard.press("Enter")
    box = page.locator("[data-lightbox]")
    place = box.locator("[data-place]")
    assert place.inner_text() == "kids 0001, 2 of 17"
    assert "glasses=1" in box.locator("[data-caption]").inner_text()
    page.keyboard.press("ArrowRight")
    assert place.inner_text() == "kids 0002, 3 of 17"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert place.inner_text() == "edited 0004, 17 of 17"
    page.keyboard.press("Home")
    assert place.inner_text() == "kids 0000, 1 of 17"
    # The focus stays inside.
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            """document.activeElement.closest('dialog') !== null
            || document.activeElement === document.body"""
        )
    page.keyboard.press("Escape")
    assert not box.is_visible()
    focused = page.evaluate(
        "document.activeElement.closest('figure').querySelector('.number').textContent"
    )
    assert focused == "0000"


def test_the_lightbox_leaves_out_what_is_filtered(page: Any) -> None:
    page.uncheck("input[value=converged]")
    page.locator(".face:visible .open").first.click()
    assert page.locator("[data-place]").inner_text() == "few steps 0000, 1 of 3"
    page.click("[data-close]")
    assert not page.locator("[data-lightbox]").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_schemes_and_the_switch_overrides(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate(CONTRAST) == []
    other = "dark" if scheme == "light" else "light"
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.check(f"input[name=theme][value={other}]")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert page.evaluate(CONTRAST) == []


# Text whose contrast with what is behind it is below WCAG AA.
CONTRAST = """() => {
  const numbers = (color) => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r / 255, g / 255, b / 255, a / 255];
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color[3] > 0.99) return color;
    }
    const scheme = getComputedStyle(document.documentElement).colorScheme;
    return numbers(scheme === "dark" ? "#000" : "#fff");
  };
  const bad = [];
  const unseen = ["SCRIPT", "STYLE", "OPTION", "TITLE"];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
    if (!own || !node.checkVisibility() || unseen.includes(node.nodeName)) continue;
    const style = getComputedStyle(node);
    const color = numbers(node instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [luminance(color), luminance(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${node.nodeName} ${node.className} ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


def test_everything_that_can_be_used_has_a_name(page: Any) -> None:
    nameless = page.evaluate(
        """() => [...document.querySelectorAll(
          "button, input, select, a, [role=img], [role=region], meter, dialog"
        )].filter((node) => {
          const label = node.getAttribute("aria-label") || node.textContent.trim()
            || (node.labels && node.labels.length && node.labels[0].textContent.trim())
            || (node.querySelector("img") && node.querySelector("img").alt);
          return !label;
        }).map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert nameless == []


def test_the_tab_key_goes_through_the_page_in_its_order(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tops = []
    for _ in range(40):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => { const all = [...document.querySelectorAll("*")];
            const at = document.activeElement;
            return at === document.body ? null : all.indexOf(at); }"""
        )
        if at is None:
            break
        tops.append(at)
    assert tops == sorted(tops)
    assert len(tops) > 20


def test_a_narrow_window_needs_no_sideways_scrolling(page: Any) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_print_shows_every_moment_and_no_controls(page: Any) -> None:
    page.emulate_media(media="print")
    assert not page.locator("[data-filters]").is_visible()
    assert page.locator("[data-film] img:visible").count() == 15
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_without_scripts_all_is_shown(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".face").count() == 17
    assert page.locator("[data-film] img").count() == 15
    assert not page.locator("[data-filters]").is_visible()
    context.close()

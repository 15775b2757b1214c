"""The page of a lesson, driven by a real browser."""

from __future__ import annotations

from typing import Any

import browsers
import pytest
from bars_model import truth_of

import lacelang
from lacelang.teaching.lesson import Lesson
from lacelang.teaching.subject import Subject
from lacelang.web.serving import Serving
from lacelang.web.teach import TeachPage

pytestmark = pytest.mark.browser

Served = tuple[TeachPage, Serving]


def opened(browser: Any, url: str, **how: Any) -> Any:
    """A page with all its pictures."""
    return browsers.opened(browser, url, "#sheet li.loaded:nth-child(12)", **how)


def idle(page: Any) -> None:
    page.wait_for_selector("body:not([aria-busy])")


def test_an_attribute_is_taught_with_clicks_and_keys(
    served: Served, right: Subject, browser: Any
) -> None:
    teach, serving = served
    page = opened(browser, serving.url)
    truth = dict(truth_of(right, 4096 + 100))
    assert page.locator("#title").inner_text() == "Teach bars: right"

    def batch() -> list[int]:
        return [question.index for question in teach.lesson.batch]

    first = batch()
    # Keys: 1 and 0 answer and go on, u takes back, space skips, arrows move.
    page.keyboard.press(str(1 - truth[first[0]]))
    idle(page)
    page.keyboard.press("u")
    idle(page)
    assert teach.lesson.labels == ()
    for index in first[:3]:
        page.keyboard.press(str(truth[index]))
        idle(page)
    page.keyboard.press("Space")
    idle(page)
    assert teach.lesson.labels[-1].skipped
    page.keyboard.press("ArrowRight")
    # Clicks: on a picture for 1, on a class, and on the button for the rest.
    place = next(k for k in range(4, 12) if truth[first[k]] == 1)
    page.click(f"#sheet li:nth-child({place + 1}) .picture")
    idle(page)
    assert teach.lesson.answer_to(first[place]).value == 1
    for k in range(4, 12):
        if truth[first[k]] == 1 and k != place:
            page.click(f"#sheet li:nth-child({k + 1}) button[data-value='1']")
            idle(page)
    page.click("#rest")
    page.wait_for_selector("#counts:has-text('11 labels')")
    page.wait_for_selector("#status:has-text('The next images are chosen')")
    idle(page)
    assert not set(batch()) & set(first)
    for _ in range(2):
        for index in batch():
            if teach.lesson.answer_to(index) is None:
                page.keyboard.press(str(truth[index]))
                idle(page)
        page.wait_for_selector("#sheet li:not(:has(button[aria-pressed='true']))")
    page.wait_for_selector("#accuracy:has-text('balanced accuracy')")
    assert page.locator("#scale").get_attribute("aria-label").startswith("balanced accuracy")
    page.click("#finish")
    page.wait_for_selector("#saved:not([hidden])")
    assert page.locator("#use").inner_text() == "sample 8 from bars where right = 1"
    assert page.said == []
    run = lacelang.compile("sample 3 from bars where right=1 as some").run()
    assert (run["some"].w[:, -1] > 0).all()
    # What was answered is on the disk, and another lesson goes on from there.
    assert len(Lesson(right).labels) == len(teach.lesson.labels)


def test_a_page_is_usable_by_keyboard_and_screen_reader_in_both_schemes(
    served: Served, browser: Any
) -> None:
    _, serving = served
    papers = set()
    for scheme in ("light", "dark"):
        page = opened(browser, serving.url, color_scheme=scheme)
        papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        names = page.locator("#sheet img").evaluate_all("all => all.map(each => each.alt)")
        assert names[0].startswith("Image 1 of 12, draw ")
        groups = page.locator("#sheet .classes").evaluate_all(
            "all => all.map(each => each.getAttribute('aria-label'))"
        )
        assert groups[1] == "right of image 2"
        assert page.locator("[role=status][aria-live=polite]").count() == 1
        focused = "document.activeElement.closest('li') ? 1 : 0"
        assert page.evaluate(focused) == 1
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.dataset.value") == "0"
        assert page.said == []
    assert len(papers) == 2


def test_what_is_wrong_is_said_on_the_page(served: Served, browser: Any) -> None:
    _, serving = served
    page = opened(browser, serving.url)
    page.click("#finish")
    page.wait_for_selector("#error:not([hidden])")
    assert "all 0 labels" in page.locator("#error").inner_text()

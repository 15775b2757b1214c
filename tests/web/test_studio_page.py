"""The studio's page, driven by a real browser from the keyboard and with the mouse."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import pytest
from PIL import Image, ImageChops
from studio_serving import Served, served

from lacelang.cli.main import main

pytestmark = pytest.mark.browser

PATIENCE = 120.0
"""Seconds that a run may take while other tests use the processor."""


def opened(browser: Any, url: str, **how: Any) -> Any:
    """A page of a studio that is ready."""
    return browsers.opened(browser, url, "body[data-ready]", PATIENCE, **how)


def write(page: Any, text: str) -> None:
    """Replace the program by typing."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


def program(page: Any) -> str:
    return "\n".join(page.locator(".cm-line").all_inner_texts()).replace("\xa0", " ")


def finished(page: Any, number: int, status: str = "done") -> Any:
    found = page.locator(f"article[data-run='{number}'][data-status={status}]")
    found.wait_for()
    return found


def number_of(page: Any) -> int:
    """The newest run that the page shows."""
    return max(
        (
            int(n)
            for n in page.locator("article.run").evaluate_all("all => all.map(e => e.dataset.run)")
        ),
        default=0,
    )


def until(page: Any, expression: str) -> None:
    """Wait until an expression holds; the page's own policy forbids that the browser polls it."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def loaded(page: Any, image: str) -> None:
    until(page, f"document.querySelector({image!r})?.naturalWidth > 0")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Served]:
    """A studio of digits of the test's own."""
    with served(tmp_path) as made:
        yield made


def test_a_program_is_mended_completed_run_and_saved(
    fresh: Served, browser: Any, tmp_path: Path
) -> None:
    page = opened(browser, fresh.url)
    # A wrong program says what is wrong, and what was meant.
    write(page, "sample 3 from digts where digit=three as mine")
    hint = page.locator("#problems .hint")
    hint.wait_for()
    assert hint.inner_text() == "did you mean `digits`?"
    assert page.locator("#run").is_disabled()
    assert page.locator(".cm-lintRange-error").count() == 1
    page.locator("#problems .place").click()
    assert page.evaluate("document.activeElement.id") == "editor"
    page.locator("#problems .fix").click()
    page.wait_for_selector("#problems:not(:has(li.error))", state="attached")
    assert "from digits where" in program(page)
    # What may follow is offered.
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" see")
    page.locator(".cm-tooltip-autocomplete li", has_text="seed").wait_for()
    page.wait_for_timeout(100)  # CodeMirror takes no Enter in the first moments
    page.keyboard.press("Enter")
    page.keyboard.type(" 4")
    until(page, "document.querySelector('#seed').value === '4'")
    assert program(page).endswith("as mine seed 4")
    # A word is explained under the pointer.
    page.locator(".cm-line span", has_text="where").first.hover()
    page.locator(".cm-hover").wait_for()
    assert "where" in page.locator(".cm-hover").inner_text()
    page.mouse.move(5, 5)
    # It runs from the keyboard, and its images are there.
    page.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    run = finished(page, 1)
    assert run.locator(".face").count() == 3
    assert run.locator(".readings tbody tr").first.inner_text().startswith("digit=three")
    loaded(page, ".face img")
    # The whole picture in the lightbox, from the keyboard.
    run.locator(".face .open").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-lightbox][open]")
    page.keyboard.press("ArrowRight")
    assert "0001" in page.locator("[data-place]").inner_text()
    loaded(page, "[data-lightbox] img")
    assert "/full/1" in page.locator("[data-lightbox] img").get_attribute("src")
    page.keyboard.press("Escape")
    # Downloads are the files of the run.
    with page.expect_download() as waited:
        run.locator(".face .actions a").first.click()
    data = Path(waited.value.path()).read_bytes()
    folder = fresh.studio.runs.find(1).folder
    assert data == (folder / "mine/0000.png").read_bytes()
    with page.expect_download() as waited:
        run.locator(".head a", has_text="Download all").click()
    with zipfile.ZipFile(waited.value.path()) as archive:
        assert archive.read("run-1/mine/0000.png") == data
    # Saving asks before it replaces a file.
    (tmp_path / "mine.lace").write_text("# another's\n")
    page.keyboard.press("Control+s")
    page.fill("#name", "mine.lace")
    page.keyboard.press("Enter")
    page.wait_for_selector("#exists:not([hidden])")
    assert "mine.lace is there already" in page.locator("#exists").inner_text()
    assert (tmp_path / "mine.lace").read_text() == "# another's\n"
    page.click("#save-now")
    page.wait_for_selector("#save-dialog:not([open])", state="attached")
    assert (tmp_path / "mine.lace").read_text() == program(page)
    assert page.locator("#file").inner_text() == "mine.lace"
    assert page.locator("#unsaved").is_hidden()
    assert page.said == []


@pytest.mark.slow
def test_a_long_run_is_stopped_and_the_newest_wins(fresh: Served, browser: Any) -> None:
    page = opened(browser, fresh.url)
    write(page, "sample 9000 from digits where digit=two as many")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#progress progress[max]")
    page.click("#stop")
    finished(page, 1, "stopped")
    assert page.locator("#stop").is_disabled()
    assert page.locator("#progress progress").count() == 0
    page.click("#run")
    page.wait_for_selector("article[data-run='2'][data-status=running]")
    write(page, "sample 2 from digits where digit=two as few")
    page.wait_for_selector("#problems:empty", state="attached")
    page.keyboard.press("Control+Enter")
    assert finished(page, 3).locator(".face").count() == 2
    finished(page, 2, "stopped")
    assert page.said == []


def test_text_and_sliders_are_in_step(fresh: Served, browser: Any) -> None:
    page = opened(browser, fresh.url)
    page.uncheck("#live")
    write(page, "sample 2 from ffhq where smile=1 or glasses=1 as x")
    age = page.locator("[data-attribute=age]")
    age.wait_for()
    assert age.locator("select").input_value() == "any"
    age.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('[data-attribute=age] select').value === 'is'")
    assert program(page) == "sample 2 from ffhq where (smile=1 or glasses=1) and age=36 as x"
    page.keyboard.press("End")
    until(page, "document.querySelector('[data-attribute=age] input.number').value === '70'")
    assert age.locator("input[type=range]").get_attribute("aria-valuetext") == "70 years"
    # Undone together, as one slide.
    age.locator("select").select_option("between")
    age.locator("input[type=range]").nth(1).wait_for()
    assert re.search(r"age in [\d.]+\.\.70 as", program(page))
    age.locator("select").select_option("any")
    page.locator("[data-attribute=haircolor] select").select_option("gray")
    page.locator("[data-attribute=smile] select").select_option("degree")
    page.locator("[data-attribute=smile] input[type=range]").wait_for()
    assert program(page).endswith("(smile=1 or glasses=1) and haircolor=gray and smile ~ 0.5 as x")
    # And the other way.
    write(page, "sample 2 from ffhq where age > 51 as x")
    until(page, "document.querySelector('[data-attribute=age] input.number').value === '51'")
    assert age.locator("select").input_value() == "above"
    # Where the text cannot be read, they wait; where it can, they go on.
    write(page, "sample 2 from ffhq where age > ")
    page.wait_for_selector("#controls[inert]")
    page.keyboard.type("20")
    page.wait_for_selector("#controls:not([inert])")
    page.fill("#count", "5")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#editor').shadowRoot.textContent.includes('sample 5')")
    page.click("#others")
    until(page, "document.querySelector('#seed').value === '1'")
    assert program(page) == "sample 5 from ffhq where age > 20 seed 1"
    assert fresh.studio.runs.state()["runs"] == []
    assert page.said == []


@pytest.mark.slow
def test_every_model_has_a_program_and_sliders(fresh: Served, browser: Any) -> None:
    page = opened(browser, fresh.url)
    page.uncheck("#live")
    for model in ("eyes", "digiface", "ffhq", "digits"):
        page.select_option("#start", model)
        until(page, f"document.querySelector('#target').value === '{model}_1'")
        assert page.locator("#controls .control").count() >= 1
        assert page.locator("#problems li.error").count() == 0


@pytest.mark.weights
def test_a_slider_ages_a_face_which_stays_the_same_person(
    tmp_path: Path, browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(tmp_path, model="ffhq") as studio:
        page = opened(browser, studio.url)
        write(page, "sample 2 from ffhq where smile=1 seed 3 as people")
        page.keyboard.press("Control+Enter")
        finished(page, 1)
        page.locator("[data-run='1'] .face button", has_text="Edit this face").nth(1).click()
        loaded(page, "#after")
        assert "pick 1 of people as people_1" in program(page)
        begun = float(page.locator("[data-attribute=age] input.number").input_value())
        before = page.locator("#after").get_attribute("src")
        age = page.locator("[data-attribute=age] input[type=range]")
        age.focus()
        # Faster than runs are: only the newest is wanted.
        for _ in range(6):
            page.keyboard.press("PageUp")
        until(page, f"document.querySelector('#after').getAttribute('src') !== {before!r}")
        aged = float(page.locator("[data-attribute=age] input.number").input_value())
        assert aged > begun + 10
        until(page, "document.body.getAttribute('aria-busy') === null")
        newest = number_of(page)
        run = finished(page, newest)
        assert f"age = {aged:g}" in program(page)
        folder = studio.studio.runs.find(newest).folder
        start, young, old = (
            Image.open(p)
            for p in (
                studio.studio.runs.find(1).folder / "people/0001.png",
                folder / "people_1/0000.png",
                folder / "people_1_edited/0000.png",
            )
        )
        # The face that it begins from is to the last pixel that of the first run; and it has aged.
        assert start.tobytes() == young.tobytes()
        assert ImageChops.difference(young, old).getbbox() is not None
        with page.expect_download() as waited:
            run.locator("section:last-child .face .actions a").click()
        picture = tmp_path / "aged.png"
        picture.write_bytes(Path(waited.value.path()).read_bytes())
        # Runs of one slide leave one run behind.
        assert [n for n, _ in studio.studio.runs.state()["runs"]] == [1, newest]
        assert page.said == []
    # What was downloaded is made again from the command line, to the same pixels.
    assert main(["replay", str(picture)]) == 0
    with Image.open(picture) as image, Image.open(tmp_path / "aged.replay.png") as again:
        assert image.size == (1024, 1024)
        assert image.tobytes() == again.tobytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_is_usable_by_keyboard_and_screen_reader(
    fresh: Served, browser: Any, scheme: str
) -> None:
    page = opened(browser, fresh.url, color_scheme=scheme, viewport={"width": 400, "height": 800})
    page.click("#run")
    finished(page, 1)
    loaded(page, ".face img")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(251, 251, 250)"
    assert dark == (scheme == "dark")
    # All that can be used has a name, in the order of the page.
    unnamed = page.evaluate(
        """[...document.querySelectorAll('button, a, input, select, img')].filter((each) =>
        each.checkVisibility() && !(each.labels?.length || each.getAttribute('aria-label') ||
        each.textContent.trim() || each.alt || each.querySelector('img[alt]')))
        .map((each) => each.outerHTML)"""
    )
    assert unnamed == []
    assert page.locator(".cm-content").get_attribute("aria-label") == "Program"
    assert page.locator("[role=status][aria-live=polite]#status").count() == 1
    # Tab leaves the editor, for the buttons below.
    page.locator(".cm-content").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") in ("run", "live")
    names = page.locator(".face .actions button").evaluate_all("all => all.map(e => e.ariaLabel)")
    assert names[0] == "Edit this face: digits_1 0"
    assert page.said == []


def test_a_studio_that_has_ended_is_said_and_the_program_stays(
    tmp_path: Path, browser: Any
) -> None:
    with served(tmp_path) as studio:
        page = opened(browser, studio.url)
        write(page, "sample 2 from digits where digit=two as mine")
    page.wait_for_selector("#gone:not([hidden])")
    assert "The studio has ended" in page.locator("#gone").inner_text()
    assert program(page) == "sample 2 from digits where digit=two as mine"
    page.click("#save")
    page.fill("#name", "x")
    page.keyboard.press("Enter")
    page.wait_for_selector("#exists:not([hidden])")
    assert page.locator("#exists").inner_text() == "The studio does not answer."


def test_what_fails_is_said_on_the_page(
    fresh: Served, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lacelang.api import Program
    from lacelang.errors import ResourceError

    def fail(*_: object, **__: object) -> None:
        raise ResourceError(
            "the weights cannot be fetched: no network", "connect, and run it again"
        )

    page = opened(browser, fresh.url)
    with monkeypatch.context() as patch:
        patch.setattr(Program, "run", fail)
        page.click("#run")
        run = finished(page, 1, "failed")
    assert run.locator("[role=alert]").inner_text() == (
        "the weights cannot be fetched: no network\nconnect, and run it again"
    )
    page.click("#run")
    assert finished(page, 2).locator(".face").count() == 4

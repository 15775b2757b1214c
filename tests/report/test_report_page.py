"""The page of a run as text: what is on it, and that nothing of a run can become markup."""

from __future__ import annotations

import html
import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from report_texts import HOSTILE

from lacelang.cli.main import main
from lacelang.errors import ResourceError
from lacelang.report.page import page, write_report
from lacelang.storage.reading import find_run


class Elements(HTMLParser):
    """What elements a page has, with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def text(run_folder: Path) -> str:
    return page(find_run(run_folder))


def test_the_page_names_every_group_with_what_was_wanted_and_achieved(text: str) -> None:
    assert all(name in text for name in ("kids", "few steps", "edited"))
    images = Elements(text).named("img")
    alts = [image["alt"] for image in images]
    faces = [alt for alt in alts if alt.startswith("kids 0")]
    assert len(faces) == 5
    for alt in faces:
        assert re.search(r"Wanted glasses=1: predicted [\d.]+, holds", alt), alt
        assert re.search(r"Wanted age=40: predicted [\d.]+ years, (holds|does not hold)", alt), alt
    assert any("No condition" in alt for alt in alts)
    assert all(image["src"].startswith("data:image/") for image in images)


def test_a_status_is_told_with_its_remedy(text: str) -> None:
    assert "3 × max steps" in text
    assert "Allow more steps" in text


def test_nothing_of_a_run_becomes_markup(text: str) -> None:
    elements = Elements(text)
    # The page's own script is the only one, and no element has a handler or a style of its own.
    assert len(elements.named("script")) == 1
    assert not elements.named("b")
    for tag, attributes in elements.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
    assert html.escape(HOSTILE) in text.replace("&#34;", "&quot;")
    assert "draws &amp; &lt;b&gt;bold&lt;/b&gt;" in text


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else(text: str) -> None:
    import base64
    import hashlib

    policy = next(
        meta["content"]
        for meta in Elements(text).named("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_names_no_other_place(text: str) -> None:
    for tag, attributes in Elements(text).found:
        for name in ("src", "href", "action", "srcset", "data"):
            place = attributes.get(name)
            assert place is None or place.startswith(("#", "data:image/")), (tag, place)


def test_headings_and_labels_are_in_order_and_ids_are_unique(text: str) -> None:
    elements = Elements(text)
    levels = [int(tag[1]) for tag, _ in elements.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements.found:
        assert attributes.get("aria-labelledby") in (None, *ids)
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in elements.found}


def test_a_film_has_every_moment_of_an_edit(text: str) -> None:
    sliders = [each for each in Elements(text).named("input") if each.get("type") == "range"]
    assert len(sliders) == 5
    for slider in sliders:
        assert json.loads(slider["data-lines"]) == ["before", "glasses=1", "age=40"]


def copied(run_folder: Path, to: Path) -> Path:
    shutil.copytree(run_folder, to / "copy")
    return to / "copy"


def test_a_run_without_images_and_one_cut_short_have_a_page(
    run_folder: Path, tmp_path: Path
) -> None:
    folder = copied(run_folder, tmp_path)
    for image in folder.rglob("*.png"):
        image.unlink()
    lines = (folder / "kids" / "samples.jsonl").read_text().splitlines(keepends=True)
    (folder / "kids" / "samples.jsonl").write_text("".join(lines[:2]) + lines[2][:30])
    shutil.rmtree(folder / "few steps")
    found = page(find_run(folder))
    assert "2 of 5 samples are there" in found
    assert "2 of 2 samples have no image" in found
    assert "0 of 3 samples are there" in found
    assert not Elements(found).named("img")
    assert 'aria-label="kids 0000' in found


def test_a_changed_image_is_not_shown_as_the_sample(run_folder: Path, tmp_path: Path) -> None:
    folder = copied(run_folder, tmp_path)
    shutil.copy(folder / "kids" / "0001.png", folder / "kids" / "0000.png")
    (folder / "kids" / "0002.png").write_bytes(b"no picture")
    alts = [image["alt"] for image in Elements(page(find_run(folder))).named("img")]
    assert [alt[:9] for alt in alts if alt.startswith("kids 0")] == [
        "kids 0001",
        "kids 0003",
        "kids 0004",
    ]


def test_a_page_is_written_by_command_and_reading_changes_nothing(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(run_folder, tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    out = tmp_path / "elsewhere" / "page.html"
    out.parent.mkdir()
    assert main(["report", str(folder), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert write_report(folder) == folder / "report.html"


def test_a_folder_without_a_run_is_refused_with_a_remedy(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="there is no folder"):
        find_run(tmp_path / "nowhere")
    with pytest.raises(ResourceError, match="holds no run"):
        find_run(tmp_path)
    with pytest.raises(ResourceError) as caught:
        find_run(run_folder / "kids")
    assert str(run_folder) in caught.value.remedy
    assert "group" in caught.value.remedy

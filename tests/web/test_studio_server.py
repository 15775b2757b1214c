"""What a studio answers, to its page and to others."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from studio_serving import Served

from lacelang.web.studio.studio import MOST_BYTES

TEXT = "sample 2 from digits where digit=three seed 5 as threes\n"
PAGES = Path(__file__).parents[2] / "lacelang/web/pages"


def test_the_page_and_all_that_it_names_are_served(studio: Served) -> None:
    status, headers, body = studio.ask("")
    page = body.decode()
    assert status == 200
    assert "script-src 'self'; style-src 'self'" in headers["content-security-policy"]
    named = set(re.findall(r'(?:href|src)="([\w.]+)"', page))
    unread = [name for name in named if name.endswith(".js")]
    while unread:
        imported = re.findall(r'from "\./([\w.]+)"', studio.ask(unread.pop())[2].decode())
        unread += set(imported) - named
        named.update(imported)
    assert {"base.css", "report.css", "codemirror.js", "studio_editor.js"} <= named
    for name in named:
        assert studio.ask(name)[0] == 200, name
    # Nothing of it comes from elsewhere, and no style or script stands in it.
    for name in ("studio.html", "studio.css", *(p.name for p in PAGES.glob("studio*.js"))):
        text = (PAGES / name).read_text()
        assert "http:" not in text
        assert "https:" not in text
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"<script(?! src)", page)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_another_site_runs_nothing(
    studio: Served, root: Path, headers: dict[str, str], status: int
) -> None:
    before = studio.studio.runs.state()
    asked = json.dumps({"text": TEXT, "name": "stolen"}).encode()
    for path in ("run", "save", "check", "edit"):
        assert studio.ask(path, raw=asked, **headers)[0] == status
    assert studio.studio.runs.state() == before
    assert not (root / "stolen.lace").exists()


def test_the_token_is_needed_for_everything(studio: Served) -> None:
    for path in ("/", "/opening", "/events", "/runs/1", "/x/run", f"/{studio.token[:-1]}/opening"):
        assert studio.ask(path)[0] == 404
    assert studio.ask("/run", {"text": TEXT})[0] == 404


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        (path, raw)
        for path in ("check", "complete", "hover", "format", "set", "edit", "run", "save")
        for raw in (b"{", b"[]", b"{}", b'{"text": 1}', b'{"text": null, "at": "x"}')
    ],
)
def test_wrong_requests_are_refused_in_words(studio: Served, path: str, raw: bytes) -> None:
    status, _, body = studio.ask(path, raw=raw)
    assert status == 400
    said = json.loads(body)["error"]
    assert said
    assert "unexpected" not in said


def test_long_requests_are_refused_and_long_programs_are_not(studio: Served) -> None:
    assert studio.ask("check", raw=b" " * (MOST_BYTES + 1))[0] == 413
    assert studio.said("check", {"text": TEXT + "#" * 100_000})["wrong"] is False


def test_a_wrong_program_is_explained_and_does_not_run(studio: Served) -> None:
    wrong = "# 🙂\nsample 2 from digts where digit=three"
    found = studio.said("check", {"text": wrong})
    (problem,) = found["problems"]
    assert found["wrong"]
    assert problem["hint"] == "did you mean `digits`?"
    # Places are counted as the browser does.
    units = wrong.encode("utf-16-le")
    assert units[2 * problem["from"] : 2 * problem["to"]].decode("utf-16-le") == "digts"
    assert problem["fix"]["changes"][0]["insert"] == "digits"
    answer = studio.said("run", {"text": wrong})
    assert answer["run"] is None
    assert answer["problems"] == [problem]


def test_completions_and_descriptions_come_from_the_language(studio: Served) -> None:
    text = "# 🙂\nsample from digits where di"
    at = len(text.encode("utf-16-le")) // 2
    found = studio.said("complete", {"text": text, "at": at})
    assert [o["label"] for o in found["options"]] == ["digit"]
    assert found["from"] == at - 2
    said = studio.said("hover", {"text": text + "git=one", "at": at})
    assert "`digits`" in said["text"]
    assert studio.said("hover", {"text": text, "at": 1})["text"] is None


def test_sliders_are_built_from_the_declaration(studio: Served) -> None:
    text = "sample from ffhq where age > 30 as x\nsample from digits as y"
    found = studio.said("check", {"text": text, "target": "x"})
    controls = {each["name"]: each for each in found["controls"]}
    age, smile, hair = controls["age"], controls["smile"], controls["haircolor"]
    assert (age["kind"], age["low"], age["high"], age["unit"]) == ("continuous", 0, 70, "years")
    assert (age["form"], age["values"], age["points"]["adult"]) == ("above", [30], 35)
    assert (smile["kind"], smile["form"]) == ("binary", "any")
    assert hair["classes"] == ["black", "brown", "blond", "gray", "red"]
    assert (found["count"], found["seed"]) == (8, 0)
    found = studio.said("check", {"text": text, "target": "y"})
    assert [each["name"] for each in found["controls"]] == ["digit"]
    asked = {"text": text, "target": "x", "attribute": "age", "form": "is", "values": [44]}
    (change,) = studio.said("set", asked)["changes"]
    assert text[change["from"] : change["to"]] == "age > 30"
    assert change["insert"] == "age=44"
    (change,) = studio.said("set", {"text": text, "target": "y", "number": "count", "value": 3})[
        "changes"
    ]
    assert change["insert"] == " 3"


def test_images_are_the_files_of_the_run(studio: Served) -> None:
    number = studio.run(TEXT)
    run = studio.said(f"runs/{number}")
    assert run["status"] == "done"
    assert [face["index"] for face in run["faces"]] == [0, 1]
    path = studio.studio.runs.find(number).folder / "threes/0001.png"
    status, headers, body = studio.ask(f"runs/{number}/full/1?group=threes")
    assert (status, headers["content-type"], body) == (200, "image/png", path.read_bytes())
    assert headers["content-disposition"].startswith("attachment")
    _, headers, body = studio.ask(f"runs/{number}/small/1?group=threes")
    with Image.open(io.BytesIO(body)) as image:
        assert image.size == (28, 28)
    for path_ in (
        f"runs/{number}/full/2?group=threes",
        f"runs/{number}/full/0?group=..",
        f"runs/{number}/full/0?group=%2Fetc",
        f"runs/{number}/full/0",
        f"runs/{number + 1}/full/0?group=threes",
    ):
        status, _, body = studio.ask(path_)
        assert status == 400
        assert json.loads(body)["error"]


def test_a_run_is_downloaded_whole(studio: Served, tmp_path: Path) -> None:
    number = studio.run(TEXT)
    status, headers, body = studio.ask(f"runs/{number}.zip")
    assert (status, headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    folder = tmp_path / f"run-{number}"
    assert (folder / "program.lace").read_text() == TEXT
    assert {f"run-{number}/run.json", f"run-{number}/threes/0000.png"} <= set(names)
    assert not any("/." in name for name in names)
    # It is a run folder, with which the next run goes on.
    import lacelang

    seen: list[int] = []
    lacelang.compile(TEXT).run(out=folder, on_image=lambda g, s, f: seen.append(s.index))
    assert seen == [0, 1]
    assert list(studio.studio.runs.home.glob("*.zip")) == []
    status, headers, body = studio.ask(f"runs/{number}.html")
    assert status == 200
    assert headers["content-disposition"].startswith("attachment")
    assert b"data:image/png" in body


def test_the_page_is_told_of_changes(studio: Served) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", studio.serving.port, timeout=60)
    connection.request("GET", f"/{studio.token}/events")
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    number = studio.run(TEXT)
    for _ in range(200):
        line = response.readline().decode()
        if line.startswith("data: "):
            state = json.loads(line[6:])
            if state["running"] is None and [number] in [each[:1] for each in state["runs"]]:
                break
    else:
        raise AssertionError("the run was not told of")
    connection.close()


def test_a_face_is_edited_from_where_it_is(studio: Served) -> None:
    number = studio.run(TEXT)
    asked = {"text": TEXT, "run": number, "group": "threes", "index": 1}
    answer = studio.said("edit", asked)
    assert answer["readings"] == {"digit": "three"}
    assert answer["target"] == "threes_1_edited"
    (change,) = answer["changes"]
    text = TEXT[: change["from"]] + change["insert"]
    assert "pick 1 of threes as threes_1" in text
    assert "digit = three" in text
    for wrong in ({**asked, "index": 9}, {**asked, "group": "none"}, {**asked, "run": 10**6}):
        assert studio.ask("edit", wrong)[0] == 400


def test_programs_are_saved_below_the_root_and_asked_about(studio: Served, root: Path) -> None:
    assert studio.said("save", {"text": TEXT, "name": "mine"}) == {"file": "mine.lace"}
    assert (root / "mine.lace").read_text() == TEXT
    (root / "mine.lace").write_text("# another's\n")
    answer = studio.said("save", {"text": TEXT, "name": "mine"})
    assert answer == {"exists": "mine.lace is there already"}
    assert studio.said("save", {"text": TEXT, "name": "mine", "replace": True}) == {
        "file": "mine.lace"
    }
    assert studio.ask("save", {"text": TEXT, "name": "../mine"})[0] == 400


def test_files_outside_of_the_root_are_not_read(studio: Served, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.lace").write_text("let hidden = digit=one\n")
    (tmp_path / "w.npz").write_bytes(b"not latents")
    for text in (
        f'import "{tmp_path}/secret.lace"\nsample from digits where hidden',
        f'edit "{tmp_path}/w.npz" {{ digit = one }} from digits',
        f'edit "{tmp_path}/none.npz" {{ digit = one }} from digits',
    ):
        found = studio.said("check", {"text": text})
        assert "LACE121" in [each["code"] for each in found["problems"]]
        assert studio.said("run", {"text": text})["run"] is None
        for at in (8, text.rindex(" ") + 1):
            described = studio.said("hover", {"text": text, "at": at})["text"] or ""
            assert "digit=one" not in described


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_the_command_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lacelang", "studio", "--no-open", "--model", "digits"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", url)
        assert len(list(tmp_path.glob("lacelang-studio-*"))) == 1
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err
    assert err.strip().endswith("the studio has ended")
    assert list(tmp_path.glob("lacelang-studio-*")) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "dgits"], 2, "there is no model `dgits`"),
        (["picture.png"], 2, "is not a program"),
        (["--root", "nowhere"], 2, "is no folder"),
        (["a.lace", "--root", "below"], 2, "does not lie below"),
    ],
)
def test_a_wrong_command_line_is_said(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from lacelang.cli.main import main

    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["studio", "--no-open", *arguments]) == code
    assert said in capsys.readouterr().err

"""No text of a program, a file or the environment drives a terminal, or is hidden on it."""

from __future__ import annotations

import html
import io
import json
import os
import re
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hostile import COLOURS, MARKUP, NEVER, PIECES, texts
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save_file

import lacelang
from lacelang.cli import models
from lacelang.cli.main import main
from lacelang.engine import consent
from lacelang.errors import DEBUG, LaceError, ResourceError
from lacelang.evaluate.report import Picture, Report, Table, as_markdown, print_tables
from lacelang.explain.render import print_lines
from lacelang.progress import Bars, Plain, shown
from lacelang.render.text import font, legible
from lacelang.repl.pictures import graphics_of
from lacelang.storage import cache
from lacelang.storage.fetch import Archive
from lacelang.storage.records import GroupRecord, ProgramRecord, RunRecord, write_index
from lacelang.text.channels import console
from lacelang.text.hidden import displayed

Sink = Callable[[str], str]
FEW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
RIGHT = "sample 2 from ffhq\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv(DEBUG, raising=False)


def said(*arguments: str, source: str = "", terminal: bool = False) -> str:
    """What a command prints to both streams."""
    made = Terminal if terminal else io.StringIO
    out, before = made(), (sys.stdin, sys.stdout, sys.stderr)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(source), out, out
    try:
        with suppress(SystemExit):
            main(arguments)
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
    return out.getvalue()


def on_disk(name: str, data: str) -> str:
    """Write a file of that name, if the system has such names."""
    try:
        Path(name).write_text(data, encoding="utf-8")
    except (OSError, ValueError):
        assume(False)
    return name


# On the command line


COMMANDS = {
    "check": lambda text: said("check", text),
    "check_json": lambda text: said("check", "--json", text),
    "fmt": lambda text: said("fmt", text),
    "explain": lambda text: said("explain", text),
    "run": lambda text: said("run", text),
    "evaluate": lambda text: said("evaluate", text),
    "models_show": lambda text: said("models", "show", text),
    "models_from": lambda text: said("models", "fetch", "ffhq", "--from", text),
    "unknown_command": lambda text: said(text),
    "unknown_option": lambda text: said("run", "p.lace", f"--{text}"),
    "no_number": lambda text: said("run", "p.lace", "--seed", text),
    "only": lambda text: said("explain", "--only", text, "-", source=RIGHT),
    "run_only": lambda text: said("run", "--only", text, "-", source=RIGHT),
    "on_a_terminal": lambda text: said("explain", text, terminal=True),
}


def folded(text: str) -> str:
    """The text as Python or JSON may have written it, in one way."""
    for written, plain in (("\\r", "\\x0d"), ("\\u00", "\\x"), ("\\b", "\\x08"), ("\\f", "\\x0c")):
        text = text.replace(written, plain)
    return text.replace("\\\\", "\\")


def assert_shown(text: str, output: str, whole: bool = True) -> None:
    """The letters around what is hidden are there, and it by its number; nothing else is."""
    found = NEVER.search(COLOURS.sub("", output))
    assert found is None, (found, output)
    assert "Qx" in output
    if whole:
        assert displayed(text) in folded(output), output
    else:
        assert "xQ" in output


@pytest.mark.parametrize("sink", COMMANDS.values(), ids=COMMANDS.keys())
@FEW
@given(texts())
def test_arguments(sink: Sink, text: str) -> None:
    # Astral characters are pairs in JSON.
    assert_shown(text, sink(text), whole=max(text) < "\U000e0000")


@pytest.mark.parametrize("terminal", [False, True])
@FEW
@given(texts())
def test_names_of_files(terminal: bool, text: str) -> None:
    wrong = on_disk(f"{text}.lace", "sample from ffhq where smile=7\n")
    for command in (["check"], ["explain"], ["run"], ["evaluate"]):
        assert_shown(text, said(*command, wrong, terminal=terminal))
    on_disk(wrong, "sample\n2 from ffhq as x")
    assert_shown(text, said("fmt", "--check", wrong, terminal=terminal))
    found = json.loads(said("fmt", "--json", wrong, terminal=terminal))
    assert found[0]["path"].encode() == wrong.encode(errors="backslashreplace")
    Path(text).write_text("a file", encoding="utf-8")
    assert_shown(text, said("run", "--out", f"{text}/x", "-", source=RIGHT, terminal=terminal))


# In a program


PROGRAMS = {
    "group": 'sample from ffhq as "{}"',
    "group_that_is_not": 'edit "{}" {{ smile=1 }}',
    "import": 'import "{}"',
    "classifiers": 'model m {{\n generator g\n classifiers "{}" on w\n attribute a : binary\n}}',
    "package": 'model m {{\n generator g from "{}" sha256 "{}"\n attribute a : binary\n}}',
    "value": 'sample from ffhq where haircolor="{}"',
    "attribute": "sample from ffhq where {}=1",
    "word": "sample from ffhq {}",
    "model": "sample from {}",
    "definition": "let {} = smile=7",
    "comment": "sample from ffhq where smile=7  # {}",
    "never_closed": 'sample from ffhq as "{}',
    "other_quotes": "sample from ffhq as '{}'",
}
_ENDS_LINES = ("\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
@FEW
@given(texts(tuple(p for p in PIECES if p not in _ENDS_LINES and not "\ud800" <= p <= "\udfff")))
def test_programs(program: str, text: str) -> None:
    source = program.format(*[text] * program.count("{}"))
    for command in ("check", "fmt", "explain", "run"):
        output = said(command, "-", source=source)
        if command == "fmt" and output.startswith("sample from ffhq where smile=7"):
            continue  # a program that is printed as it is: a comment with characters without width
        assert_shown(text, output)
    found = json.loads(said("check", "--json", "-", source=source))
    assert found[0]["code"]


@FEW
@given(texts(_ENDS_LINES))
def test_ends_of_lines_in_programs(text: str) -> None:
    assert_shown(text, said("check", "-", source=f"sample from ffhq as {text}"), whole=False)


def test_a_comment_may_hold_what_has_no_width_but_nothing_that_reorders_it() -> None:
    fine = "sample from ffhq  # ب\u200e a\u200bb \u2764\ufe0f\n"
    assert said("fmt", "-", source=fine) == fine
    assert displayed(fine) in said("fmt", "-", source=fine, terminal=True)
    (found,) = json.loads(said("check", "--json", "-", source="sample from ffhq # ab\u202ec\n"))
    assert (found["code"], found["column"], found["end_column"]) == ("LACE001", 22, 23)


# In files that a program names, and in the environment


@FEW
@given(texts())
def test_records_of_runs(text: str) -> None:
    folder = Path("out")
    (folder / "men").mkdir(parents=True, exist_ok=True)
    settings = {"model": text, "truncation": 0.5}
    group = GroupRecord("men", "men", text, "f", 9, 4, settings, ())
    write_index(folder, RunRecord(ProgramRecord(text, ""), {}, (group,)))
    output = said("check", "-", source='edit "out/men" { smile=1 } as e')
    # No file holds halves of characters.
    assert_shown(text.encode(errors="replace").decode(), output)
    index = json.dumps({text: 1, "schema": text}).encode()
    (folder / "run.json").write_bytes(index)
    output = said("check", "-", source='edit "out/men" { smile=1 } as e')
    assert "run.json" in output
    assert NEVER.search(output) is None


@FEW
@given(texts(tuple(p for p in PIECES if not "\ud800" <= p <= "\udfff")))
def test_keys_of_arrays(text: str) -> None:
    save_file({text: np.zeros((1, 512), np.float32)}, "w.safetensors", {text: text})
    source = 'edit "w.safetensors" { smile=1 } from ffhq as e'
    assert_shown(text, said("check", "-", source=source))


@pytest.mark.parametrize("variable", ["LACELANG_INDEX_URL", "PIP_INDEX_URL"])
@pytest.mark.parametrize("url", ["{}", "http://127.0.0.1:9/{}", "ftp://{}", "http://[{}"])
@FEW
@given(text=texts())
def test_addresses(variable: str, url: str, text: str, tmp_path: Path) -> None:
    # As a process gets it: bytes that are no text are halves of characters.
    named = os.fsdecode(url.format(text).encode(errors="ignore").replace(b"\0", b"\xff"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LACELANG_CACHE", str(tmp_path / "cache"))
        patched.delenv("LACELANG_INDEX_URL", raising=False)
        patched.setenv(variable, named)
        output = said("models", "fetch", "ffhq")
    assert "cannot fetch random-face" in output
    assert "LACELANG_INDEX_URL" in output
    if not url.startswith("http:"):
        assert "Qx" in output
    assert NEVER.search(output) is None


@FEW
@given(texts())
def test_other_variables(text: str) -> None:
    with pytest.raises(LaceError) as wrong:
        graphics_of({"TERM": "xterm", "LACELANG_GRAPHICS": text}, terminal=True)
    assert_shown(text, str(wrong.value))
    on_disk(text, "a file where the cache would be")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LACELANG_CACHE", text)
        assert_shown(text, said("models", "fetch", "ffhq"))


# What libraries say


def _raising(error: Exception) -> str:
    def broken(arguments: Namespace) -> int:
        raise error

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(models, "list_models", broken)
        return said("models", "list")


ERRORS: dict[str, Callable[[str], Exception]] = {
    "runtime": RuntimeError,
    "file": lambda text: OSError(5, "broken", text),
    "reason": lambda text: OSError(5, text),
    "lace": LaceError,
    "resource": lambda text: ResourceError(text, text),
}


@pytest.mark.parametrize("make", ERRORS.values(), ids=ERRORS.keys())
@FEW
@given(texts())
def test_errors(make: Callable[[str], Exception], text: str) -> None:
    # Of unexpected errors white space is folded, and reasons of the system are in small letters.
    output = _raising(make(text)).replace("qx", "Qx").replace("xq", "xQ")
    assert_shown(text, output, whole=False)
    if make in (LaceError, ERRORS["resource"]):
        assert_shown(text, str(make(text)))


@FEW
@given(texts())
def test_tracebacks(text: str) -> None:
    def broken(arguments: Namespace) -> int:
        raise RuntimeError(text)

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(DEBUG, "1")
        patched.setattr(models, "list_models", broken)
        patched.setattr(sys, "argv", ["lacelang", "models", "list"])
        patched.setattr("lacelang.cli.main._leave", lambda code: None)
        patched.setattr(sys, "stderr", out := io.StringIO())
        assert main() == 3
    assert "Traceback" in out.getvalue()
    assert_shown(text, out.getvalue())


# Bars, tables, questions


@FEW
@given(st.one_of(texts(), texts(MARKUP)))
def test_bars(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stderr", out := Terminal())
        with shown() as progress:
            assert isinstance(progress, Bars)
            with progress.stage(text, 1) as stage:
                stage.advance()
            progress.note(f"a note {text}")
            print(f"a library {text}", file=sys.stderr)
    Plain(out).note(f"a line {text}")
    # Besides colours, those of the cursor, which bars are drawn with.
    output = COLOURS.sub("", out.getvalue()).replace("\x1b[?25l", "").replace("\x1b[?25h", "")
    output = output.replace("\x1b[1A", "").replace("\x1b[2K", "").replace("\r", "")
    assert_shown(text, output)
    for begin in ("a note", "a library", "a line"):
        assert f"{begin} {displayed(text)}" in output


@FEW
@given(st.one_of(texts(), texts(MARKUP)))
def test_tables_and_outlines(text: str) -> None:
    table = Table(f"title {text}", ({text: text, "b": 1.0},), f"note {text}")
    printed = Terminal()
    print_tables(Report(text, (table,)), console(printed, width=200))
    print_lines([((f"{text} outlined", "bold"), (text, "cyan"))], console(printed, width=200))
    assert COLOURS.search(printed.getvalue())
    plain = COLOURS.sub("", printed.getvalue())
    assert_shown(text, plain)
    for each in ("title {}", "note {}", "{} outlined"):
        assert each.format(displayed(text)) in plain
    # What is shown is what was measured: the columns stand under their headings.
    heading, rule, row = plain.splitlines()[1:4]
    assert heading.rindex("b") + 1 == len(heading.rstrip())
    assert row.rstrip().endswith("1.000")
    assert len(rule.rstrip()) >= len(row.rstrip())


@FEW
@given(texts())
def test_the_question(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stdin", Terminal("n\n"))
        patched.setattr(sys, "stderr", out := Terminal())
        patched.setattr(consent, "size_of", lambda archive: None)
        assert not consent._agreed(Archive(text, "1", "0" * 64))
    assert_shown(text, out.getvalue())


@FEW
@given(texts())
def test_notes_of_the_cache(text: str) -> None:
    path = Path(on_disk(text, "damaged"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stderr", out := io.StringIO())
        cache.set_aside(path)
    assert_shown(text, out.getvalue())


# Sheets and reports


@FEW
@given(texts())
def test_titles_of_sheets(text: str) -> None:
    drawn = legible(text, font(15))
    # White space is one space there.
    assert_shown(" ".join(text.split()), drawn)


@FEW
@given(st.one_of(texts(), texts(MARKUP)))
def test_markdown(text: str) -> None:
    table = Table(f"{text} t", ({"a": text},))
    picture = Picture("p) [x](y", text, lambda: Image.new("RGB", (1, 1)))
    lines = as_markdown(Report(text, (table,), (picture,)))
    assert_shown("Qx", lines)
    assert "<b>" not in lines
    assert "[link=h]" not in lines
    assert ("&amp;lt;" in lines) == ("&lt;" in text)
    assert lines.rstrip().endswith("(p%29%20%5Bx%5D%28y.jpg)")


def test_text_in_markdown_is_read_as_it_was() -> None:
    from markdown import markdown

    from lacelang.render.markdown import markdown_text

    for text in ("a < 20 and b_c [weight 2]", "*a* _b_ [x](y) <b>", "a | b \\ c &amp; ~~x~~"):
        page = markdown(markdown_text(text))
        for tag in ("<em>", "<a ", "<b>", "<strong>", "<del>"):
            assert tag not in page
        seen = html.unescape(page.removeprefix("<p>").removesuffix("</p>"))
        assert seen.replace("\\|", "|").replace("\\~", "~") == text


WRITTEN = {
    "accent": "é",
    "persian": "می\u200cخواهم",
    "hindi": "क्\u200dष",
    "variant": "葛\U000e0100",
    "family": "👩\u200d👩\u200d👧",
    "heart": "❤\ufe0f",
    "keycap": "1\ufe0f\u20e3",
    "flag": "🏳\ufe0f\u200d🌈",
    "doctor": "🧑🏽\u200d⚕\ufe0f",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
def test_what_writing_needs_is_left(text: str) -> None:
    assert displayed(text) == text
    name = lacelang.compile(f'sample from ffhq as "{text}"').groups[0]
    assert name == text


def test_there_is_one_way_to_each_screen() -> None:
    package = Path(lacelang.__file__).parent
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(package).as_posix()
        # On the command line the streams themselves display what is printed.
        if not name.startswith("cli/") and name != "text/channels.py":
            assert not re.search(r"(?<![\w.])print\(|std(out|err)\.write\(", text), name
        if name != "text/screen.py":
            assert not re.search(r"\bConsole\(|rich\.markup|from rich import print", text), name


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_each_is_shown_by_its_number(piece: str) -> None:
    shown_ = displayed(f"a{piece}b")
    assert NEVER.search(shown_) is None
    assert displayed(shown_) == shown_
    assert f"{ord(piece[0]):x}" in shown_

"""`%%lace` in one kernel of Jupyter, and the notebooks of docs/."""

from __future__ import annotations

import json
import re
import sys
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

pytestmark = pytest.mark.weights

ROOT = Path(__file__).parents[2]
CELLS = {
    "load": "%load_ext lacelang",
    "men": "%%lace\nlet kid = age < 20\nsample 2 from ffhq where kid as kids",
    "group": "kids",
    "program": 'import lacelang\nlacelang.compile("sample 1 from ffhq where age < 20 # <b>")',
    "edit": "%%lace\nedit kids { glasses = 1 } as spectacles\npick 0 of spectacles as print",
    "bound": "type(spectacles).__name__, print, sorted(lace_groups)",
    "quiet": '%%lace --quiet --only "a b"\nsample 1 from ffhq as kids\nsample 1 from ffhq as "a b"',
    "kept": "len(kids)",
    "wrong": "%%lace\nsample from ffhq where galsses=1",
    "option": "%%lace --sede 3\nsample 1 from ffhq",
    "help": "%lace --help",
}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def book() -> dict[str, nbformat.NotebookNode]:
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    made = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(made, timeout=600, allow_errors=True).execute()
    return dict(zip(CELLS, made.cells, strict=True))


def html(cell: nbformat.NotebookNode) -> str:
    found = [o.data["text/html"] for o in cell.outputs if "text/html" in o.get("data", {})]
    return found[-1] if found else ""


def said(cell: nbformat.NotebookNode) -> str:
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def test_a_cell_shows_its_groups(book: dict[str, nbformat.NotebookNode]) -> None:
    page = html(book["men"])
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert len(pictures) == 2
    for picture in pictures:
        assert Image.open(BytesIO(b64decode(picture))).size == (128, 128)
    assert "age &lt; 20" in page
    assert page.count("✓") + page.count("✗") == 2
    # The bars are gone.
    assert "<progress" not in json.dumps(book["men"])
    assert html(book["group"]).count("<img") == 2


def test_a_program_shows_its_text_escaped(book: dict[str, nbformat.NotebookNode]) -> None:
    page = html(book["program"])
    assert "# &lt;b&gt;" in page
    assert "sample1" in page
    assert "<b>" not in page


def test_groups_become_names(book: dict[str, nbformat.NotebookNode]) -> None:
    assert "`print` is the name of a builtin" in said(book["edit"])
    (shown,) = book["bound"].outputs
    text = " ".join(shown.data["text/plain"].split())
    assert text.startswith("('Group', <function print")
    assert text.endswith("['kids', 'print', 'spectacles'])")


def test_quiet_cells_and_a_choice(book: dict[str, nbformat.NotebookNode]) -> None:
    assert said(book["quiet"]).strip() == "`a b` is no Python name: the group is lace_groups['a b']"
    assert html(book["quiet"]) == ""
    (shown,) = book["kept"].outputs
    assert shown.data["text/plain"] == "2"


def test_an_error_is_a_diagnostic(book: dict[str, nbformat.NotebookNode]) -> None:
    (error,) = book["wrong"].outputs
    assert error.output_type == "error"
    coloured = "\n".join(error.traceback)
    assert "\x1b[" in coloured
    assert ANSI.sub("", coloured).splitlines() == [
        "cell:1:24: error LACE102: ffhq has no attribute `galsses`",
        "  1 | sample from ffhq where galsses=1",
        "    |                        ^^^^^^^",
        "  hint: did you mean `glasses`?",
    ]


def test_options_are_parsed(book: dict[str, nbformat.NotebookNode]) -> None:
    assert "unrecognized arguments: --sede" in said(book["option"])
    printed = said(book["help"])
    for option in ("--out DIR", "--seed N", "--only NAME", "--quiet"):
        assert option in printed


@pytest.mark.parametrize("name", ["first_steps", "bias_audit"])
def test_a_notebook_of_the_docs_is_small_and_names_no_machine(name: str) -> None:
    path = ROOT / "docs" / "notebooks" / f"{name}.ipynb"
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) <= 1 << 20
    book = nbformat.reads(text, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not any(o.output_type == "error" for cell in code for o in cell.outputs)
    assert set(book.metadata) == {"kernelspec", "language_info"}
    assert not any(cell.metadata for cell in book.cells)
    for secret in (str(Path.home()), sys.prefix, str(ROOT), "/tmp/", "/usr/"):
        assert secret not in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["first_steps", "bias_audit"])
def test_a_notebook_of_the_docs_runs(name: str) -> None:
    book = nbformat.read(ROOT / "docs" / "notebooks" / f"{name}.ipynb", as_version=4)
    NotebookClient(book, timeout=600).execute()

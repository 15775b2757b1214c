"""Runs the notebooks of docs/notebooks and keeps their outputs: `python docs/run_notebooks.py`.

What differs from machine to machine is left out: times, paths, the Python that ran them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent / "notebooks"
TIMEOUT = 600
MOST_BYTES = 1 << 20


def executed(path: Path) -> nbformat.NotebookNode:
    """Return a notebook with the outputs of a new kernel; an error of a cell is raised."""
    book = nbformat.read(path, as_version=4)
    NotebookClient(book, timeout=TIMEOUT, record_timing=False).execute()
    plain = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book.metadata = nbformat.from_dict({"kernelspec": plain, "language_info": {"name": "python"}})
    for cell in book.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            # Bars that were there while it ran.
            cell.outputs = [each for each in cell.outputs if not _is_empty(each)]
    return book


def _is_empty(output: nbformat.NotebookNode) -> bool:
    return output.output_type == "stream" and not output.text.strip()


def main() -> None:
    """Run all notebooks."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        text = nbformat.writes(executed(path)) + "\n"
        if len(text.encode()) > MOST_BYTES:
            sys.exit(f"{path.name} has {len(text.encode())} bytes; make its outputs smaller")
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(text.encode()) >> 10} KiB")


if __name__ == "__main__":
    main()

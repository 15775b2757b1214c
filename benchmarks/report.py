"""The page of a run of 64 faces: its size, and how soon a browser shows all of it.

    python benchmarks/report.py [--samples 64] [--model ffhq] [--times 5]

Runs the program into a temporary folder, writes the page, and opens it in headless Chromium.
Prints the size in MB, which must be at most 15, and the median and range of the seconds from
opening to the last decoded image.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import lacelang
from lacelang.cli.main import main as lace

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "teaching"))
from browsers import found, launched

MOST_MB = 15.0
DECODED = "Promise.all([...document.images].map(image => image.decode()))"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--model", default="ffhq")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "run"
        source = f"sample {given.samples} from {given.model} seed 1 as faces"
        lacelang.compile(source).run(out=folder, progress=True)
        began = time.perf_counter()
        if code := lace(["report", str(folder)]):
            raise SystemExit(code)
        written = time.perf_counter() - began
        page = folder / "report.html"
        size = page.stat().st_size / 1e6
        seconds = _loaded(page, given.times)
    print(
        f"{given.samples} samples: {size:.2f} MB, limit {MOST_MB:g} MB; written in {written:.2f} s"
    )
    low, high = min(seconds), max(seconds)
    print(f"shown whole in {statistics.median(seconds):.2f} s ({low:.2f} to {high:.2f})")


def _loaded(page: Path, times: int) -> list[float]:
    path = found()
    if path is None:
        raise SystemExit("there is no Chromium or Chrome; LACELANG_BROWSER names one")
    seconds = []
    with launched(path) as browser:
        for _ in range(times):
            tab = browser.new_page()
            began = time.perf_counter()
            tab.goto(page.as_uri())
            tab.evaluate(DECODED)
            seconds.append(time.perf_counter() - began)
            tab.close()
    return seconds


if __name__ == "__main__":
    main()

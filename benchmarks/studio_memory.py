"""Memory of the studio over many runs.

A studio is served, and a client does what sliders do: it edits a sample of `digits` (or of
--model), with another value each time, and reads all images. Printed are the resident memory after
run 10 and after the last run, their difference, and what is on disk; the first must stay, the last
is bounded by the number of runs that are kept.

    python benchmarks/studio_memory.py [--runs 100] [--model digits]
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from itertools import cycle
from pathlib import Path

from lacelang.semantics.modules import library_models

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "web"))
from studio_serving import Served, served

EARLY = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--model", default="digits")
    given = parser.parse_args()
    attribute = library_models()[given.model].attributes[0]
    values = cycle(attribute.values or [str(v) for v in range(*map(int, attribute.limits))])
    with tempfile.TemporaryDirectory() as root, served(Path(root), model=given.model) as studio:
        early = 0.0
        for number in range(1, given.runs + 1):
            # Three of four runs are a slider's, which replace one another.
            live = number % 4 > 0
            text = (
                f"sample 4 from {given.model} seed {number // 4} as a\n"
                f"pick 1 of a as b\nedit b {{ {attribute.name} = {next(values)} }} as c\n"
            )
            run = studio.run(text, live=live, target="c", faces=1)
            for face in studio.said(f"runs/{run}")["faces"]:
                for size in ("small", "full"):
                    _read(studio, f"runs/{run}/{size}/{face['index']}?group={face['group']}")
            if number == EARLY:
                early = resident()
        late = resident()
        runs = studio.studio.runs
        kept = sum(p.stat().st_size for p in runs.home.rglob("*") if p.is_file())
        print(f"resident memory after run {EARLY}: {early:.0f} MiB")
        print(f"resident memory after run {given.runs}: {late:.0f} MiB ({late - early:+.1f} MiB)")
        print(f"on disk: {kept / 2**20:.1f} MiB in {len(runs.state()['runs'])} runs")


def _read(studio: Served, path: str) -> None:
    status, _, data = studio.ask(path)
    assert status == 200, data


def resident() -> float:
    """MiB of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()

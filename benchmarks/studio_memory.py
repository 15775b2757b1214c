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
import http.client
import json
import os
import tempfile
from itertools import cycle
from pathlib import Path
from threading import Thread
from typing import Any

from lacelang.semantics.modules import library_models
from lacelang.web.serving import Serving
from lacelang.web.studio.application import application
from lacelang.web.studio.files import opened
from lacelang.web.studio.studio import MOST_BYTES, Studio

EARLY = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--model", default="digits")
    given = parser.parse_args()
    attribute = library_models()[given.model].attributes[0]
    values = cycle(attribute.values or [str(v) for v in range(*map(int, attribute.limits))])
    with tempfile.TemporaryDirectory() as root:
        studio = Studio(opened(None, Path(root)), model=given.model)
        serving = Serving(application(studio, lambda: serving.ending), 0, MOST_BYTES)
        server = Thread(target=serving.run)
        server.start()
        try:
            early = 0.0
            for number in range(1, given.runs + 1):
                # Three of four runs are a slider's, which replace one another.
                live = number % 4 > 0
                text = (
                    f"sample 4 from {given.model} seed {number // 4} as a\n"
                    f"pick 1 of a as b\nedit b {{ {attribute.name} = {next(values)} }} as c\n"
                )
                asked = {"text": text, "live": live, "target": "c", "faces": 1}
                run = studio.runs.find(json.loads(_ask(serving, "run", asked))["run"])
                studio.runs.wait(run, 600)
                assert run.status == "done", run.error
                for face in json.loads(_ask(serving, f"runs/{run.number}"))["faces"]:
                    for size in ("small", "full"):
                        where = f"runs/{run.number}/{size}/{face['index']}?group={face['group']}"
                        _ask(serving, where)
                if number == EARLY:
                    early = resident()
            late = resident()
            kept = sum(p.stat().st_size for p in studio.runs.home.rglob("*") if p.is_file())
            print(f"resident memory after run {EARLY}: {early:.0f} MiB")
            print(
                f"resident memory after run {given.runs}: {late:.0f} MiB ({late - early:+.1f} MiB)"
            )
            print(f"on disk: {kept / 2**20:.1f} MiB in {len(studio.runs.state()['runs'])} runs")
        finally:
            serving.stop()
            server.join()
            studio.close()


def _ask(serving: Serving, path: str, body: Any = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=600)
    token = serving.url.split("/")[3]
    if body is None:
        connection.request("GET", f"/{token}/{path}")
    else:
        said = {"Content-Type": "application/json"}
        connection.request("POST", f"/{token}/{path}", json.dumps(body), said)
    response = connection.getresponse()
    data = response.read()
    assert response.status == 200, data
    connection.close()
    return data


def resident() -> float:
    """MiB of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()

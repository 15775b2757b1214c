"""The time and the memory of checking texts that are made to take long, relative to Lark's own.

    python benchmarks/hostile.py [--size 1000000] [--only "doubled"]

Prints a table of the shapes in `tests/syntax/hostile_shapes.py`. Each is read by Lark alone, by the
grammar's own lexer and parser, in a process of its own; and then in another by `lacelang.compile`,
`explain` if it is right, and `fmt`. Times are processor times; memory is the peak of that process.
Where Lark stops at an error before the end of a text, its time is that of an ordinary program as
long. A ratio above 5, or more than a GB, is marked.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "syntax")]
from hostile_shapes import SHAPES  # noqa: E402

ORDINARY = "ordinary program"
MOST_TIMES, MOST_MEMORY = 5.0, 1024.0
LIMIT = 60
"""Seconds of processor time after which a process is stopped."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="characters of a text")
    parser.add_argument("--only", default="", help="part of the names of the shapes to measure")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        what, name = given.worker
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
        print(json.dumps((_lark if what == "lark" else _ours)(SHAPES[name](given.size))))
        return
    usual = _measured("lark", ORDINARY, given.size)["lark"]
    print(f"{given.size} characters; Lark alone reads an ordinary program in {usual:.2f} s")
    print(f"{'':34}{'Lark':>8}{'compile':>9}{'explain':>9}{'fmt':>9}{'ratio':>8}{'memory':>9}")
    for name in SHAPES:
        if given.only in name:
            lark = _measured("lark", name, given.size)
            row = _row(name, lark.get("lark") or usual, _measured("ours", name, given.size))
            print(row, flush=True)


def _row(name: str, lark: float, ours: dict[str, float]) -> str:
    if not ours:
        return f"{name:34}{lark:7.2f}s  stopped after {LIMIT} s  !"
    times = [ours.get(each) for each in ("compile", "explain", "fmt")]
    shown = "".join(f"{'-':>9}" if each is None else f"{each:8.2f}s" for each in times)
    ratio = max(each for each in times if each is not None) / lark
    mark = "  !" if ratio > MOST_TIMES or ours["memory"] > MOST_MEMORY else ""
    return f"{name:34}{lark:7.2f}s{shown}{ratio:8.1f}{ours['memory']:6.0f} MB{mark}"


def _measured(what: str, name: str, size: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--size", str(size), "--worker", what, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        return {}
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _lark(source: str) -> dict[str, float]:
    from lace_programs import larks_own
    from lark.exceptions import LarkError

    parser = larks_own()
    parser.parse("sample from ffhq")
    started = time.process_time()
    try:
        parser.parse(source)
    except LarkError:
        return {}
    return {"lark": time.process_time() - started}


def _ours(source: str) -> dict[str, float]:
    import lacelang
    from lacelang.errors import LaceError
    from lacelang.explain import render
    from lacelang.explain.outline import outlines
    from lacelang.syntax.format import format_source
    from lacelang.syntax.render import render_all

    lacelang.compile("sample from ffhq where smile=1")
    checked = None

    def check() -> None:
        nonlocal checked
        try:
            program = lacelang.compile(source)
        except LaceError as error:
            render_all(error.diagnostics)
        else:
            render_all(program.warnings)
            checked = program.checked

    def explain() -> None:
        assert checked is not None
        for each in (found := outlines(checked)):
            render.text_of(render.outline_lines(each))
        render.text_of(render.plan_lines(found))

    def format_() -> None:
        try:
            format_source(source)
        except LaceError as error:
            render_all(error.diagnostics)

    times = {"compile": _seconds(check)}
    if checked is not None:
        times["explain"] = _seconds(explain)
    times["fmt"] = _seconds(format_)
    times["memory"] = _peak()
    return times


def _seconds(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _peak() -> float:
    """Return the most memory that this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not `getrusage`, which counts what the process before `exec` had.
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    main()

"""The time of `lacelang check`, relative to its unavoidable parts.

Prints ratios: a short program relative to importing Lark and attrs; a program of 10 000 statements
relative to Lark alone parsing it to its own trees; and the growth of the time from 1 000 statements
to 30 000, and to a megabyte of other texts, with and without errors. A ratio of 1.0 per statement
or byte is linear growth. Times are processor times, the best of several rounds, to reduce the
effect of other load.

    python benchmarks/check_speed.py
"""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lacelang.errors import LaceError
from lacelang.semantics.check import check
from lacelang.syntax.render import render_all

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "syntax"))
from lace_programs import larks_own  # noqa: E402

SHORT = ROOT / "programs" / "zero_shot.lace"
STATEMENTS = 10_000
SHORT_REPEATS = 10
REPEATS = 3


def main() -> None:
    _short()
    _long()
    _growth()
    _megabytes()


def _short() -> None:
    # Alternately, so that other load affects both equally.
    imports = short = float("inf")
    for _ in range(SHORT_REPEATS):
        imports = min(imports, _of_process("-c", "import lark, attrs"))
        short = min(short, _of_process("-m", "lacelang.cli.main", "check", str(SHORT)))
    print(f"import lark, attrs               {imports * 1e3:7.0f} ms")
    print(f"lacelang check {SHORT.name:17} {short * 1e3:7.0f} ms   ratio {short / imports:.2f}")


def _long() -> None:
    source = long_program(STATEMENTS)
    lark = larks_own()
    alone = _best(lambda: lark.parse(source))
    whole = _best(lambda: check(source))
    print(f"Lark alone, {STATEMENTS} statements   {alone * 1e3:7.0f} ms")
    print(
        f"check, {STATEMENTS} statements        {whole * 1e3:7.0f} ms   ratio {whole / alone:.2f}"
    )


def _growth() -> None:
    one = None
    for count in (1_000, 10_000, 30_000):
        # A program has at most 20 000 statements, not counting definitions.
        source = many_definitions(count)
        each = _best(lambda source=source: _said(source)) / count
        one = one or each
        print(
            f"check, {count:6} definitions       {each * 1e6:7.0f} us each   ratio {each / one:.2f}"
        )


def _megabytes() -> None:
    for name, line in LINES.items():
        times = []
        for size in (100_000, 1_000_000):
            source = line * (size // len(line))
            times.append(_best(lambda source=source: _said(source)) / len(source))
        ratio = times[1] / times[0]
        print(f"{name:32} {times[1] * 1e9:7.0f} ns a byte   ratio {ratio:.2f}")


def _said(source: str) -> str:
    try:
        return render_all(check(source).warnings)
    except LaceError as error:
        return render_all(error.diagnostics)


LINES = {
    "a megabyte of comments": "# a comment and nothing else\n",
    "a megabyte of open brackets": "(",
    "a megabyte of conditions": "let a = smile=1 and (glasses=1 or not yaw=left)\n",
    "a megabyte of wrong statements": "sample 8 from ffhq where (smile=1 or glasses=1 seed 3\n",
    "a megabyte of no statements": "nothing here is a statement\n",
}


def many_definitions(count: int) -> str:
    """Return a program of `count` definitions and a statement that uses the last of them."""
    lines = [
        f"let l{i} = gender=male and age in 6{i % 10}..70 and haircolor=gray" for i in range(count)
    ]
    return "\n".join([*lines, f"sample from ffhq where l{count - 1}"])


def long_program(count: int) -> str:
    """Return a program of `count` typical statements."""
    lines = ["let grandpa = gender=male and age in 60..70 and haircolor=gray"]
    for i in range(count - 1):
        lines.append(
            f"sample 8 from ffhq where grandpa and (smile=1 [weight 2] or glasses=1) "
            f"and yaw > {i % 40} deg truncation 0.7 seed {i} as g{i}"
        )
    return "\n".join(lines)


def _of_process(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Like an installed package: with bytecode, which the first run writes.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _best(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        gc.collect()
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


if __name__ == "__main__":
    main()

"""How long `lacelang check` takes, beside what it cannot do without.

Prints two ratios: a short program against importing Lark and attrs, and a program of 10 000
statements against Lark alone parsing it to its own trees. Times are of the processor, the best
of several, so that a busy machine does not count.

    python benchmarks/check_speed.py
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lacelang.semantics.check import check
from lacelang.syntax.grammar import build

ROOT = Path(__file__).resolve().parent.parent
SHORT = ROOT / "programs" / "zero_shot.lace"
STATEMENTS = 10_000
REPEATS = 5


def main() -> None:
    imports = _of_process("-c", "import lark, attrs")
    short = _of_process("-m", "lacelang.cli.main", "check", str(SHORT))
    print(f"import lark, attrs               {imports * 1e3:7.0f} ms")
    print(f"lacelang check {SHORT.name:17} {short * 1e3:7.0f} ms   ratio {short / imports:.2f}")

    source = long_program(STATEMENTS)
    lark = build()
    alone = _best(lambda: lark.parse(source), 3)
    whole = _best(lambda: check(source), 3)
    print(f"Lark alone, {STATEMENTS} statements   {alone * 1e3:7.0f} ms")
    print(
        f"check, {STATEMENTS} statements        {whole * 1e3:7.0f} ms   ratio {whole / alone:.2f}"
    )


def long_program(count: int) -> str:
    """Return a program of `count` statements such as people write."""
    lines = ["let grandpa = gender=male and age in 60..70 and haircolor=gray"]
    for i in range(count - 1):
        lines.append(
            f"sample 8 from ffhq where grandpa and (smile=1 [weight 2] or glasses=1) "
            f"and yaw > {i % 40} deg truncation 0.7 seed {i} as g{i}"
        )
    return "\n".join(lines)


def _of_process(*arguments: str) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        best = min(best, user + system)
    return best


def _best(work: Callable[[], object], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


if __name__ == "__main__":
    main()

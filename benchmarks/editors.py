"""Diagnostics while typing: from a keystroke in a file of 1 000 lines to what the server publishes.

An editor's client types at the end, in the middle and in a definition that much depends on, rightly
and wrongly, and waits for the diagnostics of each version. Prints median and 95th percentile in
milliseconds, and the share that came within 100 ms. Run it on an idle machine:

    python benchmarks/editors.py [LINES]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "lsp"))

from editor import editor

LIMIT = 100.0
KEYS = 20

BLOCK = """\
let grandpa_{n} = gender=male and age in 60..70 and haircolor=gray
sample 8 from ffhq
  where grandpa_{n} and (smile=1 [weight 2, temp 0.3] or glasses=1) and yaw > 10 deg
  with heun(tolerance=1e-3)
  as men_{n}

edit men_{n} {{
  yaw = left
  smile = 0
  glasses = 1 [weight 5]
}} stay 0.04 hold 0.01 as edited_{n}

"""


def program(lines: int) -> str:
    """Return a program of about so many lines."""
    return "".join(BLOCK.format(n=n) for n in range(lines // BLOCK.count("\n")))


def edits(text: str) -> dict[str, list[str]]:
    """Return texts as they are while somebody types, by what is typed."""
    middle = text.index("sample", len(text) // 2)
    typed = {
        "a clause in the middle": (
            middle + len("sample 8 from ffhq"),
            " seed 12345 truncation 0.8",
        ),
        "a misspelt condition": (text.index("smile=1", middle), "glases=1 and beerd=1 "),
        "a new statement at the end": (len(text), "sample 4 from ffhq where smile=1 and yaw=left"),
        "an open bracket": (text.index("(smile", middle), "((((((((((((((((((((("),
        "a number of a definition": (text.index("60..70") + 5, "0000000000000000000000"),
    }
    return {
        what: [text[:at] + new[:n] + text[at:] for n in range(1, min(len(new), KEYS) + 1)]
        for what, (at, new) in typed.items()
    }


async def measure(lines: int) -> None:
    """Type, and print what it took."""
    text, uri = program(lines), "untitled:typed.lace"
    print(f"{text.count(chr(10))} lines, {len(text)} characters; milliseconds from a keystroke")
    async with editor() as client:
        client.open(uri, text)
        await client.diagnostics(uri)
        version, every = 1, []
        for what, texts in edits(text).items():
            took = []
            for each in texts:
                version += 1
                begin = time.perf_counter()
                client.change(uri, each, version)
                await client.diagnostics(uri, version)
                took.append(1000 * (time.perf_counter() - begin))
            every += took
            print(f"{what:28} {_figures(took)}")
        print(f"{'all':28} {_figures(every)}")


def _figures(took: list[float]) -> str:
    ordered = sorted(took)
    late = ordered[round(0.95 * (len(ordered) - 1))]
    within = sum(one <= LIMIT for one in took) / len(took)
    return f"median {statistics.median(took):6.1f}   95 % {late:6.1f}   within 100 ms {within:.0%}"


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))

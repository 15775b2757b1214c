"""How soon the prompt answers: the first key after its start, and the first face after Enter.

    python benchmarks/prompt.py [--times 10] [--model ffhq]

Drives `lacelang` in a pseudo-terminal, with weights that are in the cache already. Prints
medians and ranges over `--times` starts and statements. The limits are 0.5 s to the first key and
1.5 s to the first face.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "repl"))
from prompt_terminal import ENTER, PROMPT, Terminal

FIRST_KEY, FIRST_FACE = 0.5, 1.5

CONDITIONS = (
    "glasses=1",
    "smile=1 and age < 30",
    "beard=1 and smile=0",
    "gender=female and glasses=1",
    "age > 50",
    "yaw > 10 and smile=1",
    "haircolor=black and glasses=0",
    "glasses=1 or beard=1",
    "not smile=1 and age in 20..40",
    "gender=male and haircolor=gray",
)


def first_key(folder: Path) -> float:
    """Return the seconds from a start until a key that was typed at once is in the line."""
    terminal = Terminal(folder, 100)
    terminal.type("x")
    shown = terminal.wait(lambda lines: lines[-1] == f"{PROMPT} x")
    terminal.close()
    return shown - terminal.began


def first_faces(folder: Path, model: str, conditions: Sequence[str]) -> tuple[float, list[float]]:
    """Return the seconds to a first face typed for at once, and those of later statements."""
    terminal = Terminal(folder, 100)
    found = []
    for number, condition in enumerate(("age > 20", *conditions)):
        terminal.wait_for_prompt()
        typed = f"sample 4 from {model} where {condition} seed {number}"
        terminal.type("\x0c" + typed)
        terminal.wait(lambda lines, typed=typed: lines[-1] == f"{PROMPT} {typed}")
        entered = terminal.type(ENTER)
        shown = terminal.wait(lambda lines: any("▀" in line for line in lines))
        found.append(shown - entered)
        terminal.wait_for_prompt()
    terminal.close()
    return found[0], found[1:]


def said(what: str, seconds: Sequence[float], limit: float) -> str:
    """Return a line of the table."""
    middle, least, most = statistics.median(seconds), min(seconds), max(seconds)
    within = "within" if middle <= limit else "ABOVE"
    return f"{what:<28}{middle:6.2f} s  ({least:.2f} to {most:.2f})  {within} {limit} s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--times", type=int, default=10, help="starts and statements (10)")
    parser.add_argument("--model", default="ffhq", help="whose faces (ffhq)")
    given = parser.parse_args()
    conditions = [CONDITIONS[i % len(CONDITIONS)] for i in range(given.times)]
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        starts = [first_key(folder) for _ in range(given.times)]
        cold, later = first_faces(folder, given.model, conditions)
    print(f"median of {given.times} (and range)")
    print(said("start to first key", starts, FIRST_KEY))
    print(said("Enter to first face", later, FIRST_FACE))
    print(f"{'first statement of a session':<28}{cold:6.2f} s  (the model is still being loaded)")


if __name__ == "__main__":
    main()

"""Seconds of a photograph, from its file to the image: programs/me.jpg, by default and `fast`.

Prints the medians of three rounds, for each part on its own, after one that loads the networks. Run
it on an idle machine; it takes about two minutes:

    python benchmarks/photographs.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from lacelang.api import compile
from lacelang.engine.loading import load
from lacelang.progress import shown
from lacelang.storage.photos import read_photo
from lacelang.system.torch_state import isolated

PHOTO = Path(__file__).resolve().parents[1] / "programs" / "me.jpg"
ROUNDS = 3


def main() -> int:
    """Measure, and print a line for each part."""
    with shown() as progress, isolated():
        model = load(compile("sample 1 from ffhq").samples[0].model, "cpu", progress)
        inverter = model.inverter(progress)
        whole = read_photo(PHOTO, PHOTO.name, whole=True)
        cut = inverter.cut(whole, PHOTO.name, 1)
        parts: dict[str, Callable[[], object]] = {
            "read and cut out": lambda: inverter.cut(read_photo(PHOTO, PHOTO.name), PHOTO.name, 1),
            "fast": lambda: inverter.invert(cut, fast=True),
            "default": lambda: inverter.invert(cut, fast=False),
            "paste": lambda: inverter.paste(whole, cut, cut.image),
        }
        inverter.invert(cut, fast=True)
        for name, work in parts.items():
            walls, cores = [], []
            for _ in range(ROUNDS):
                wall, core = time.perf_counter(), time.process_time()
                work()
                walls.append(time.perf_counter() - wall)
                cores.append(time.process_time() - core)
            print(f"{name:<18}{median(walls):6.2f} s, {median(cores):6.2f} s of the processor")
    return 0


if __name__ == "__main__":
    sys.exit(main())

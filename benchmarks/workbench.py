"""All that a person waits for at the prompt, in an editor, in a report and in the studio.

    python benchmarks/workbench.py [NAME…]

Runs the benchmarks of the parts one after another, each in a process of its own: `prompt` (first
key, first face after Enter), `editors` (diagnostics after a keystroke in a file of 1 000 lines),
`report` (size and loading of a page of 64 faces) and `studio_memory` (100 runs). Run it on an idle
machine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARTS = ("prompt", "editors", "report", "studio_memory")


def main(names: list[str]) -> int:
    if unknown := sorted(set(names) - set(PARTS)):
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are {', '.join(PARTS)}")
    failed = 0
    for name in names or PARTS:
        print(f"== {name}", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        failed |= subprocess.run([sys.executable, str(script)], check=False).returncode
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

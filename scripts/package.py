"""Build the source archive and, from it, the wheel, and test the wheel in a new environment.

    python scripts/package.py [--borrow] [--out DIR]

The archives go to dist/. The wheel is installed with its dependencies; `--borrow` uses those of
the Python that runs the script, without downloads. Then, in an empty folder, `lacelang` prints its
version, checks a program and runs it: two faces. The weights are downloaded if they are not in the
cache.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = "sample 2 from ffhq where glasses=1 seed 3 as two\n"
MADE = ("run.json", "two/samples.jsonl", "two/sheet.png", "two/0000.png", "two/0001.png")


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command outside of this checkout, and return its output."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


def build(out: Path) -> Path:
    """Build both archives into `out`, and return the wheel."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return max(out.glob("lacelang-*.whl"), key=lambda path: path.stat().st_mtime)


def install(wheel: Path, folder: Path, borrow: bool) -> Path:
    """Make an environment with the wheel, and return the folder of its commands."""
    venv.create(folder, with_pip=False)
    paths = sysconfig.get_paths("venv", {"base": str(folder), "platbase": str(folder)})
    pip = [sys.executable, "-m", "pip", "--python", folder, "install", "-q", wheel]
    if borrow:
        # After the environment's own packages, so that its lacelang is found first.
        lent = Path(paths["purelib"]) / "borrowed.pth"
        lent.write_text(sysconfig.get_path("purelib") + "\n")
        run(*pip, "--no-deps", "--no-index", "--force-reinstall")
    else:
        run(*pip, "-c", ROOT / "constraints.txt")
    return Path(paths["scripts"])


def try_out(commands: Path, folder: Path) -> None:
    """Use the installed command in an empty folder."""
    where = run(commands / "python", "-c", "import lacelang; print(lacelang.__file__)", cwd=folder)
    if not Path(where.strip()).is_relative_to(commands.parent):
        sys.exit(f"the wheel is not what is imported: {where}")
    print(run(commands / "lacelang", "--version", cwd=folder), end="")
    (folder / "p.lace").write_text(PROGRAM)
    run(commands / "lacelang", "check", "p.lace", cwd=folder)
    print(run(commands / "lacelang", "run", "p.lace", "--out", "out", cwd=folder), end="")
    missing = [name for name in MADE if not (folder / "out" / name).is_file()]
    if missing:
        sys.exit(f"not made: {', '.join(missing)}")


def main() -> None:
    """Build and test the archives."""
    parser = argparse.ArgumentParser(description="Build sdist and wheel, and try the wheel.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument(
        "--borrow", action="store_true", help="take the dependencies from this Python"
    )
    arguments = parser.parse_args()
    wheel = build(arguments.out)
    with tempfile.TemporaryDirectory() as scratch:
        commands = install(wheel, Path(scratch) / "environment", arguments.borrow)
        empty = Path(scratch) / "empty"
        empty.mkdir()
        try_out(commands, empty)
    print(f"{wheel} is fine")


if __name__ == "__main__":
    main()

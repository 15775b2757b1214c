from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent.parent.parent / "programs" / "zero_shot.lace"

PROGRAM_CODE = """
import sys
from pathlib import Path
from lacelang.semantics.check import check
from lacelang.syntax.format import format_source
path = Path(sys.argv[1])
check(path.read_text(encoding="utf-8"), path)
format_source(path.read_text(encoding="utf-8"))
print(sorted({"torch", "numpy", "PIL", "difflib", "pickle"} & set(sys.modules)))
"""


def test_checking_and_formatting_import_neither_torch_nor_numpy() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM_CODE, str(PROGRAM)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Lark itself imports pickle.
    assert shown.strip() in ("[]", "['pickle']")


COMMAND_CODE = """
import sys
import lark, attrs
before = set(sys.modules)
from lacelang.cli.main import main
main(["check", sys.argv[1]])
print(sorted(set(sys.modules) - before))
"""


def test_the_command_imports_little_beyond_what_it_must() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", COMMAND_CODE, str(PROGRAM)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Each of these takes as long as checking a short program.
    for heavy in ("torch", "numpy", "email", "zipfile", "socket", "difflib", "tempfile"):
        assert f"'{heavy}'" not in shown
    for later in ("engine", "samplers.solution", "render", "repl", "energy", "compiler"):
        assert f"'lacelang.{later}" not in shown

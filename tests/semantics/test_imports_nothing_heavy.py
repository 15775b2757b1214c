from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent.parent.parent / "programs" / "zero_shot.lace"

CODE = """
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
        [sys.executable, "-c", CODE, str(PROGRAM)], capture_output=True, text=True, check=True
    ).stdout
    # Lark itself imports pickle.
    assert shown.strip() in ("[]", "['pickle']")

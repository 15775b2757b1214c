"""What editors ask for is there without torch, and without the libraries of one front end."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import pkgutil, sys
import lacelang.language
from importlib import import_module
for module in pkgutil.iter_modules(lacelang.language.__path__):
    import_module(f"lacelang.language.{module.name}")
from lacelang.language.completion import completions
from lacelang.language.document import Document, diagnostics
from lacelang.language.hover import hover
document = Document("import faces\\nsample 4 from ffhq where yaw=lef and grandpa")
here = document.places.position(document.text.index("yaw"))
print(len(diagnostics(document)), len(completions(document, here).offers) > 50)
print("prior" in hover(document, here).markdown)
print(sorted({"torch", "openvino", "prompt_toolkit", "pygls", "PIL"} & set(sys.modules)))
"""


def test_everything_works_without_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split("\n") == ["1 True", "True", "[]", ""], done.stderr

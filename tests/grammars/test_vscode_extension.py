"""editors/vscode is of the same language as the grammar beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lacelang.cli.parser import COMMANDS
from lacelang.version import __version__

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "editors" / "vscode"
PACKAGE: dict[str, Any] = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
GRAMMAR: dict[str, Any] = json.loads(
    (ROOT / "grammars" / "lace.tmLanguage.json").read_text(encoding="utf-8")
)


def test_it_takes_the_one_grammar() -> None:
    # It is copied when the extension is packed, so that there is no second list of words.
    (declared,) = PACKAGE["contributes"]["grammars"]
    assert declared["scopeName"] == GRAMMAR["scopeName"]
    assert (
        f"'../../grammars/{Path(declared['path']).name}'" in PACKAGE["scripts"]["vscode:prepublish"]
    )
    assert declared["path"].removeprefix("./") in PACKAGE["scripts"]["vscode:prepublish"]
    assert [path.name for path in FOLDER.rglob("*") if path.suffix in (".vsix",)] == []


def test_it_is_of_this_version_and_licence() -> None:
    assert PACKAGE["version"] == __version__
    assert (FOLDER / "LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")
    assert (FOLDER / PACKAGE["main"]).is_file()


def test_it_starts_a_command_that_there_is() -> None:
    (_, command) = PACKAGE["contributes"]["configuration"]["properties"]["lacelang.server.command"][
        "default"
    ]
    assert command in COMMANDS


def test_the_configuration_is_of_the_language() -> None:
    (language,) = PACKAGE["contributes"]["languages"]
    assert language["extensions"] == [".lace"]
    about = json.loads((FOLDER / language["configuration"]).read_text(encoding="utf-8"))
    assert about["comments"] == {"lineComment": "#"}
    increase = re.compile(about["indentationRules"]["increaseIndentPattern"])
    assert increase.match("edit men {")
    assert not increase.match('as "x {t}"')

"""Update the parts of these pages that are generated from the code: `python docs/make.py`.

It writes errors.md whole, and in the other pages what stands between `<!-- NAME: made by
docs/make.py -->` and `<!-- end -->`. The tests fail while a page is out of date.
"""

from __future__ import annotations

import json
import re
import sys
from argparse import _SubParsersAction
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from lacelang.annotators import ANNOTATORS
from lacelang.cli.parser import build_parser
from lacelang.evaluate.report import Table
from lacelang.repl.commands import COMMANDS
from lacelang.resources import shipped
from lacelang.samplers import DEFAULT_SAMPLER, SAMPLERS, Option
from lacelang.semantics.codes import CODES
from lacelang.semantics.context import is_pedantic, severity_of
from lacelang.syntax import nodes
from lacelang.syntax.grammar import keywords
from lacelang.syntax.parser import read

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))
import results  # noqa: E402
from architecture import layers_picture, parts_table  # noqa: E402

_WRONG_PROGRAMS = DOCS.parent / "tests" / "bad"

_SECTIONS = {
    "0": "Syntax",
    "1": "Names",
    "2": "Values",
    "3": "Statements",
    "4": "Models",
    "5": "Warnings",
}


def pages() -> dict[Path, str]:
    """Return every page that has made parts, as it should be, by path."""
    made = {DOCS / "errors.md": _errors(), DOCS / "pictures" / "architecture.svg": layers_picture()}
    for path in sorted(DOCS.glob("*.md")):
        if path not in made:
            page = path.read_text(encoding="utf-8")
            filled = _MADE.sub(_fill, page)
            if _MADE.search(page):
                made[path] = filled
    return made


# Parts of pages


def _annotators() -> str:
    lines = ["| annotator | what it measures | attributes |", "| --- | --- | --- |"]
    for one in ANNOTATORS.values():
        names = ", ".join(f"`{name}`" for name in one.attributes) or "none"
        lines.append(f"| `{one.name}` | {one.doc} | {names} |")
    return "\n".join(lines) + "\n"


def _keywords() -> str:
    return ", ".join(f"`{word}`" for word in sorted(keywords())) + ".\n"


def _samplers() -> str:
    lines = ["| sampler | what it does | options |", "| --- | --- | --- |"]
    for name, table in SAMPLERS.items():
        shown = [_default(option) for option in table.options]
        shown += [f"`preset={preset}`" for preset in table.presets]
        default = " (the default)" if name == DEFAULT_SAMPLER else ""
        lines.append(f"| `{name}`{default} | {table.doc} | {', '.join(shown)} |")
    first, *others = (f"`{name}`" for name, sampler in SAMPLERS.items() if sampler.edits)
    lines += ["", f"The default for edits is {first}; {', '.join(others)} can edit, too."]
    lines += ["", "| option | of | limits | meaning |", "| --- | --- | --- | --- |"]
    rows = [
        (option.name, option.limits, option.doc, name)
        for name, table in SAMPLERS.items()
        for option in table.options
    ]
    for (option_name, limits, doc), same in groupby(sorted(rows), key=lambda row: row[:3]):
        names = ", ".join(f"`{row[3]}`" for row in same)
        lines.append(f"| `{option_name}` | {names} | {limits} | {doc} |")
    return "\n".join(lines) + "\n"


def _statuses() -> str:
    from lacelang.samplers.solution import Status

    lines = ["| status | meaning | remedy |", "| --- | --- | --- |"]
    lines += [f"| `{s.name}` | {s.sentence} | {s.remedy} |" for s in Status]
    return "\n".join(lines) + "\n"


def _default(option: Option) -> str:
    return f"`{option.name}`" if option.default is None else f"`{option.name}={option.default:g}`"


def _logic() -> str:
    lines = []
    for count, same in groupby(_definitions("logic"), key=lambda d: len(_parameters(d))):
        calls = (f"`{d.name.name}({', '.join(_parameters(d))})`" for d in same)
        lines.append(f"- of {count}: {', '.join(calls)}")
    return "\n".join(lines) + "\n"


def _faces() -> str:
    source = (shipped("stdlib") / "faces.lace").read_text(encoding="utf-8").split("\n")
    lines = ["| name | condition |", "| --- | --- |"]
    for definition in _definitions("faces"):
        span = definition.value.span
        text = source[span.line - 1][span.column - 1 : span.end_column - 1]
        lines.append(f"| `{definition.name.name}` | `{text}` |")
    return "\n".join(lines) + "\n"


def _definitions(module: str) -> Iterator[nodes.Let | nodes.Def]:
    source = (shipped("stdlib") / f"{module}.lace").read_text(encoding="utf-8")
    for statement in read(source, module).program.statements:
        if isinstance(statement, nodes.Let | nodes.Def):
            yield statement


def _parameters(definition: nodes.Let | nodes.Def) -> list[str]:
    return [p.name for p in definition.parameters] if isinstance(definition, nodes.Def) else []


def _commands() -> str:
    (actions,) = (a for a in build_parser()._actions if isinstance(a, _SubParsersAction))
    lines = ["| command | what it does | more |", "| --- | --- | --- |"]
    for action in actions._get_subactions():
        page = _PAGES.get(action.dest, "")
        link = f"[{page}]({page})" if page else ""
        lines.append(f"| `lacelang {action.dest}` | {action.help} | {link} |")
    return "\n".join(lines) + "\n"


def _colons() -> str:
    lines = ["| command | what it does |", "| --- | --- |"]
    for command in COMMANDS.values():
        form = f":{command.name} {command.argument}".rstrip()
        lines.append(f"| `{form}` | {command.about} |")
    return "\n".join(lines) + "\n"


_PAGES = {
    "run": "running.md",
    "status": "scale.md",
    "report": "reports.md",
    "grid": "reports.md",
    "studio": "studio.md",
    "lsp": "editors.md",
    "teach": "teaching.md",
    "replay": "provenance.md",
    "show": "provenance.md",
    "repl": "prompt.md",
    "explain": "explain.md",
    "models": "models.md",
    "label": "ffhq.md",
    "train": "ffhq.md",
    "card": "ffhq.md",
    "evaluate": "evaluation.md",
}
"""Where a command has a page of its own."""

_PARTS: dict[str, Callable[[], str]] = {
    "colons": _colons,
    "commands": _commands,
    "keywords": _keywords,
    "parts": parts_table,
    "samplers": _samplers,
    "statuses": _statuses,
    "annotators": _annotators,
    "logic": _logic,
    "faces": _faces,
    **results.PARTS,
}
_MADE = re.compile(
    r"(?P<head><!-- (?P<name>\w+): made by docs/make\.py -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)


_TABLE = re.compile(r"(?P<suite>\w+)_(?P<number>\d+)")


def _fill(found: re.Match[str]) -> str:
    name = found["name"]
    table = _TABLE.fullmatch(name)
    made = _measured(table["suite"], int(table["number"])) if table else _PARTS[name]()
    return f"{found['head']}\n{made}\n{found['end']}"


def _measured(suite: str, number: int) -> str:
    """One table, from 1, of what `python -m experiments SUITE --out docs/MODEL/SUITE` has left."""
    (path,) = DOCS.glob(f"*/{suite}/report.json")
    report = json.loads(path.read_text(encoding="utf-8"))
    table = Table(**report["tables"][number - 1])
    parts = (f"{table.title}:", table.markdown, table.note)
    return "\n\n".join(part for part in parts if part) + "\n"


# The index of codes


def _errors() -> str:
    examples = _examples()
    lines = [
        "# Errors and warnings",
        "",
        "<!-- This page is made by docs/make.py. -->",
        "",
        "Every error has a stable code. All errors of a program are reported at once, each with",
        "its location and, if possible, a hint. A program with errors does not run. Warnings do",
        "not prevent a run; those from LACE510 on are reported only with `--pedantic`.",
        "",
    ]
    for section, codes in groupby(CODES, key=lambda code: code.removeprefix("LACE")[0]):
        lines += [f"## {_SECTIONS[section]}", ""]
        for code in codes:
            lines += [f"### {code}", "", f"{_sentence(CODES[code])}{_severity(code)}", ""]
            if code in examples:
                lines += ["```text", examples[code], "```", ""]
    return "\n".join(lines)


def _sentence(meaning: str) -> str:
    return f"{meaning[0].upper()}{meaning[1:]}."


def _severity(code: str) -> str:
    if severity_of(code) == "error":
        return ""
    return " Under `--pedantic`." if is_pedantic(code) else " A warning."


def _examples() -> dict[str, str]:
    """The shortest message of each code among those about the tests' wrong programs."""
    examples: dict[str, str] = {}
    for path in sorted(_WRONG_PROGRAMS.glob("*.txt")):
        for said in path.read_text(encoding="utf-8").strip().split("\n\n"):
            found = re.search(r": (?:error|warning) (LACE\d+): ", said.split("\n")[0])
            if found is None:
                continue
            best = examples.get(found[1])
            if best is None or _clarity(said) < _clarity(best):
                examples[found[1]] = said
    return examples


def _clarity(said: str) -> tuple[bool, bool, int]:
    lines = said.split("\n")
    # A picture without a source line, or without a way out, teaches less.
    return len(lines) < 3, "  hint: " not in said, max(map(len, lines))


def main() -> int:
    """Write what is out of date, and name it."""
    for path, page in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")
            print(f"{path.relative_to(DOCS.parent)} updated")
    return 0


if __name__ == "__main__":
    sys.exit(main())

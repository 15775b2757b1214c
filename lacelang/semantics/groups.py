"""Names of groups: filled in, fit to name folders, and each used once."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lacelang import ir
from lacelang.semantics.report import Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.semantics.values import LostError, Scalar, defined_number, settle
from lacelang.syntax import nodes
from lacelang.text.names import folded, nfc

MAX_LENGTH = 100

_HOLE = re.compile(r"\{([^{}]*)\}")
# Folders carry these names, on any system; `run.json` stands beside them.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u2028\u2029\ud800-\udfff]')
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|run\.json")


class Groups:
    """The groups that a program has made so far, and the models that they come from."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._models: dict[str, ir.ModelSpec | None] = {}
        self._shown: dict[str, str] = {}
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def continued(self, report: Report) -> Groups:
        """Return a copy that goes on from here and complains to `report`."""
        copy = Groups(report)
        copy._models, copy._shown = dict(self._models), dict(self._shown)
        copy._taken, copy._next = set(self._taken), dict(self._next)
        return copy

    @property
    def models(self) -> Mapping[str, ir.ModelSpec | None]:
        """The groups so far and their models, in the order in which they were made."""
        return self._models

    def reserve(self, names: set[str]) -> None:
        """Keep names that the program writes out from being given to nameless statements."""
        self._taken |= {folded(name) for name in names}

    def add(
        self,
        given: nodes.Word | nodes.Text | None,
        kind: str,
        model: ir.ModelSpec | None,
        frame: Frame,
        makes_group: bool = True,
    ) -> str | None:
        """Return the statement's name, made up from `kind` if none is given.

        None means that the name cannot be had, which has been reported. `model` is None if the
        statement is wrong otherwise: its group exists but nothing more is known of it.
        """
        if given is None:
            number = self._next.get(kind, 1)
            while f"{kind}{number}" in self._taken:
                number += 1
            # Names are never given back, so that the next search begins where this one ended.
            self._next[kind] = number + 1
            name = f"{kind}{number}"
        else:
            filled = fill(given, frame, self.report)
            if filled is None or not self._fits(filled, given, frame):
                return None
            name = filled
            before = self._shown.get(folded(name))
            if before is not None:
                self._twice(name, before, given, frame)
                return None
        self._shown[folded(name)] = name
        self._taken.add(folded(name))
        if makes_group:
            self._models[name] = model
        return name

    def model_of(
        self, group: nodes.Word | nodes.Text, frame: Frame
    ) -> tuple[str, ir.ModelSpec] | None:
        """Return the group's name and model; None if unknown or wrong, which has been reported."""
        name = fill(group, frame, self.report)
        if name is None:
            return None
        if name in self._models:
            model = self._models[name]
            return None if model is None else (name, model)
        if not self.report.full and not frame.module.is_uncertain(name):
            hint = did_you_mean(name, self._models, "known so far:")
            hint = hint or "a `sample … as NAME` above it makes one"
            if folded(name) in self._taken:
                hint = "it is made further down; put this below it"
            self.report.say("LACE108", f"there is no group `{name}` so far", group, frame, hint)
        return None

    def forget(self, name: str | None) -> None:
        """Note that the group's statement is wrong, so that nothing is said about its use."""
        if name is not None:
            self._models[name] = None

    def _fits(self, name: str, at: nodes.Node, frame: Frame) -> bool:
        problem, hint = None, None
        wrong = _FORBIDDEN.search(name)
        if not name.strip():
            problem = "a group's name cannot be empty"
        elif wrong is not None:
            shown = wrong.group() if wrong.group().isprintable() else f"U+{ord(wrong.group()):04X}"
            problem = f"`{shown}` cannot stand in a group's name"
            hint = "a folder will carry this name"
        elif name != name.strip() or name.startswith(".") or name.endswith("."):
            problem = "a group's name neither begins nor ends with a space or a dot"
            hint = "a folder will carry this name"
            if name.endswith(".") and not name.startswith("."):
                problem = "a group's name does not end with a dot"
        elif len(name) > MAX_LENGTH:
            problem = f"this name has {len(name)} characters; {MAX_LENGTH} are the most"
        elif _RESERVED.fullmatch(name):
            problem = f"`{name}` cannot be the name of a group"
            hint = "a folder will carry this name; choose another one"
        if problem is not None:
            self.report.say("LACE112", problem, at, frame, hint)
        return problem is None

    def _twice(self, name: str, before: str, at: nodes.Node, frame: Frame) -> None:
        message = f"there is a group `{name}` already"
        hint = "give this one another name"
        if before != name:
            message = f"`{name}` differs from the group `{before}` only in capital letters"
            hint = "some systems take their folders for one; give it another name"
        loops = [n for n, b in frame.bindings.items() if b.argument is not None]
        written = at.name if isinstance(at, nodes.Text) else ""
        if loops and f"{{{loops[-1]}}}" not in written:
            hint = f'inside `for`, put the loop variable in: `as "… {{{loops[-1]}}}"`'
        self.report.say("LACE111", message, at, frame, hint)


def fill(name: nodes.Word | nodes.Text, frame: Frame, report: Report) -> str | None:
    """Return the name in NFC, `{t}` filled in; None if that cannot be, which has been reported."""
    if isinstance(name, nodes.Word):
        return name.name
    parts: list[str] = []
    end = 0
    for hole in _HOLE.finditer(name.value):
        parts.append(name.value[end : hole.start()])
        end = hole.end()
        filled = _fill_hole(nfc(hole.group(1).strip()), name, frame, report)
        if filled is None:
            return None
        parts.append(filled)
    parts.append(name.value[end:])
    result = nfc("".join(parts))
    rest = _HOLE.sub("", name.value)
    if "{" in rest or "}" in rest:
        message = "a brace in a name is never closed, or never opened"
        report.say("LACE113", message, name, frame, "braces hold a loop variable: `{t}`")
        return None
    return result


def _fill_hole(inside: str, at: nodes.Text, frame: Frame, report: Report) -> str | None:
    word = nodes.Word(inside, span=at.span)
    if inside in frame.bindings:
        try:
            return _plain(settle(word, frame, report))
        except LostError:
            return None
    number = defined_number(Scalar(None, None, inside, inside, word, frame))
    if number is not None:
        return number.text
    if not frame.module.is_uncertain(inside):
        hint = did_you_mean(inside, frame.bindings, "it may be")
        hint = hint or "only a loop variable or a number defined by `let` can stand there"
        message = f"`{{{inside}}}` stands for nothing here"
        if frame.module.find(inside) is not None:
            message = f"`{inside}` is a condition, and cannot be part of a name"
        report.say("LACE113", message, at, frame, hint)
    return None


def _plain(scalar: Scalar) -> str:
    """Return the value without unit and quotes, as a name shows it."""
    if scalar.word is not None:
        number = None if scalar.quoted else defined_number(scalar)
        return scalar.word if number is None else number.text
    return scalar.text.split()[0]

"""Names of groups: filled in, fit to name folders, and each used once."""

from __future__ import annotations

import re

from attrs import Factory, define

from lacelang import ir
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.context import Frame, LostError, did_you_mean
from lacelang.semantics.values import Scalar, settle
from lacelang.syntax import nodes
from lacelang.text.hidden import first_hidden, in_line
from lacelang.text.names import folded, nfc

MAX_LENGTH = 100

_HOLE = re.compile(r"\{([^{}]*)\}")
# Folders have these names, on any system, beside `run.json`.
_FORBIDDEN = re.compile(r'[\t\n/\\:*?"<>|]')
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|run\.json")


@define
class Groups:
    """The groups that a program has made so far.

    `models` are theirs, in the order in which they were made; None for a wrong statement's.
    `counts` are how many samples they have, where the program alone says it. `photographed` are
    those that were made of a photograph which the program names.
    """

    models: dict[str, ir.ModelSpec | None] = Factory(dict)
    counts: dict[str, int] = Factory(dict)
    photographed: set[str] = Factory(set)
    _shown: dict[str, str] = Factory(dict)
    _taken: set[str] = Factory(set)
    _next: dict[str, int] = Factory(dict)

    def continued(self) -> Groups:
        """Return a copy that goes on from here."""
        models, counts, photographed = dict(self.models), dict(self.counts), set(self.photographed)
        shown, taken = dict(self._shown), set(self._taken)
        return Groups(models, counts, photographed, shown, taken, dict(self._next))

    def reserve(self, names: set[str]) -> None:
        """Keep names that the program writes out from being given to nameless statements."""
        self._taken |= {folded(name) for name in names}

    def add(self, read: Clauses) -> str:
        """Return the statement's name, made up if none is given; its group is known from here on.

        A wrong name makes the statement wrong; errors about a wrong statement's group are silent.
        """
        clause, name = read.get("as", nodes.AsClause), ""
        if clause is None:
            number = self._next.get(read.statement, 1)
            while f"{read.statement}{number}" in self._taken:
                number += 1
            # Names are never given back, so that the next search begins where this one ended.
            self._next[read.statement] = number + 1
            name = f"{read.statement}{number}"
        else:
            try:
                name = self._fit(_filled(clause.name, read.frame), clause.name, read)
            except LostError:
                read.wrong = True
                return name
        self._shown[folded(name)] = name
        self._taken.add(folded(name))
        if read.statement != "measure":
            self.models[name] = None if read.wrong else read.model
        return name

    def model_of(
        self, group: nodes.Word | nodes.Text, frame: Frame
    ) -> tuple[str, ir.ModelSpec] | None:
        """Return the group's name and model; None if unknown or wrong, which has been reported."""
        try:
            name = _filled(group, frame)
        except LostError:
            return None
        model = self.models.get(name)
        if model is not None:
            return name, model
        if name not in self.models and not frame.is_known_wrong(name):

            def hint() -> str:
                if folded(name) in self._taken:
                    return "it is made further down; put this below it"
                near = did_you_mean(name, self.models, "known so far:")
                return near or "a `sample … as NAME` above it makes one"

            frame.say("LACE108", f"there is no group `{name}` so far", group, hint)
        return None

    def _fit(self, name: str, at: nodes.Word | nodes.Text, read: Clauses) -> str:
        """Return a name that a folder can carry and no group has, or raise `LostError`."""
        code = "LACE112"
        if len(name) > MAX_LENGTH:
            problem = f"a name of {len(name)} characters; at most {MAX_LENGTH} are allowed"
            raise read.say(code, problem, at)
        hint: str | None = "a folder will have this name"
        before = self._shown.get(folded(name))
        found = _FORBIDDEN.search(name)
        wrong = first_hidden(name) if found is None else found.start()
        if not name.strip():
            problem, hint = "a group's name cannot be empty", None
        elif wrong is not None:
            problem = f"`{in_line(name[wrong])}` cannot be in a group's name"
        elif name != name.strip() or name != name.strip("."):
            problem = "a group's name neither begins nor ends with a space or a dot"
        elif _RESERVED.fullmatch(name):
            problem = f"`{name}` cannot be the name of a group"
            hint = "a folder will have this name; choose another one"
        elif before is not None:
            code, hint = "LACE111", "give this one another name"
            problem = f"there is a group `{name}` already"
            if before != name:
                problem = f"`{name}` differs from the group `{before}` only in capital letters"
                hint = "on some systems their folders are the same; give it another name"
            loops = [n for n, b in read.frame.bindings.items() if b.argument is not None]
            written = at.name if isinstance(at, nodes.Text) else ""
            if loops and f"{{{loops[-1]}}}" not in written:
                hint = f'inside `for`, put the loop variable in: `as "… {{{loops[-1]}}}"`'
        else:
            return name
        raise read.say(code, problem, at, hint)


def _filled(name: nodes.Word | nodes.Text, frame: Frame) -> str:
    """Return the name in NFC, `{t}` filled in, or raise `LostError`."""
    if isinstance(name, nodes.Word):
        return name.name

    def inserted(hole: re.Match[str]) -> str:
        return _meant(nfc(hole[1].strip()), name, frame)

    filled = _HOLE.sub(inserted, name.value)
    if set("{}") & set(_HOLE.sub("", name.value)):
        message = "a brace in a name is never closed, or never opened"
        hint = "braces hold a loop variable: `{t}`"
        raise frame.say("LACE113", message, name, hint)
    return nfc(filled)


def _meant(inside: str, at: nodes.Node, frame: Frame) -> str:
    """Return the value of `{inside}`, without unit and quotes, or raise `LostError`."""
    word, bound = nodes.Word(inside, span=at.span), inside in frame.bindings
    scalar = settle(word, frame) if bound else Scalar(None, inside, inside, word, frame)
    number = scalar.number
    if number is not None:
        return number.text
    if bound and scalar.word is not None:
        return scalar.word
    if frame.module.is_uncertain(inside):
        raise LostError
    hint = did_you_mean(inside, frame.bindings, "it may be")
    hint = hint or "only a loop variable or a number defined by `let` can stand there"
    message = f"`{{{inside}}}` is not defined here"
    if frame.module.find(inside) is not None:
        message = f"`{inside}` is a condition, and cannot be part of a name"
    raise frame.say("LACE113", message, at, hint)

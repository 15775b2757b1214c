"""Completions: the keywords that the parser accepts next, and the names that fit there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from attrs import frozen
from lark import Token
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from lacelang import ir
from lacelang.repl.session import Session
from lacelang.samplers import SAMPLERS, Option
from lacelang.semantics.clauses import ALLOWED, CLAUSE_KINDS
from lacelang.semantics.modules import shipped_files
from lacelang.syntax.grammar import CLAUSES, COMPARISONS, STATEMENTS, keywords
from lacelang.text.names import begins_with, is_name, is_part, nfc
from lacelang.text.numerals import number_text

# The ends of a sequence of tokens' kinds, each preceded by a space: a place for a value, which
# begins with the attribute's name, and a place in the brackets of a sampler, with its name.
_COMPARED = re.compile(
    rf" NAME( {'| '.join(sorted(COMPARISONS - {'TILDE', 'IN'}))}"
    r"| IN( LBRACE)?( NUMBER| NAME| COMMA| RANGE| UNIT)*)$"
)
_SAMPLER = re.compile(r"(?<= WITH) NAME LPAR( (?!LPAR|RPAR)\w+)*$")


@frozen
class Offer:
    """A completion, and a remark that is shown beside it."""

    word: str
    about: str = ""


Offers: TypeAlias = Callable[[Session, str], tuple[str, list[Offer]]]
"""From the text before the cursor to the word there, and its completions."""


def offers(session: Session, before: str) -> tuple[str, list[Offer]]:
    """Return the word before the cursor, and its completions."""
    end = len(before)
    while end and is_part(before[end - 1]):
        end -= 1
    part = "" if before[end : end + 1].isdigit() else before[end:]
    view = session.outlook(before[: len(before) - len(part)])
    place = _Place(session, view.tokens, [token.type for token in view.tokens], view.expected)
    found = dict.fromkeys(offer for offer in place.offers() if begins_with(offer.word, part))
    return part, [offer for offer in found if offer.word != nfc(part)]


class SessionCompleter(Completer):
    """Completes commands after a colon, by `commands`, and else programs."""

    def __init__(self, session: Session, commands: Offers) -> None:
        self._session = session
        self._commands = commands

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Yield the completions of the text before the cursor."""
        before = document.text_before_cursor
        find = self._commands if before.startswith(":") else offers
        part, found = find(self._session, before)
        for offer in found:
            yield Completion(offer.word, -len(part), display_meta=offer.about)


def model_offers(session: Session) -> Iterator[Offer]:
    """Offer every model that can be named."""
    yield from (Offer(n, m.generator) for n, m in sorted(session.models.items()))


def group_offers(session: Session) -> Iterator[Offer]:
    """Offer the groups so far, in quotes where a program needs them."""
    for name, model in session.known.groups.models.items():
        word = name if is_name(name) and name not in keywords() else f'"{name}"'
        yield Offer(word, "" if model is None else f"of {model.name}")


@frozen
class _Place:
    """A place in a program: the tokens before it, and the kinds of those that may follow."""

    session: Session
    tokens: tuple[Token, ...]
    kinds: list[str]
    expected: frozenset[str]

    def offers(self) -> Iterator[Offer]:
        if "NAME" in self.expected:
            yield from self._names()
        if "UNIT" in self.expected:
            attribute = self._compared(len(self.tokens) - 1)
            if attribute is not None and attribute.unit is not None:
                yield Offer(attribute.unit, "unit")
        yield from self._keywords()

    def _keywords(self) -> Iterator[Offer]:
        last = max((i for i, kind in enumerate(self.kinds) if kind in STATEMENTS), default=None)
        given = self.kinds[last:] if last is not None else []
        allowed = ALLOWED.get(str(self.tokens[last])) if last is not None else None
        for word in sorted(keywords()):
            kind = word.upper()
            # `temp` may also stand in square brackets, whatever the statement allows.
            clause = kind in CLAUSES and kind != "TEMP"
            fits = kind not in given and (allowed is None or word in allowed)
            if kind in self.expected and (fits or not clause):
                yield Offer(word)

    def _names(self) -> Iterator[Offer]:
        last = self.kinds[-1] if self.kinds else ""
        clause = CLAUSE_KINDS.get(last.lower())
        sampler = self._first(_SAMPLER, len(self.tokens))
        if last == "FROM":
            yield from model_offers(self.session)
        elif last in ("OF", "EDIT"):
            yield from group_offers(self.session)
        elif last == "IMPORT":
            yield from (Offer(name, "standard library") for name in shipped_files())
        elif last == "WITH":
            yield from (Offer(table.name, table.doc) for table in SAMPLERS.values())
        elif clause is not None and clause.words:
            yield from map(Offer, clause.words)
        elif sampler is not None:
            yield from self._options(sampler)
        elif (attribute := self._compared(len(self.tokens))) is not None:
            yield from (Offer(word, about) for word, about in attribute.named.items())
        elif "NOT" in self.expected:
            model = self._model()
            for attribute in model.attributes if model is not None else ():
                yield Offer(attribute.name, attribute.text)
            for name, definition in sorted(self.session.known.definitions.items()):
                parameters = ", ".join(p.name for p in definition.parameters)
                yield Offer(name, f"{name}({parameters})" if parameters else "defined")

    def _options(self, sampler: str) -> Iterator[Offer]:
        table = SAMPLERS.get(sampler)
        if table is None:
            return
        if self.kinds[-1] in ("LPAR", "COMMA"):
            yield from (Offer(option.name, _about(option)) for option in table.options)
            if table.presets:
                yield Offer("preset", ", ".join(table.presets))
        elif self.kinds[-2:] == ["NAME", "EQUAL"] and self.tokens[-2] == "preset":
            yield from map(Offer, table.presets)

    def _first(self, pattern: re.Pattern[str], end: int) -> str | None:
        """Return the first token of a pattern's match, which ends at token `end`."""
        found = pattern.search("".join(f" {kind}" for kind in self.kinds[:end]))
        return str(self.tokens[found.string.count(" ", 0, found.start())]) if found else None

    def _compared(self, end: int) -> ir.Attribute | None:
        """Return the attribute whose comparison takes a value at token `end`."""
        name, model = self._first(_COMPARED, end), self._model()
        attributes = model.attributes if model is not None else ()
        return next((a for a in attributes if a.name == name), None)

    def _model(self) -> ir.ModelSpec | None:
        """Return the model that the statement is of: named in it, or of its group, or in use."""
        for i in range(len(self.kinds) - 1, 0, -1):
            if self.kinds[i - 1] == "EDIT":
                group = nfc(str(self.tokens[i]).strip('"'))
                return self.session.known.groups.models.get(group) or self.session.model
            if self.kinds[i - 1] == "FROM":
                return self.session.models.get(str(self.tokens[i]), self.session.model)
            if self.kinds[i] in STATEMENTS:
                break
        return self.session.model


def _about(option: Option) -> str:
    default = "" if option.default is None else f"; {number_text(option.default)} if left out"
    return f"{option.doc}{default}"

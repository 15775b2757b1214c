"""Completions: the keywords that the parser accepts next, and the names that fit there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from attrs import frozen
from lark import Token

from lacelang import ir
from lacelang.errors import Span
from lacelang.language.document import Document
from lacelang.language.positions import Position
from lacelang.language.scope import Scope, model_around
from lacelang.samplers import SAMPLERS, Option
from lacelang.semantics.clauses import ALLOWED, CLAUSE_KINDS
from lacelang.semantics.modules import shipped_files
from lacelang.syntax.grammar import CLAUSES, COMPARISONS, ITEMS, STATEMENTS, keywords, quoted
from lacelang.syntax.parser import Outlook, outlook
from lacelang.text.names import begins_with, is_part, nfc
from lacelang.text.numerals import number_text

# The ends of a sequence of tokens' kinds, each preceded by a space: a place for a value, which
# begins with the attribute's name, and a place in the brackets of a sampler, with its name.
_COMPARED = re.compile(
    rf" NAME( {'| '.join(sorted(COMPARISONS - {'TILDE', 'IN'}))}"
    r"| EQUAL EACH( LBRACE)?( NUMBER| NAME| COMMA| COLON| RANGE| UNIT)*"
    r"| IN( LBRACE)?( NUMBER| NAME| COMMA| RANGE| UNIT)*)$"
)
_SAMPLER = re.compile(r"(?<= WITH) NAME LPAR( (?!LPAR|RPAR)\w+)*$")


@frozen
class Offer:
    """A completion: a word, a remark that is shown beside it, and what the word is.

    `kind` is `attribute`, `value`, `unit`, `definition`, `variable`, `model`, `group`, `module`,
    `sampler`, `option`, `statement`, `clause` or `keyword`.
    """

    word: str
    about: str = ""
    kind: str = "keyword"


@frozen
class Completions:
    """The stretch of text that a completion replaces, and the completions."""

    span: Span
    offers: tuple[Offer, ...]


def completions(document: Document, position: Position) -> Completions:
    """Return what may stand at a position of a document, in place of the word before it."""
    places, text = document.places, document.text
    end = places.offset(position)
    start = end - len(part_before(text[:end]))
    begin = document.statement_start(start)
    view = outlook(text[begin:start])
    if _in_no_token(text[begin:start], view):
        return Completions(places.span(end, end), ())
    rest = [token for token in document.tokens if (token.start_pos or 0) >= end]
    found = offers(document.scope, view, text[start:end], rest)
    return Completions(places.span(start, end), tuple(found))


def part_before(before: str) -> str:
    """Return the word at the end of a text, which somebody is typing."""
    end = len(before)
    while end and is_part(before[end - 1]):
        end -= 1
    return "" if before[end : end + 1].isdigit() else before[end:]


def offers(scope: Scope, view: Outlook, part: str, following: Sequence[Token] = ()) -> list[Offer]:
    """Return what may follow a text, of whose last word `part` is typed.

    `following` are the tokens behind it, among which a `from` may name the model.
    """
    kinds = [token.type for token in view.tokens]
    place = _Place(scope, view.tokens, kinds, view.expected, following)
    found = dict.fromkeys(offer for offer in place.offers() if begins_with(offer.word, part))
    return [offer for offer in found if offer.word != nfc(part)]


def model_offers(scope: Scope) -> Iterator[Offer]:
    """Offer every model that can be named."""
    yield from (Offer(n, m.generator, "model") for n, m in sorted(scope.models.items()))


def group_offers(scope: Scope) -> Iterator[Offer]:
    """Offer the groups so far, in quotes where a program needs them."""
    for name, model in scope.groups.items():
        yield Offer(quoted(name), "" if model is None else f"of {model.name}", "group")


def _in_no_token(text: str, view: Outlook) -> bool:
    """Whether a text ends in a comment, or in quotes that are still open."""
    last = max((token.end_pos or 0 for token in view.tokens), default=0)
    line = text[max(text.rfind("\n") + 1, last) :]
    return "#" in line or line.count('"') % 2 == 1


@frozen
class _Place:
    """A place in a program: the tokens before it, the kinds that may follow, and those behind."""

    scope: Scope
    tokens: tuple[Token, ...]
    kinds: list[str]
    expected: frozenset[str]
    following: Sequence[Token]

    def offers(self) -> Iterator[Offer]:
        if "NAME" in self.expected:
            yield from self._names()
        if "UNIT" in self.expected:
            attribute = self._compared(len(self.tokens) - 1)
            if attribute is not None and attribute.unit is not None:
                yield Offer(attribute.unit, "unit", "unit")
        yield from self._keywords()

    def _keywords(self) -> Iterator[Offer]:
        last = self._statement
        given = self.kinds[last:] if last is not None else []
        allowed = ALLOWED.get(str(self.tokens[last])) if last is not None else None
        bracketed = given.count("LSQB") > given.count("RSQB")
        for word in sorted(keywords()):
            kind = word.upper()
            # `temp` also stands in square brackets, whatever the statement allows and has already.
            clause = kind in CLAUSES and not bracketed
            fits = (kind not in given or kind == "TEMP") and (allowed is None or word in allowed)
            if kind in self.expected and (fits or not clause):
                yield Offer(word, "", _kind_of(kind))

    @property
    def _statement(self) -> int | None:
        """The token that begins the statement."""
        return max((i for i, kind in enumerate(self.kinds) if kind in STATEMENTS), default=None)

    def _names(self) -> Iterator[Offer]:
        last = self.kinds[-1] if self.kinds else ""
        clause = CLAUSE_KINDS.get(last.lower())
        sampler = self._first(_SAMPLER, len(self.tokens))
        if last == "FROM":
            yield from model_offers(self.scope)
        elif last in ("OF", "EDIT"):
            yield from group_offers(self.scope)
        elif last == "IMPORT":
            yield from (Offer(name, "standard library", "module") for name in shipped_files())
        elif last == "WITH":
            yield from (Offer(table.name, table.doc, "sampler") for table in SAMPLERS.values())
        elif clause is not None and clause.words:
            yield from (Offer(word, "", "value") for word in clause.words)
        elif sampler is not None:
            yield from self._options(sampler)
        elif (attribute := self._compared(len(self.tokens))) is not None:
            yield from self._variables()
            yield from (Offer(word, about, "value") for word, about in attribute.named.items())
        elif "NOT" in self.expected:
            yield from self._variables()
            model = self._model()
            for attribute in model.attributes if model is not None else ():
                yield Offer(attribute.name, attribute.text, "attribute")
            for name, definition in sorted(self.scope.definitions.items()):
                parameters = ", ".join(p.name for p in definition.parameters)
                about = f"{name}({parameters})" if parameters else "defined"
                yield Offer(name, about, "definition")

    def _variables(self) -> Iterator[Offer]:
        """Offer the parameters of the `def` that is being written, and variables of open loops."""
        blocks: list[str | None] = []
        pending: str | None = None
        for before, token in pairwise((None, *self.tokens)):
            if before is not None and before.type == "FOR":
                pending = str(token)
            elif token is not None and token.type == "LBRACE":
                blocks.append(pending)
                pending = None
            elif token is not None and token.type == "RBRACE" and blocks:
                blocks.pop()
        for name in filter(None, reversed(blocks)):
            yield Offer(name, "loop variable", "variable")
        last = self._statement
        if last is not None and self.kinds[last] == "DEF":
            head = self.kinds[last:]
            end = last + head.index("RPAR") if "RPAR" in head else last
            for token in self.tokens[last + 2 : end]:
                if token.type == "NAME":
                    yield Offer(str(token), "parameter", "variable")

    def _options(self, sampler: str) -> Iterator[Offer]:
        table = SAMPLERS.get(sampler)
        if table is None:
            return
        if self.kinds[-1] in ("LPAR", "COMMA"):
            yield from (Offer(option.name, _about(option), "option") for option in table.options)
            if table.presets:
                yield Offer("preset", ", ".join(table.presets), "option")
        elif self.kinds[-2:] == ["NAME", "EQUAL"] and self.tokens[-2] == "preset":
            yield from (Offer(preset, "", "value") for preset in table.presets)

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
        return model_around(self.scope, self.tokens, self.following)


def _kind_of(terminal: str) -> str:
    if terminal in STATEMENTS | ITEMS:
        return "statement"
    return "clause" if terminal in CLAUSES else "keyword"


def _about(option: Option) -> str:
    default = "" if option.default is None else f"; {number_text(option.default)} if left out"
    return f"{option.doc}{default}"

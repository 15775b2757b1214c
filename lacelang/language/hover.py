"""What a reader is told of the word at a place, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen
from lark import Token

from lacelang import ir
from lacelang.annotators import ANNOTATORS
from lacelang.errors import Span
from lacelang.language.completion import Offer
from lacelang.language.document import Document, diagnostics
from lacelang.language.markdown import code, fenced
from lacelang.language.names import Name, Target, file_of, name_at
from lacelang.language.positions import Position
from lacelang.language.prior import BINS, distribution
from lacelang.language.words import WORDS
from lacelang.samplers import DEFAULT_SAMPLER, SAMPLERS, Option, Sampler
from lacelang.semantics.codes import CODES
from lacelang.semantics.context import Definition, Module
from lacelang.semantics.modules import shipped_files
from lacelang.syntax import nodes
from lacelang.syntax.format import unparse
from lacelang.syntax.lines import lines_of
from lacelang.syntax.parser import read
from lacelang.system.sources import read_file
from lacelang.text.hidden import displayed
from lacelang.text.numerals import number_text, ranges_text

_CODE = re.compile(r"LACE\d{3}")
_LONGEST = 2000
"""Characters of a definition that are shown."""


@frozen
class Hover:
    """What is said of a stretch of text, in Markdown."""

    span: Span
    markdown: str


def hover(document: Document, position: Position) -> Hover | None:
    """Return what is said of the word at a position, and of what is wrong there; None if nothing.

    Names come with what they refer to, words of the language with an example, numbers with nothing.
    """
    token = _token_at(document, position)
    name = name_at(document, position)
    said: list[str] = []
    span: Span | None = None
    if name is not None:
        span, text = name.span, _of_name(document, name)
        said += [text] if text else []
    elif token is not None and str(token) in WORDS:
        span = _span(token)
        said.append(of_word(str(token)))
    elif token is not None and token.type == "COMMENT":
        found = _code_in(document, token, position)
        if found is not None:
            span, text = found
            said.append(text)
    for one in diagnostics(document):
        if _covers(one.span, position) and _code_line(one.code) not in said:
            span = span or one.span
            said.append(_code_line(one.code))
    if span is None or not said:
        return None
    return Hover(span, displayed("\n\n---\n\n".join(said)))


# Words of the language


def of_word(word: str) -> str:
    """Return what is said of a word of the language."""
    said = WORDS[word]
    return f"**`{word}`** {said.says}\n\n{fenced(said.example, 'lace')}"


def of_offer(document: Document, offer: Offer) -> str:
    """Return what is said of a completion; empty if there is no more than its remark."""
    model = document.scope.model
    match offer.kind:
        case "statement" | "clause" | "keyword":
            return of_word(offer.word)
        case "attribute":
            known = {a.name: a for a in model.attributes} if model is not None else {}
            attribute = known.get(offer.word)
            return of_attribute(model, attribute) if model and attribute else ""
        case "definition":
            definition = document.scope.definitions.get(offer.word)
            return of_definition(definition) if definition is not None else ""
        case "sampler":
            return of_sampler(SAMPLERS[offer.word]) if offer.word in SAMPLERS else ""
        case "model":
            found = document.scope.models.get(offer.word)
            return of_model(found) if found is not None else ""
        case "module":
            return _of_module(offer.word, str(shipped_files()[offer.word]))
    return ""


# Names


def _of_name(document: Document, name: Name) -> str:
    target, model = name.target, name.model
    match target.kind:
        case "attribute" | "value" if model is not None:
            wanted = target.name if target.kind == "attribute" else target.of
            attribute = next((a for a in model.attributes if a.name == wanted), None)
            if attribute is None:
                return ""
            if target.kind == "value":
                return _of_value(model, attribute, target.name)
            comment = _comment(document, target)
            return of_attribute(model, attribute, comment)
        case "definition":
            return of_definition(name.declared) if name.declared is not None else ""
        case "parameter":
            return f"**{code(target.name)}** parameter of {code(target.of)}"
        case "variable":
            return f"**{code(target.name)}** loop variable"
        case "group":
            of = f", of {code(model.name)}" if model is not None else ""
            return f"**{code(target.name)}** group of samples{of}"
        case "model":
            found = document.scope.models.get(target.name)
            return of_model(found, _comment(document, target)) if found is not None else ""
        case "module":
            return _of_module(target.name, target.path)
        case "sampler":
            return of_sampler(SAMPLERS[target.name]) if target.name in SAMPLERS else ""
        case "option":
            return _of_option(target)
        case "unit":
            return f"**{code(target.name)}** unit"
    return ""


def of_attribute(model: ir.ModelSpec, attribute: ir.Attribute, comment: str = "") -> str:
    """Return what is said of an attribute: its values, its layers, and how it is spread."""
    kind = {"binary": "binary", "choice": "categorical", "continuous": "continuous"}
    taught = ", taught" if attribute.name in model.taught else ""
    lines = [
        f"**{code(attribute.name)}** {kind[attribute.kind]} attribute of {code(model.name)}{taught}"
    ]
    if comment:
        lines.append(fenced(comment))
    facts = [f"values: {attribute.text}"]
    layers = attribute.layers
    facts.append(f"layers that an edit replaces: {ranges_text(layers) if layers else 'all'}")
    seen = [a.name for a in ANNOTATORS.values() if attribute.name in a.attributes]
    if seen:
        facts.append(f"seen in images by: {', '.join(seen)}")
    lines.append("\n".join(f"- {fact}" for fact in facts))
    lines += _spread(model, attribute)
    return "\n\n".join(lines)


def _spread(model: ir.ModelSpec, attribute: ir.Attribute) -> Iterator[str]:
    """Yield the picture of an attribute under the prior."""
    found = distribution(model, attribute)
    if found is None:
        return
    draws = f"{found.count:,}".replace(",", " ")
    if found.quantiles is None:
        rows = zip(attribute.values, found.sparkline, found.shares, strict=True)
        shown = "\n".join(f"{bar} {share:6.1%}  {value}" for value, bar, share in rows)
        yield f"In {draws} draws from the prior:\n\n{fenced(shown)}"
        return
    assert attribute.limits is not None
    low, high = (number_text(limit) for limit in attribute.limits)
    ends = low + high.rjust(max(BINS - len(low), len(high) + 1))
    unit = f" {attribute.unit}" if attribute.unit else ""
    near = ", ".join(f"{value:.3g}" for value in found.quantiles)
    yield (
        f"In {draws} draws from the prior (2nd, 50th and 98th percentile: {near}{unit}):\n\n"
        f"{fenced(f'{found.sparkline}{chr(10)}{ends}')}"
    )


def _of_value(model: ir.ModelSpec, attribute: ir.Attribute, value: str) -> str:
    of = f"{code(attribute.name)} of {code(model.name)}"
    return f"**{code(value)}** value of {of}: {attribute.named[value]}"


def of_definition(definition: Definition) -> str:
    """Return what is said of a `let` or a `def`: its text, and what its conditions expand to."""
    node, module = definition.node, definition.module
    lines = [fenced(unparse(node)[:_LONGEST], "lace")]
    expanded = _expanded(definition)
    if expanded and expanded != unparse(definition.body):
        lines.append(f"which is\n\n{fenced(expanded[:_LONGEST], 'lace')}")
    comment = _comment_above(module.source, node.span.line)
    if comment:
        lines.append(fenced(comment))
    if module.path is not None:
        lines.append(f"defined in {code(Path(module.path).name)}")
    return "\n\n".join(lines)


_DEEPEST, _MOST = 12, 200


def _expanded(definition: Definition) -> str:
    """Return the body with the `let`s that it names written out, as far as they are short."""
    left = [_MOST]

    def inner(node: nodes.Predicate, module: Module, own: frozenset[str], depth: int) -> str:
        left[0] -= 1
        if isinstance(node, nodes.Reference) and node.name.name not in own:
            found = module.find(node.name.name)
            expands = depth < _DEEPEST and left[0] > 0
            if expands and found is not None and not found.parameters and not found.circular:
                body = found.body
                if isinstance(body, nodes.Quantity):
                    return unparse(body)
                text = inner(body, found.module, frozenset(), depth + 1)
                return text if isinstance(body, nodes.Atom | nodes.Reference) else f"({text})"
        match node:
            case nodes.And(terms) | nodes.Or(terms) | nodes.Xor(terms) | nodes.Implies(terms):
                joint = f" {type(node).__name__.lower()} "
                return joint.join(inner(term, module, own, depth + 1) for term in terms)
            case nodes.Not(term):
                return f"not {inner(term, module, own, depth + 1)}"
            case nodes.Parenthesis(term):
                return f"({inner(term, module, own, depth + 1)})"
        return unparse(node)

    body = definition.body
    if isinstance(body, nodes.Quantity) or definition.circular:
        return ""
    own = frozenset(word.name for word in definition.parameters)
    return inner(body, definition.module, own, 0)


def of_model(model: ir.ModelSpec, comment: str = "") -> str:
    """Return what is said of a model: its generator, and what can be asked of it."""
    origin = f" from {code(model.origin)}" if model.origin else ""
    lines = [f"**{code(model.name)}** model: {model.generator}{origin}"]
    if comment:
        lines.append(fenced(comment))
    if model.attributes:
        lines.append(fenced("\n".join(model.attribute_lines)))
    return "\n\n".join(lines)


def _of_module(name: str, path: str | None) -> str:
    lines = [f"**{code(name)}** module"]
    if path is not None:
        try:
            source = read_file(Path(path)).decode("utf-8-sig")
        except (OSError, ValueError):
            return lines[0]
        head = _comment_above(source, _first_line(source))
        lines += [fenced(head)] if head else []
        kinds = (nodes.Let, nodes.Def, nodes.Model)
        made = [s.name.name for s in read(source).program.statements if isinstance(s, kinds)]
        if made:
            lines.append("defines " + ", ".join(code(each) for each in made))
    return "\n\n".join(lines)


def of_sampler(sampler: Sampler) -> str:
    """Return what is said of a sampler: what it does, and its options."""
    default = " (the default)" if sampler.name == DEFAULT_SAMPLER else ""
    lines = [f"**{code(sampler.name)}** sampler{default}: {sampler.doc}"]
    options = [f"- {code(o.name)}: {_about(o)}" for o in sampler.options]
    if sampler.presets:
        options.append(f"- `preset`: {', '.join(sampler.presets)}")
    lines += ["\n".join(options)] if options else []
    return "\n\n".join(lines)


def _of_option(target: Target) -> str:
    sampler = SAMPLERS.get(target.of)
    option = sampler.option(target.name) if sampler is not None else None
    if option is not None:
        return f"**{code(target.name)}** option of {code(target.of)}: {_about(option)}"
    if sampler is not None and target.name == "preset":
        presets = ", ".join(sampler.presets)
        return f"**`preset`** option of {code(target.of)}: the values of several options; {presets}"
    return ""


def _about(option: Option) -> str:
    default = "" if option.default is None else f", default {option.default:g}"
    return f"{option.doc} ({option.limits}{default})"


# Comments and codes


def _comment(document: Document, target: Target) -> str:
    """Return what comments say of a declaration: behind it, else above it."""
    if target.span is None:
        return ""
    modules = (document.examined.module, *document.examined.modules.values())
    source = next((m.source for m in modules if file_of(m) == target.path), "")
    lines = lines_of(source)
    if target.span.line > len(lines):
        return ""
    _, mark, behind = lines[target.span.line - 1].partition("#")
    if mark and target.kind == "attribute":
        return behind.strip()
    return _comment_above(source, target.span.line)


def _comment_above(source: str, line: int) -> str:
    """Return the comments right above a line, as one paragraph each."""
    lines = lines_of(source)
    first = line - 1
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    texts = [each.strip().removeprefix("#").removeprefix(" ") for each in lines[first : line - 1]]
    return "\n".join(texts).strip()


def _first_line(source: str) -> int:
    """Return the line behind the comments at the head of a file."""
    lines = lines_of(source)
    return next((n for n, each in enumerate(lines, 1) if not each.lstrip().startswith("#")), 1)


def _code_in(document: Document, token: Token, position: Position) -> tuple[Span, str] | None:
    start, offset = token.start_pos or 0, document.places.offset(position)
    for found in _CODE.finditer(str(token)):
        begin, end = start + found.start(), start + found.end()
        if begin <= offset <= end and found[0] in CODES:
            return document.places.span(begin, end), _code_line(found[0])
    return None


def _code_line(code: str) -> str:
    return f"**{code}** {CODES.get(code, '')}"


# Places


def _token_at(document: Document, position: Position) -> Token | None:
    """Return the token or comment at a position; of two that touch there, the one that begins."""
    every = (*document.tokens, *document.comments)
    found = (token for token in every if _covers(_span(token), position))
    return max(found, key=lambda token: token.start_pos or 0, default=None)


def _span(token: Token) -> Span:
    line, column = token.line or 1, token.column or 1
    return Span(line, column, token.end_line or line, token.end_column or column)


def _covers(span: Span, position: Position) -> bool:
    here = (position.line, position.column)
    return (span.line, span.column) <= here <= (span.end_line, span.end_column)

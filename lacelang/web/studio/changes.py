"""Changes to a program's text that sliders and buttons make: only what has to change does.

A change is (begin, end, text): what stands at these offsets is replaced. Everything else, comments
and layout included, stays as the person wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from lacelang import ir
from lacelang.errors import UsageError
from lacelang.syntax import nodes
from lacelang.syntax.grammar import quoted
from lacelang.text.names import folded
from lacelang.text.numerals import number_text
from lacelang.web.studio.targets import Form, Reading, Target, bare, conjuncts

Change: TypeAlias = tuple[int, int, str]

_SIGNS: Mapping[Form, str] = {"is": "=", "above": ">", "below": "<", "degree": "~"}
_COUNTS: Mapping[Form, int] = {"any": 0, "is": 1, "above": 1, "below": 1, "degree": 1, "between": 2}
# Operators that bind less than `and`: a condition that ends in one is put in brackets.
_LOOSER = (nodes.Or, nodes.Xor, nodes.Implies)
MOST_SAMPLES = 10_000


def set_attribute(
    reading: Reading, target: Target, name: str, form: Form, values: Sequence[object]
) -> list[Change]:
    """Return the changes after which a statement says this of an attribute; `any` says nothing.

    Raises:
        UsageError: the model has no such attribute, or the attribute no such value.
    """
    before = target.settings.get(name)
    if before is None or target.model is None:
        raise UsageError(f"there is no attribute `{name}` to set")
    attribute = target.model.attribute(name)
    spaced = isinstance(target.node, nodes.Edit)
    if form == "any":
        return [] if before.term is None else _removed(reading, target, before.term)
    atom = _atom(attribute, form, values, spaced)
    if before.term is not None:
        begin, end = reading.place(bare(before.term))
        return [(begin, end, atom)] if reading.text[begin:end] != atom else []
    return _added(reading, target, atom)


def _atom(attribute: ir.Attribute, form: Form, values: Sequence[object], spaced: bool) -> str:
    if len(values) != _COUNTS.get(form, -1):
        raise UsageError(f"`{attribute.name}` cannot be set so")
    if attribute.discrete and form == "is":
        if values[0] not in attribute.values:
            raise UsageError(f"`{attribute.name}` is {attribute.text}")
        said = [str(values[0])]
    elif form == "degree" and attribute.kind == "binary":
        said = [_number_text(values[0], 0.0, 1.0)]
    elif attribute.limits is not None and form != "degree":
        said = [_number_text(value, *attribute.limits) for value in values]
        if form == "between" and float(said[0]) > float(said[1]):
            said.reverse()
    else:
        raise UsageError(f"`{attribute.name}` is {attribute.text}")
    if form == "between":
        return f"{attribute.name} in {said[0]}..{said[1]}"
    # As programs are written by hand: `smile=1` in a condition, `smile = 1` as a line of an edit.
    sign = _SIGNS[form] if form == "is" and not spaced else f" {_SIGNS[form]} "
    return f"{attribute.name}{sign}{said[0]}"


def _number_text(value: object, low: float, high: float) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"a number from {number_text(low)} to {number_text(high)} is wanted")
    return number_text(round(float(value), 6))


# Adding and removing terms


def _added(reading: Reading, target: Target, atom: str) -> list[Change]:
    if isinstance(target.node, nodes.Edit):
        return _line_added(reading, target.node, atom)
    where = target.where
    if where is None:
        clause = target.clauses.get("from")
        at = reading.place(clause or target.node)[1]
        return [(at, at, f" where {atom}")]
    begin, end = reading.place(where.predicate)
    if isinstance(where.predicate, _LOOSER):
        return [(begin, begin, "("), (end, end, f") and {atom}")]
    return [(end, end, f" and {atom}")]


def _line_added(reading: Reading, node: nodes.Edit, atom: str) -> list[Change]:
    text = reading.text
    if node.steps:
        begin, end = reading.place(node.steps[-1])
        indent = text[text.rfind("\n", 0, begin) + 1 : begin]
        alone = not indent.strip()
        # Behind a comment on the same line, if there is one.
        rest = text[end : _line_end(text, end)]
        if alone and rest.lstrip().startswith("#"):
            end += len(rest)
        return [(end, end, f"\n{indent}{atom}" if alone else f"\n  {atom}")]
    begin, end = reading.place(node)
    at = text.index("{", begin, end) + 1
    return [(at, at, f"\n  {atom}\n")]


def _removed(reading: Reading, target: Target, term: nodes.Predicate) -> list[Change]:
    if isinstance(target.node, nodes.Edit):
        for step in target.node.steps:
            terms = list(conjuncts(step.predicate))
            if term in terms and _is_at(reading, terms, term):
                if len(terms) > 1:
                    return _term_removed(reading, step.predicate, term)
                return _line_removed(reading, target.node, step)
        return []
    where = target.where
    assert where is not None
    if len(list(conjuncts(where.predicate))) > 1:
        return _term_removed(reading, where.predicate, term)
    begin, end = reading.place(where)
    return [(begin - _space_before(reading.text, begin), end, "")]


def _is_at(reading: Reading, terms: Sequence[nodes.Predicate], term: nodes.Predicate) -> bool:
    return any(reading.place(each) == reading.place(term) for each in terms)


def _term_removed(
    reading: Reading, predicate: nodes.Predicate, term: nodes.Predicate
) -> list[Change]:
    """Remove a term of an `and`, wherever in round brackets that is, with its `and`."""
    place = reading.place(term)
    for joined in _ands(predicate):
        places = [reading.place(each) for each in joined.terms]
        if place in places:
            at = places.index(place)
            if at:
                return [(places[at - 1][1], place[1], "")]
            return [(place[0], places[1][0], "")]
    return []


def _ands(predicate: nodes.Node) -> Iterator[nodes.And]:
    if isinstance(predicate, nodes.And):
        yield predicate
        for term in predicate.terms:
            yield from _ands(term)
    elif isinstance(predicate, nodes.Parenthesis):
        yield from _ands(predicate.inner)


def _line_removed(reading: Reading, node: nodes.Edit, step: nodes.Step) -> list[Change]:
    if len(node.steps) == 1:
        raise UsageError("an edit has at least one line; set another attribute first")
    text = reading.text
    begin, end = reading.place(step)
    start, stop = text.rfind("\n", 0, begin) + 1, _line_end(text, end)
    if not text[start:begin].strip() and not text[end:stop].strip():
        return [(start, min(stop + 1, len(text)), "")]
    return [(begin - _space_before(text, begin), end, "")]


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _space_before(text: str, at: int) -> int:
    return at - len(text[:at].rstrip(" \t"))


# Counts, seeds, edits


def set_count(reading: Reading, target: Target, count: int) -> list[Change]:
    """Return the changes after which a `sample` makes so many."""
    if not isinstance(target.node, nodes.Sample):
        raise UsageError("an edit makes as many as it begins from")
    if not 1 <= count <= MOST_SAMPLES:
        raise UsageError(f"from 1 to {MOST_SAMPLES} samples")
    if target.node.count is not None:
        return [(*reading.place(target.node.count), str(count))]
    at = reading.place(target.node)[0] + len("sample")
    return [(at, at, f" {count}")]


def set_seed(reading: Reading, target: Target, seed: int) -> list[Change]:
    """Return the changes after which a `sample` has this seed."""
    if not isinstance(target.node, nodes.Sample):
        raise UsageError("an edit has the seed of what it begins from")
    if not 0 <= seed < 2**63:
        raise UsageError("a seed is a whole number from 0 to 2^63 - 1")
    clause, named = target.clauses.get("seed"), target.clauses.get("as")
    if clause is not None:
        return [(*reading.place(clause), f"seed {seed}")]
    if named is not None:
        at = reading.place(named)[0]
        return [(at, at, f"seed {seed} ")]
    at = reading.place(target.node)[1]
    return [(at, at, f" seed {seed}")]


def edit_of(
    reading: Reading,
    group: str,
    index: int,
    count: int,
    attribute: ir.Attribute,
    value: float | str,
) -> tuple[list[Change], str]:
    """Return the changes that add an edit of one sample, and the name of the edited group.

    The sample is picked from its group of `count`, and the one line of the edit sets an attribute
    to a value. Where it is edited already, or comes from an edit of one sample, that edit is the
    one to go on with, and nothing changes.
    """
    edits = {t.name: t.node for t in reading.targets if isinstance(t.node, nodes.Edit)}
    if group in edits and count == 1:
        return [], group
    picked = group if count == 1 else _picked(reading, group, index)
    before = [name for name, node in edits.items() if picked == node.group.name]
    if before:
        return [], before[-1]
    text = ""
    if picked is None:
        picked = _free_name(f"{group}_{index}", reading.groups)
        text = f"pick {index} of {quoted(group)} as {quoted(picked)}\n\n"
    name = _free_name(f"{picked}_edited", reading.groups)
    line = _atom(attribute, "is", [value], spaced=True)
    text += f"edit {quoted(picked)} {{\n  {line}\n}} as {quoted(name)}\n"
    end = len(reading.text.rstrip())
    gap = "\n\n" if end else ""
    return [(end, len(reading.text), gap + text)], name


def _picked(reading: Reading, group: str, index: int) -> str | None:
    """Return the group that is picked from another one and has this sample alone, if any."""
    for name, node in reading.picks.items():
        numbers = [getattr(value, "text", None) for value in node.indices]
        if node.group.name == group and numbers == [str(index)]:
            return name
    return None


def _free_name(stem: str, taken: Iterable[str]) -> str:
    folded_names = {folded(name) for name in taken}
    name, number = stem, 2
    while folded(name) in folded_names:
        name, number = f"{stem}_{number}", number + 1
    return name


def applied(text: str, changes: Sequence[Change]) -> str:
    """Return the text with the changes made; they do not overlap."""
    for begin, end, new in sorted(changes, reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def starting_text(model: ir.ModelSpec) -> str:
    """Return a first program of a model, about one attribute of it."""
    attribute = next(iter(model.attributes), None)
    name = re.sub(r"\W", "_", model.name)
    where = "" if attribute is None else f" where {attribute.name}={attribute.example}"
    return f"sample 4 from {model.name}{where} seed 0 as {name}_1\n"

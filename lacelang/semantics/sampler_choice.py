"""Samplers: `with heun(tolerance=1e-3)`, and what their options may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lacelang import ir
from lacelang.samplers import SAMPLERS, Option, Sampler
from lacelang.semantics.context import LostError, did_you_mean
from lacelang.semantics.values import settle
from lacelang.syntax import nodes
from lacelang.text.numerals import number_text

if TYPE_CHECKING:
    from lacelang.semantics.clauses import Clauses


def sampler_choice(clause: nodes.WithClause, read: Clauses) -> ir.SamplerChoice:
    """Return the sampler and all its options.

    Raises:
        LostError: something about it is wrong, which has been reported.
    """
    name = clause.sampler.name
    sampler = SAMPLERS.get(name)
    if sampler is None:
        hint = did_you_mean(name, SAMPLERS, "known:")
        raise read.say("LACE106", f"there is no sampler `{name}`", clause.sampler, hint)
    given: dict[str, float | int] = {}
    preset: str | None = None
    seen: set[str] = set()
    lost = False
    for option in clause.options:
        name = option.name.name
        try:
            if name in seen:
                message = f"the option `{name}` is given twice"
                raise read.say("LACE304", message, option, "keep one of them")
            seen.add(name)
            if name == "preset" and sampler.presets:
                preset = _preset(option, sampler, read)
            else:
                given[name] = _option(option, sampler, read)
        except LostError:
            lost = True
    if lost:
        raise LostError
    return ir.SamplerChoice(sampler.name, sampler.complete(given, preset))


def _preset(option: nodes.Option, sampler: Sampler, read: Clauses) -> str:
    scalar = settle(option.value, read.frame, read.report)
    if scalar.word is None or scalar.word not in sampler.presets:
        hint = did_you_mean(scalar.word or "", sampler.presets, "known:")
        message = f"`{sampler.name}` has no preset `{scalar.text}`"
        raise read.say("LACE109", message, option.value, hint)
    return scalar.word


def _option(node: nodes.Option, sampler: Sampler, read: Clauses) -> float | int:
    name = node.name.name
    option = sampler.option(name)
    if option is None:
        known = [o.name for o in sampler.options] + (["preset"] if sampler.presets else [])
        message = f"the sampler `{sampler.name}` has no option `{name}`"
        raise read.say("LACE107", message, node.name, did_you_mean(name, known, "it has:"))
    value = read.number(node.value, f"`{name}`")
    if option.whole and not float(value).is_integer():
        message = f"`{name}` is a whole number; {number_text(value)} is not"
        raise read.say("LACE211", message, node.value)
    wrong = None
    if value > option.high or value < option.low or (option.above and value == option.low):
        wrong = f"{_limits(option)}; {number_text(value)} is not"
    elif 0 < value < option.least:
        wrong = f"{option.least:g} or more; {number_text(value)} is less"
    if wrong is not None:
        raise read.say("LACE211", f"`{name}` is {wrong}", node.value, option.doc)
    return int(value) if option.whole else value


def _limits(option: Option) -> str:
    above = "above" if option.above else "at least"
    return f"{above} {number_text(option.low)} and at most {number_text(option.high)}"

"""Clauses: who takes them, how their values are read, and what holds without them.

The functions raise `LostError` where they have reported an error instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import evolve, frozen

from lacelang import ir
from lacelang.samplers import SAMPLERS, Sampler
from lacelang.semantics import defaults
from lacelang.semantics.context import Frame, LostError, Suggestion, all_of, did_you_mean
from lacelang.semantics.formulas import improbable, is_formula_for
from lacelang.semantics.models import layers_of
from lacelang.semantics.values import (
    STRONGEST,
    WEAKEST,
    Limits,
    limited,
    plain_quantity,
    settle,
    temperature,
)
from lacelang.semantics.weights import identity_file
from lacelang.syntax import nodes

ALLOWED = {
    "sample": (
        "from", "where", "temp", "truncation", "seed", "with", "as", "negation", "disjunction",
        "sigma", "verified",
    ),
    "edit": (
        "stay", "hold", "keep", "layers", "reweight", "temp", "with", "as", "negation",
        "disjunction", "sigma", "from", "truncation", "paste",
    ),
    "photo": ("from", "face", "fast", "paste", "as"),
    "pick": ("as",),
    "measure": ("given", "from", "truncation", "seed", "as"),
}  # fmt: skip
"""The clauses of each statement."""

_MEANT = {("sample", "given"): "where", ("measure", "where"): "given"}

C = TypeVar("C", bound=nodes.Clause)


class Clauses:
    """The clauses of one statement, each at most once.

    It is `wrong` once an error has been reported; its `model` is noted when it is known.
    """

    def __init__(self, statement: str, clauses: Sequence[nodes.Clause], frame: Frame) -> None:
        self.statement = statement
        self.frame = frame
        self.wrong = False
        self.model: ir.ModelSpec | None = None
        self._found: dict[str, nodes.Clause] = {}
        for clause in clauses:
            keyword = clause.keyword
            if keyword not in ALLOWED[statement]:
                *most, last = (f"`{each}`" for each in ALLOWED[statement])
                listed = f"{', '.join(most)} and {last}" if most else last
                hint = f"`{statement}` takes {listed}"
                if (statement, keyword) in _MEANT:
                    hint = _said_with(clause, _MEANT[statement, keyword])
                message = f"`{keyword}` does not belong to `{statement}`"
                self.say("LACE303", message, clause, hint)
            elif (before := self._found.setdefault(keyword, clause)) is not clause:
                hint = f"it is in line {before.span.line} already; keep one of them"
                if isinstance(clause, nodes.PredicateClause):
                    hint = f"join the two conditions with `and`, behind one `{keyword}`"
                self.say("LACE301", f"`{keyword}` is given twice", clause, hint)

    def say(self, code: str, message: str, at: nodes.Node, hint: str | None = None) -> LostError:
        """Report an error, which makes the statement wrong. See `Frame.say`."""
        self.wrong = True
        return self.frame.say(code, message, at, hint)

    def refuse(self, message: str, hint: str) -> None:
        """Report `from` and `truncation`, where they are given, as known otherwise."""
        for keyword in ("from", "truncation"):
            self.refuse_one(keyword, message, hint)

    def refuse_one(self, keyword: str, message: str, hint: str) -> None:
        """Report a clause, if it is given."""
        if keyword in self._found:
            self.say("LACE303", f"`{keyword}` {message}", self._found[keyword], hint)

    def get(self, keyword: str, kind: type[C]) -> C | None:
        """Return the clause, if there is one."""
        clause = self._found.get(keyword)
        return clause if isinstance(clause, kind) else None

    def value(self, keyword: str, clause: nodes.Clause | None = None) -> Any:
        """Return what the clause says; if it is not there or wrong, what holds without it.

        `clause` is read in place of the statement's own, as that of a step is.
        """
        row, clause = CLAUSE_KINDS[keyword], clause or self._found.get(keyword)
        if clause is not None:
            try:
                return row.read(clause, self)
            except LostError:
                self.wrong = True
        return row.default(self.model) if callable(row.default) else row.default

    def checked_model(self) -> ir.ModelSpec:
        """Return the model, or raise `LostError` if the statement is wrong."""
        if self.wrong or self.model is None:
            raise LostError
        return self.model

    def condition_options(
        self, predicates: Sequence[ir.Predicate], sampler: ir.SamplerChoice
    ) -> ir.ConditionOptions:
        """Return what the statement says of all of its conditions, which `sampler` samples."""
        temp, logit = self.value("temp")
        clause = self.get("temp", nodes.TempClause)
        if clause is not None and (temp, logit) != (None, None):
            denied = [each for p in predicates for each in ir.reached(p)]
            if logit is not None and any(denied):
                what = "`temp logit(…)` reaches a condition under `not`"
                hint = "put it in square brackets behind the conditions that are not denied"
                self.say("LACE214", f"{what}: its energy may be negative", clause, hint)
            if not denied and not self.wrong:
                message = "`temp` is for discrete conditions, and there are none here"
                self.frame.say("LACE516", message, clause)
        words = (self.value(keyword) for keyword in ("negation", "disjunction", "sigma"))
        options = ir.ConditionOptions(temp, logit, *words)
        self.refuse_beyond_bounds(predicates, options)
        if "disjunction" not in self._found and is_formula_for(sampler, predicates, options):
            options = evolve(options, disjunction="exact")
            meant = f"`{sampler.name}`, which samples by its probability"
            self._refuse_too_large(predicates, options, meant)
        elif options.disjunction == "exact":
            self._refuse_without_probability(predicates, options)
            self._refuse_too_large(predicates, options, "`disjunction exact`")
        return options

    def _refuse_without_probability(
        self, predicates: Sequence[ir.Predicate], options: ir.ConditionOptions
    ) -> None:
        """Report what gives a condition an energy that is no probability of a formula."""
        for predicate in predicates:
            for what, hint, at in improbable(predicate, options):
                self.wrong = True
                where = self._found[at].span if isinstance(at, str) else at
                message = f"`disjunction exact` takes the probability of the formula, and {what}"
                self.frame.report.say("LACE316", message, where, self.frame.module, hint)

    def _refuse_too_large(
        self, predicates: Sequence[ir.Predicate], options: ir.ConditionOptions, meant: str
    ) -> None:
        if self.wrong:
            return
        for predicate in predicates:
            try:
                ir.require_small(predicate, options)
            except ir.FormulaTooLargeError:
                self.wrong = True
                message = f"this condition is too large a formula for {meant}"
                hint = "say it in several statements, or write `disjunction equal` for a mixture"
                module = self.frame.module
                self.frame.report.say("LACE317", message, predicate.span, module, hint)

    def refuse_beyond_bounds(
        self,
        predicates: Sequence[ir.Predicate],
        options: ir.ConditionOptions = defaults.CONDITION_OPTIONS,
    ) -> None:
        """Report conditions whose weights and temperatures multiply to too much or too little."""
        hint = f"their product must be from {WEAKEST:g} to {STRONGEST:g}"
        for predicate in predicates:
            found = ir.factors(predicate, options)
            beyond = next((each for each in found if not WEAKEST <= each[1] <= STRONGEST), None)
            if beyond is None:
                continue
            span, factor = beyond
            self.wrong = True
            message = f"weights and temperatures multiply this energy by {factor:.3g}"
            self.frame.report.say("LACE219", message, span, self.frame.module, hint)


def _said_with(clause: nodes.Clause, keyword: str) -> Suggestion:
    """Return the hint to begin a clause with another keyword."""
    start = clause.span
    end = start.column + len(clause.keyword)
    word = evolve(start, end_line=start.line, end_column=end)
    return Suggestion(f"write `{keyword}`", keyword, span=word)


# How the value of each clause is read


_NEAR = "1 leaves the samples as they are, 0.7 keeps them near the average"
# Below the least, too little of a sample is left in float32 to be edited.
_TRUNCATION = Limits("LACE209", 0, 1, _NEAR, above=True, least=1e-3)
_SEED = Limits("LACE205", 0, 2**63 - 1, whole=True)
RANDOM = "random"
_TRIES = Limits("LACE205", 1, 1000, "each candidate of a sample is decoded and judged", whole=True)
_FACE = Limits("LACE205", 1, 1000, "1 is the largest face", whole=True)
_STRENGTH = Limits("LACE205", 0, STRONGEST, least=WEAKEST)
_USED = "the paper's experiments use 0.1"
_CONTRAST = Limits("LACE205", 0, STRONGEST, _USED, above=True, least=WEAKEST)


def _truncation(clause: nodes.ValueClause, read: Clauses) -> float:
    return limited(clause.value, "`truncation`", _TRUNCATION, read.frame)


def _seed(clause: nodes.ValueClause, read: Clauses) -> int | str:
    if settle(clause.value, read.frame).word == RANDOM:
        return RANDOM
    quantity = plain_quantity(clause.value, read.frame, "`seed`")
    # Beyond 2**53 a float would round the seed that is written.
    exact = quantity.text.lstrip("+0")
    number = int(exact) if exact.isdigit() else quantity.number
    _SEED.check(number, "`seed`", clause.value, read.frame)
    return int(number)


def _face(clause: nodes.ValueClause, read: Clauses) -> int:
    return int(limited(clause.value, "the number of a face", _FACE, read.frame))


def _strength(clause: nodes.ValueClause, read: Clauses) -> float:
    return limited(clause.value, f"`{clause.keyword}`", _STRENGTH, read.frame)


def _verified(clause: nodes.VerifiedClause, read: Clauses) -> int:
    """How many candidates there may be for a sample."""
    if clause.tries is None:
        return defaults.TRIES
    return int(limited(clause.tries, "the number of candidates", _TRIES, read.frame))


def _hold(clause: nodes.ValueClause, read: Clauses) -> tuple[float, str]:
    """Gamma, and whose attributes it holds."""
    held: str = defaults.HELD
    if clause.form is not None:
        hint = "write `hold 0.01`, `hold later(0.01)` or `hold all(0.01)`"
        held = _known(clause, clause.form, read, hint)
    return _strength(clause, read), held


def _keep(clause: nodes.KeepClause, read: Clauses) -> float:
    """How strongly identity is kept; 0 does not need a network of it."""
    _known(clause, clause.word, read)
    strength = defaults.KEEP
    if clause.strength is not None:
        strength = limited(clause.strength, "`keep identity`", _STRENGTH, read.frame)
    if strength and read.model is not None and identity_file(read.model) is None:
        message = f"the model {read.model.name} has no network of identity"
        raise read.say("LACE322", message, clause, "leave `keep identity` out")
    return strength


def _layers(clause: nodes.LayersClause, read: Clauses) -> Any:
    """Which style layers: these, None for all, or `declared` for the attributes' own."""
    if clause.word is None:
        layout = None if read.model is None else read.model.layout
        return layers_of(clause.layers, layout, read.say)
    hint = "write `all`, `declared` or numbers such as `0..5`"
    return None if _known(clause, clause.word, read, hint) == "all" else "declared"


def _word(clause: nodes.WordClause, read: Clauses) -> str:
    word = _known(clause, clause.word, read)
    if clause.argument is not None and word != "contrast":
        message = f"`{word}` takes no number"
        read.say("LACE003", message, clause.argument, "leave the brackets out")
    return word


def _negation(clause: nodes.WordClause, read: Clauses) -> ir.Negation:
    if _word(clause, read) == "complement":
        return ("complement",)
    if clause.argument is None:
        hint = "write `contrast(0.1)`"
        raise read.say("LACE012", "`contrast` needs a number", clause.word, hint)
    return "contrast", limited(clause.argument, "`contrast`", _CONTRAST, read.frame)


def _known(
    clause: nodes.Clause, word: nodes.Word, read: Clauses, otherwise: str | None = None
) -> str:
    """Return a word that the clause takes."""
    words = CLAUSE_KINDS[clause.keyword].words
    if word.name in words:
        return word.name
    hint = did_you_mean(word.name, words, None if otherwise else "it is one of") or otherwise
    raise read.say("LACE109", f"`{clause.keyword}` does not know `{word.name}`", word, hint)


# Samplers: `with heun(tolerance=1e-3)`, and what their options may be


def sampler_choice(clause: nodes.WithClause, read: Clauses) -> ir.SamplerChoice:
    """Return the sampler and all its options."""
    name = clause.sampler.name
    sampler = SAMPLERS.get(name)
    if sampler is None:
        hint = did_you_mean(name, SAMPLERS, "known:")
        raise read.say("LACE106", f"there is no sampler `{name}`", clause.sampler, hint)
    given: dict[str, float | int] = {}
    presets: list[str] = []
    seen: set[str] = set()

    def read_option(option: nodes.Option) -> None:
        name = option.name.name
        if name in seen:
            message = f"the option `{name}` is given twice"
            raise read.say("LACE304", message, option, "keep one of them")
        seen.add(name)
        if name == "preset" and sampler.presets:
            presets.append(_preset(option, sampler, read))
        else:
            given[name] = _option(option, sampler, read)

    all_of(read_option, clause.options)
    if read.statement == "sample" and not presets:
        given = {**defaults.flow(read.model, sampler), **given}
    return ir.SamplerChoice(sampler.name, sampler.complete(given, *presets))


def _preset(option: nodes.Option, sampler: Sampler, read: Clauses) -> str:
    scalar = settle(option.value, read.frame)
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
    if read.statement == "edit" and not option.edits:
        hint = "leave it out; `stay` and `hold` limit an edit"
        raise read.say("LACE310", f"an edit has no option `{name}`", node, hint)
    limits = Limits(
        "LACE211", option.low, option.high, option.doc, option.above, option.whole, option.least
    )
    value = limited(node.value, f"`{name}`", limits, read.frame)
    return int(value) if option.whole else value


# The table


@frozen
class ClauseKind:
    """A clause: how it is read, what holds without it, and the words that it takes.

    What holds without it may be a function of the statement's model.
    """

    read: Callable[[Any, Clauses], Any]
    default: Any
    words: tuple[str, ...] = ()


_USUAL = defaults.CONDITION_OPTIONS

CLAUSE_KINDS: Mapping[str, ClauseKind] = {
    "temp": ClauseKind(
        lambda clause, read: temperature(clause.setting, read.frame),
        (_USUAL.temp, _USUAL.logit_temp),
    ),
    "truncation": ClauseKind(_truncation, defaults.truncation),
    "seed": ClauseKind(_seed, None),
    "face": ClauseKind(_face, 1),
    "fast": ClauseKind(lambda clause, read: True, False),
    "paste": ClauseKind(lambda clause, read: True, False),
    "with": ClauseKind(sampler_choice, None),
    "negation": ClauseKind(_negation, _USUAL.negation, ("complement", "contrast")),
    "disjunction": ClauseKind(_word, _USUAL.disjunction, ("equal", "balanced", "exact")),
    "sigma": ClauseKind(_word, _USUAL.sigma, ("residual", "paper")),
    "stay": ClauseKind(_strength, defaults.STAY),
    "hold": ClauseKind(_hold, (defaults.HOLD, defaults.HELD), ("later", "all")),
    "keep": ClauseKind(_keep, 0.0, ("identity",)),
    "layers": ClauseKind(_layers, "declared", ("all", "declared")),
    "reweight": ClauseKind(_word, "on", ("on", "off")),
    "verified": ClauseKind(_verified, None),
}
"""The clauses that have values of their own; the others name models, groups and conditions."""

"""Clauses: which belong to which statement, and what each may say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, TypeVar

from lacelang import ir
from lacelang.samplers import SAMPLERS, Option, Sampler
from lacelang.semantics import defaults
from lacelang.semantics.report import LostError, Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.semantics.settings import temperature
from lacelang.semantics.strength import STRONGEST, WEAKEST, beyond_bounds, in_bounds
from lacelang.semantics.values import plain_number, plain_quantity, settle
from lacelang.syntax import nodes
from lacelang.text.numerals import number_text

ALLOWED = {
    "sample": (
        "from", "where", "temp", "truncation", "seed", "with", "as", "negation", "disjunction",
        "sigma",
    ),
    "edit": (
        "stay", "hold", "layers", "reweight", "temp", "with", "as", "negation", "disjunction",
        "sigma", "from", "truncation",
    ),
    "measure": ("given", "from", "truncation", "seed", "as"),
}  # fmt: skip
"""The clauses of each statement."""

WORDS = {
    "negation": ("complement", "contrast"),
    "disjunction": ("equal", "balanced"),
    "sigma": ("residual", "paper"),
    "reweight": ("on", "off"),
    "layers": ("all", "declared"),
    "hold": ("later", "all"),
}
"""The clauses that take one of a few words, and which; the last two take numbers too."""

_MEANT = {("sample", "given"): "where", ("measure", "where"): "given"}

MAX_COUNT = 1_000_000
MAX_SEED = 2**63 - 1
LEAST_TRUNCATION = 1e-3
"""Below it, too little of a sample is left in float32 to be edited."""

C = TypeVar("C", bound=nodes.Clause)


class Clauses:
    """The clauses of one statement, each at most once."""

    def __init__(
        self, statement: str, clauses: Sequence[nodes.Clause], frame: Frame, report: Report
    ) -> None:
        self.frame = frame
        self.report = report
        self.wrong = False
        self._found: dict[str, nodes.Clause] = {}
        allowed = ALLOWED[statement]
        for clause in clauses:
            keyword = clause.keyword
            before = self._found.get(keyword)
            if keyword not in allowed:
                hint = f"`{statement}` takes {_listed(allowed)}"
                if (statement, keyword) in _MEANT:
                    hint = f"write `{_MEANT[statement, keyword]}`"
                message = f"`{keyword}` does not belong to `{statement}`"
                self.say("LACE303", message, clause, hint)
            elif before is not None:
                hint = f"it stands in line {before.span.line} already; keep one of them"
                if isinstance(clause, nodes.PredicateClause):
                    hint = f"join the two conditions with `and`, behind one `{keyword}`"
                self.say("LACE301", f"`{keyword}` is given twice", clause, hint)
            else:
                self._found[keyword] = clause

    def say(self, code: str, message: str, at: nodes.Node, hint: str | None = None) -> None:
        """Report an error; the statement comes to nothing."""
        self.wrong = True
        self.report.say(code, message, at, self.frame, hint)

    def refuse(self, keyword: str, message: str, hint: str) -> None:
        """Report a clause, if it is there, as one that does not belong here."""
        clause = self._found.get(keyword)
        if clause is not None:
            self.say("LACE303", message, clause, hint)

    def get(self, keyword: str, kind: type[C]) -> C | None:
        """Return the clause, if there is one."""
        clause = self._found.get(keyword)
        return clause if isinstance(clause, kind) else None

    def number(self, keyword: str, default: float) -> float:
        """Return the number of a value clause."""
        clause = self.get(keyword, nodes.ValueClause)
        if clause is None:
            return default
        try:
            return plain_number(clause.value, self.frame, self.report, f"`{keyword}`")
        except LostError:
            self.wrong = True
            return default

    def truncation(self) -> float:
        """Return psi, in (0, 1]."""
        value = self.number("truncation", defaults.TRUNCATION)
        if not LEAST_TRUNCATION <= value <= 1:
            message = f"truncation lies above 0 and goes up to 1; {number_text(value)} does not"
            if 0 < value < 1:
                least = number_text(LEAST_TRUNCATION)
                message = f"truncation goes from {least} to 1; {number_text(value)} is less"
            hint = "1 leaves the samples as they are, 0.7 keeps them near the average"
            self.say("LACE209", message, self._value("truncation"), hint)
        return value

    def seed(self) -> int | None:
        """Return the seed, None if the statement leaves it to the run."""
        clause = self.get("seed", nodes.ValueClause)
        if clause is None:
            return None
        try:
            found = plain_quantity(clause.value, self.frame, self.report, "`seed`")
            value, text = found.number, found.text
        except LostError:
            self.wrong = True
            return None
        if not (value.is_integer() and 0 <= value <= MAX_SEED):
            message = f"a seed is a whole number, 0 or more, and not {number_text(value)}"
            if value > MAX_SEED:
                message = "this seed is too large"
            self.say("LACE205", message, clause.value)
            return None
        # Beyond 2**53 a float would round the seed that is written.
        exact = text.lstrip("+0")
        seed = int(exact) if exact.isdigit() else int(value)
        if seed > MAX_SEED:
            self.say("LACE205", "this seed is too large", clause.value)
        return seed

    def at_least_zero(self, keyword: str, default: float) -> float:
        """Return a number that must not be negative."""
        value = self.number(keyword, default)
        if value < 0:
            message = f"`{keyword}` is 0 or more; {number_text(value)} is less"
            self.say("LACE205", message, self._value(keyword))
        elif value > 0 and not in_bounds(value):
            message = f"`{keyword}` is 0, or goes from {WEAKEST:g} to {STRONGEST:g}"
            self.say("LACE205", message, self._value(keyword))
        return value

    def sampler(self) -> ir.SamplerChoice | None:
        """Return the sampler and all its options; None if no `with` is given or it is wrong."""
        clause = self.get("with", nodes.WithClause)
        if clause is None:
            return None
        table = SAMPLERS.get(clause.sampler.name)
        if table is None:
            hint = did_you_mean(clause.sampler.name, SAMPLERS, "known:")
            message = f"there is no sampler `{clause.sampler.name}`"
            self.say("LACE106", message, clause.sampler, hint)
            return None
        given: dict[str, float | int] = {}
        preset: str | None = None
        seen: set[str] = set()
        for option in clause.options:
            name = option.name.name
            if name in seen:
                message = f"the option `{name}` is given twice"
                self.say("LACE304", message, option, "keep one of them")
                continue
            seen.add(name)
            try:
                if name == "preset" and table.presets:
                    preset = self._preset(option, table)
                else:
                    given[name] = self._option(option, table)
            except LostError:
                self.wrong = True
        if self.wrong:
            return None
        return ir.SamplerChoice(table.name, table.complete(given, preset))

    def _preset(self, option: nodes.Option, table: Sampler) -> str:
        scalar = settle(option.value, self.frame, self.report)
        if scalar.word is None or scalar.word not in table.presets:
            hint = did_you_mean(scalar.word or "", table.presets, "known:")
            message = f"`{table.name}` has no preset `{scalar.text}`"
            self.say("LACE109", message, option.value, hint)
            raise LostError
        return scalar.word

    def _option(self, node: nodes.Option, table: Sampler) -> float | int:
        name = node.name.name
        option = table.option(name)
        if option is None:
            known = [o.name for o in table.options] + (["preset"] if table.presets else [])
            hint = did_you_mean(name, known, "it has:")
            message = f"the sampler `{table.name}` has no option `{name}`"
            self.say("LACE107", message, node.name, hint)
            raise LostError
        value = plain_number(node.value, self.frame, self.report, f"`{name}`")
        if option.whole and not float(value).is_integer():
            message = f"`{name}` is a whole number; {number_text(value)} is not"
            self.say("LACE211", message, node.value)
            raise LostError
        if value > option.high or value < option.low or (option.above and value == option.low):
            message = f"`{name}` is {_limits(option)}; {number_text(value)} is not"
            self.say("LACE211", message, node.value, option.doc)
            raise LostError
        if 0 < value < option.least:
            message = f"`{name}` is {option.least:g} or more; {number_text(value)} is less"
            self.say("LACE211", message, node.value, option.doc)
            raise LostError
        return int(value) if option.whole else value

    def condition_options(self, predicates: Sequence[ir.Predicate]) -> ir.ConditionOptions:
        """Return what the statement says of all of its conditions.

        Args:
            predicates: the conditions.
        """
        temp, logit = self._temperature(predicates)
        options = ir.ConditionOptions(
            temp, logit, self._negation(), self._disjunction(), self._sigma()
        )
        self.refuse_beyond_bounds(predicates, options)
        return options

    def refuse_beyond_bounds(
        self,
        predicates: Sequence[ir.Predicate],
        options: ir.ConditionOptions = defaults.CONDITION_OPTIONS,
    ) -> None:
        """Report conditions whose weights and temperatures multiply to too much or too little."""
        for predicate in predicates:
            found = beyond_bounds(predicate, options)
            if found is not None:
                span, factor = found
                self.wrong = True
                self.report.say(
                    "LACE219",
                    f"weights and temperatures multiply this energy by {factor:.3g}",
                    span,
                    self.frame.module,
                    f"together they may come to {WEAKEST:g} at least and {STRONGEST:g} at most",
                )

    def _temperature(self, predicates: Sequence[ir.Predicate]) -> tuple[float | None, float | None]:
        """Return the statement's own temperature as (plain, of the logits), one of them None.

        Args:
            predicates: the conditions that it reaches.
        """
        clause = self.get("temp", nodes.TempClause)
        if clause is None:
            return None, None
        try:
            temp, logit = temperature(clause.setting, self.frame, self.report)
        except LostError:
            self.wrong = True
            return None, None
        discrete = [found for p in predicates for found in _discrete(p, False)]
        if logit is not None and any(denied for _, denied in discrete):
            message = "`temp logit(…)` reaches a condition under `not`: its energy may be negative"
            hint = "put it in square brackets behind the conditions that are not denied"
            self.say("LACE214", message, clause, hint)
        if not discrete and not self.wrong:
            message = "`temp` is for discrete conditions, and there are none here"
            self.report.say("LACE516", message, clause, self.frame)
        return temp, logit

    def _negation(self) -> ir.Negation:
        """Return what `not` means in this statement."""
        clause = self.get("negation", nodes.WordClause)
        word = self._word(clause, ("contrast",))
        if clause is None or word is None or word == "complement":
            return ("complement",)
        scale = 0.1
        if clause.argument is None:
            self.say("LACE012", "`contrast` needs a number", clause.word, "write `contrast(0.1)`")
            return ("contrast", scale)
        try:
            scale = plain_number(clause.argument, self.frame, self.report, "`contrast`")
        except LostError:
            self.wrong = True
        if scale <= 0:
            message = f"`contrast` takes a number above 0; {number_text(scale)} is not"
            self.say("LACE205", message, clause.argument, "the paper's experiments use 0.1")
        elif not in_bounds(scale):
            message = f"`contrast` takes a number from {WEAKEST:g} to {STRONGEST:g}"
            self.say("LACE205", message, clause.argument, "the paper's experiments use 0.1")
        return ("contrast", scale)

    def _disjunction(self) -> Literal["equal", "balanced"]:
        """Return how the arms of an `or` are weighed."""
        clause = self.get("disjunction", nodes.WordClause)
        balanced = self._word(clause) == "balanced"
        return "balanced" if balanced else "equal"

    def _sigma(self) -> Literal["residual", "paper"]:
        """Return where the spread of continuous attributes comes from."""
        clause = self.get("sigma", nodes.WordClause)
        return "paper" if self._word(clause) == "paper" else "residual"

    def reweight(self) -> bool:
        """Return whether an edit's earlier steps count less than the one being made."""
        return self._word(self.get("reweight", nodes.WordClause)) != "off"

    def _word(
        self, clause: nodes.WordClause | None, with_number: Collection[str] = ()
    ) -> str | None:
        if clause is None:
            return None
        word, known = clause.word.name, WORDS[clause.keyword]
        if word in known:
            if clause.argument is not None and word not in with_number:
                message = f"`{word}` takes no number"
                self.say("LACE003", message, clause.argument, "leave the brackets out")
            return word
        hint = did_you_mean(word, known, "it is one of")
        self.say("LACE109", f"`{clause.keyword}` does not know `{word}`", clause.word, hint)
        return None

    def _value(self, keyword: str) -> nodes.Node:
        clause = self.get(keyword, nodes.ValueClause)
        assert clause is not None
        return clause.value


def _discrete(predicate: ir.Predicate, denied: bool) -> Iterator[tuple[ir.Predicate, bool]]:
    """Yield the discrete atoms that a statement's own temperature reaches."""
    if isinstance(predicate, ir.And | ir.Or):
        for term in predicate.terms:
            yield from _discrete(term, denied)
    elif isinstance(predicate, ir.Not):
        yield from _discrete(predicate.term, True)
    elif isinstance(predicate, ir.ClassComparison):
        own = predicate.temp is not None or predicate.logit_temp is not None
        yield from () if own else ((predicate, denied),)


def _limits(option: Option) -> str:
    above = "above" if option.above else "at least"
    return f"{above} {number_text(option.low)} and at most {number_text(option.high)}"


def _listed(words: Sequence[str]) -> str:
    quoted = [f"`{word}`" for word in words]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"

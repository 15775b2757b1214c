"""Statements: loops unrolled, clauses read, conditions resolved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lacelang import ir
from lacelang.errors import Span
from lacelang.samplers import SAMPLERS
from lacelang.semantics import clauses, defaults
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.conditions import Conditions
from lacelang.semantics.contradictions import follows, never_together, warn_contradictions
from lacelang.semantics.edits import check_edit
from lacelang.semantics.fitness import refuse_unfit, refuse_unseen
from lacelang.semantics.groups import Groups
from lacelang.semantics.modules import Library
from lacelang.semantics.report import LostError, Report
from lacelang.semantics.scope import Frame, Module
from lacelang.semantics.values import plain_number
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS
from lacelang.text.numerals import number_text

MAX_STATEMENTS = 20_000
"""How many statements a program may come to when its loops are written out."""

_OUTSIDE_ONLY = nodes.Model | nodes.Import | nodes.Let | nodes.Def


class Statements:
    """Turns the statements of a program to their checked forms.

    `groups` are those that earlier statements made, where `module` goes on from them.
    """

    def __init__(
        self, module: Module, library: Library, report: Report, groups: Groups | None = None
    ) -> None:
        self.module = module
        self.library = library
        self.report = report
        self.groups = groups if groups is not None else Groups(report)
        self.groups.reserve(set(_names_written(module.program.statements)))
        self.result: list[ir.Statement] = []
        self.models: dict[str, ir.ModelSpec] = {}
        self._left = MAX_STATEMENTS
        self._stopped = False

    def run(self) -> None:
        """Check all statements of the program; `result` has those without errors."""
        frame = Frame(self.module)
        for node in self.module.program.statements:
            if self._left >= 0:
                self._statement(node, frame)

    def _statement(self, node: nodes.Statement, frame: Frame) -> None:
        self._left -= 1
        match node:
            case nodes.For():
                self._for(node, frame)
            case nodes.Sample():
                self._sample(node, frame)
            case nodes.Edit():
                self._edit(node, frame)
            case nodes.Measure():
                self._measure(node, frame)
            case nodes.Expect():
                self._expect(node, frame)

    # Loops

    def _for(self, node: nodes.For, frame: Frame) -> None:
        name = node.variable.name
        if name in frame.bindings or self.module.find(name) is not None:
            message = f"the loop variable `{name}` hides another `{name}`"
            self.report.say("LACE512", message, node.variable, frame)
        seen: set[nodes.Value | str] = set()
        for value in node.values:
            same = f'"{value.name}"' if isinstance(value, nodes.Text) else value
            if same in seen:
                message = "the loop has this value already"
                self.report.say("LACE514", message, value, frame)
            seen.add(same)
        for inner in node.body:
            if isinstance(inner, _OUTSIDE_ONLY):
                keyword = type(inner).__name__.lower()
                message = f"`{keyword}` cannot stand inside `for`"
                self.report.say("LACE308", message, inner, frame, "put it before the loop")
        used = False
        for value in node.values:
            inside = frame.bind(name, value)
            for inner in node.body:
                if self._left < 0:
                    break
                self._statement(inner, inside)
            used = used or inside.bindings[name].used
        if self._left < 0 and not self._stopped:
            self._stopped = True
            message = f"this comes to more than {MAX_STATEMENTS} statements, loops written out"
            self.report.say("LACE307", message, node.variable, frame, "loop over fewer values")
        if not used and node.body and not self.module.broken:
            message = f"nothing in the loop uses `{name}`"
            self.report.say("LACE515", message, node.variable, frame)

    # Sampling

    def _sample(self, node: nodes.Sample, frame: Frame) -> None:
        read = Clauses("sample", node.clauses, frame, self.report)
        model = self._model(read, node, frame)
        count = self._count(node, read, frame)
        where = self._condition(read, "where", model, frame)
        options = read.condition_options(() if where is None else (where,))
        truncation, seed = read.truncation(), read.seed()
        sampler = read.sampler()
        if model is not None:
            refuse_unfit(model, read, judged=read.get("where", nodes.PredicateClause))
        if sampler is not None and SAMPLERS[sampler.name].probability and where is not None:
            _refuse_negative(where, options, read)
        given = read.get("as", nodes.AsClause)
        name = self.groups.add(given.name if given else None, "sample", model, frame)
        if read.wrong or model is None or name is None:
            self.groups.forget(name)
            return
        self.result.append(
            ir.SampleStatement(
                name=name,
                count=count,
                model=model,
                where=where,
                options=options,
                truncation=truncation,
                seed=seed,
                sampler=sampler or defaults.sampler(),
                span=node.span,
            )
        )

    def _count(self, node: nodes.Sample, read: Clauses, frame: Frame) -> int:
        if node.count is None or (_forgotten_from(node) is not None and read.wrong):
            return defaults.COUNT
        unit = node.count.unit if isinstance(node.count, nodes.Quantity) else None
        if unit is not None:
            message = f"the number of samples stands alone, without `{unit.name}`"
            read.say("LACE202", message, unit, "leave it out")
            return defaults.COUNT
        try:
            count = plain_number(node.count, frame, self.report, "the number of samples")
        except LostError:
            read.wrong = True
            return defaults.COUNT
        if not count.is_integer() or not 1 <= count <= clauses.MAX_COUNT:
            most = clauses.MAX_COUNT
            given = number_text(count)
            message = f"the number of samples is a whole number from 1 to {most}, and not {given}"
            read.say("LACE205", message, node.count)
            return defaults.COUNT
        return int(count)

    # Editing

    def _edit(self, node: nodes.Edit, frame: Frame) -> None:
        statement = check_edit(
            node, frame, self.groups, self._resolved, self._find_model, self.report
        )
        if statement is not None:
            self.result.append(statement)

    # Measuring

    def _measure(self, node: nodes.Measure, frame: Frame) -> None:
        read = Clauses("measure", node.clauses, frame, self.report)
        model = self._model(read, node, frame)
        what = self._resolved(node.what, model, frame)
        given = self._condition(read, "given", model, frame)
        truncation, seed = read.truncation(), read.seed()
        read.refuse_beyond_bounds([p for p in (what, given) if p is not None])
        if model is not None:
            refuse_unfit(model, read, judged=node.what)
        label = read.get("as", nodes.AsClause)
        name = self.groups.add(label.name if label else None, "measure", model, frame, False)
        if read.wrong or model is None or what is None or name is None:
            return
        if given is not None:
            self._always_or_never(what, given, node.what, frame)
        text = what.text if given is None else f"{what.text} given {given.text}"
        self.result.append(
            ir.MeasureStatement(
                name, model, what, given, truncation, seed, span=node.span, text=text
            )
        )

    def _always_or_never(
        self, what: ir.Predicate, given: ir.Predicate, at: nodes.Node, frame: Frame
    ) -> None:
        """Warn of a probability that needs no measuring."""
        if never_together([what]) or never_together([given]):
            return  # said already
        if never_together([what, given]):
            message = f"`{what.text}` never holds given `{given.text}`"
            self.report.say("LACE501", message, at, frame)
        elif follows(what, given):
            message = f"`{what.text}` always holds given `{given.text}`"
            self.report.say("LACE502", message, at, frame)

    def _expect(self, node: nodes.Expect, frame: Frame) -> None:
        found = self.groups.model_of(node.group, frame)
        what = self._resolved(node.what, found[1] if found is not None else None, frame)
        share = node.share.number
        if not 0 <= share <= 100:
            message = f"a share lies between 0 and 100 %; {number_text(share)} does not"
            self.report.say("LACE212", message, node.share, frame)
            return
        if what is not None and refuse_unseen(what, self.report, node.what, frame):
            return
        if found is not None and what is not None:
            group = found[0] if isinstance(node.group, nodes.Word) else f'"{found[0]}"'
            text = f"{what.text} in {node.share.text}% of {group}"
            self.result.append(
                ir.ExpectStatement(what, share / 100, found[0], found[1], span=node.span, text=text)
            )

    # Common parts

    def _model(
        self, read: Clauses, node: nodes.Sample | nodes.Measure, frame: Frame
    ) -> ir.ModelSpec | None:
        clause = read.get("from", nodes.FromClause)
        if clause is None:
            if not self.module.broken:
                keyword = type(node).__name__.lower()
                message = f"`{keyword}` needs to know its model"
                hint = "add `from ffhq`"
                forgotten = _forgotten_from(node)
                if forgotten is not None:
                    hint = f"put `from` before `{forgotten}`"
                read.say("LACE302", message, _first_word(node, keyword), hint)
            return None
        return self._find_model(clause.model, frame)

    def _find_model(self, word: nodes.Word, frame: Frame) -> ir.ModelSpec | None:
        binding = frame.bindings.get(word.name)
        if binding is not None and isinstance(binding.argument, nodes.Word):
            binding.used = True
            word = nodes.Word(binding.argument.name, span=word.span)
        model = self.library.find_model(word, self.module)
        if model is not None:
            self.models[model.name] = model
        return model

    def _condition(
        self, read: Clauses, keyword: str, model: ir.ModelSpec | None, frame: Frame
    ) -> ir.Predicate | None:
        clause = read.get(keyword, nodes.PredicateClause)
        if clause is None:
            return None
        predicate = self._resolved(clause.predicate, model, frame)
        if predicate is None:
            read.wrong = True
        return predicate

    def _resolved(
        self, node: nodes.Predicate, model: ir.ModelSpec | None, frame: Frame
    ) -> ir.Predicate | None:
        predicate = Conditions(model, self.report).resolve(node, frame)
        if predicate is not None:
            warn_contradictions(predicate, self.module, self.report)
        return predicate


def _refuse_negative(where: ir.Predicate, options: ir.ConditionOptions, read: Clauses) -> None:
    """Report a sampler that takes e^-E for a probability, if the energy may go below zero."""
    clause = read.get("with", nodes.WithClause)
    assert clause is not None
    terms = list(ir.walk(where))
    if options.negation[0] == "contrast" and any(isinstance(term, ir.Not) for term in terms):
        why, hint = "`negation contrast(…)`", "leave `negation contrast(…)` out"
    elif options.logit_temp is not None or any(term.logit_temp is not None for term in terms):
        why, hint = "`temp logit(…)`", "write `temp …` without `logit`"
    else:
        return
    message = f"`{clause.sampler.name}` needs energies of at least 0, and {why} makes lower ones"
    read.say("LACE311", message, clause.sampler, f"{hint}, or sample with `smc`")


def _names_written(statements: Sequence[nodes.Statement]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, nodes.For):
            yield from _names_written(statement.body)
        elif isinstance(statement, nodes.Sample | nodes.Edit | nodes.Measure):
            for clause in statement.clauses:
                if isinstance(clause, nodes.AsClause):
                    yield clause.name.name


def _first_word(node: nodes.Node, keyword: str) -> nodes.Word:
    """Return the keyword that begins a statement, to put the carets under."""
    start = node.span
    end = start.column + len(keyword)
    return nodes.Word(keyword, span=Span(start.line, start.column, start.line, end))


def _forgotten_from(node: nodes.Sample | nodes.Measure) -> str | None:
    """Return `ffhq` of `sample 8 ffhq`, where it looks like the unit of 8."""
    count = node.count if isinstance(node, nodes.Sample) else None
    unit = count.unit if isinstance(count, nodes.Quantity) else None
    return unit.name if unit is not None and unit.name not in UNITS else None

"""The checker: from a program's text to a `CheckedProgram`, or to all that is wrong with it.

Loops are unrolled, clauses read, conditions resolved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import evolve

from lacelang import ir
from lacelang.errors import Diagnostic, ProgramError, Span
from lacelang.ir import CheckedProgram
from lacelang.samplers import SAMPLERS
from lacelang.semantics import defaults
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.conditions import Conditions
from lacelang.semantics.context import Binding, Definition, Frame, LostError, Module, Report
from lacelang.semantics.contradictions import follows, never_together, warn_contradictions
from lacelang.semantics.edits import check_edit
from lacelang.semantics.fitness import refuse_unfit, refuse_unseen
from lacelang.semantics.groups import Groups
from lacelang.semantics.lints import warn_of_shadowing, warn_of_unused
from lacelang.semantics.modules import Library
from lacelang.semantics.notations import with_notations
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS
from lacelang.text.numerals import number_text

_START = Span(1, 1, 1, 2)


def check(
    source: str,
    path: Path | None = None,
    pedantic: bool = False,
    tree: nodes.Program | None = None,
) -> CheckedProgram:
    """Check a program.

    Args:
        source: its text.
        path: the file it comes from: named in messages, and quoted imports count from its folder.
        pedantic: also warn of what is merely odd, such as definitions that nothing uses.
        tree: what the text says, where that is known without reading it.

    Raises:
        ProgramError: the program is wrong. It carries every error, and then the warnings.
    """
    report = Report()
    library = Library(report)
    module = library.program(source.removeprefix("\ufeff"), path, tree)
    written = module.program.statements
    statements = Statements(module, library)
    statements.run()
    if not written and not report.errors(None):
        hint = "write one, such as `sample 4 from ffhq where glasses=1`"
        report.say("LACE313", "there is no statement in this program", _START, module, hint)
    runs = any(not isinstance(node, DEFINITIONS) for node in written)
    if runs and not report.errors(None):
        # Where something is wrong, what seems unused may only be misspelt.
        warn_of_unused(module, statements.models, report)
        warn_of_shadowing(module, statements.models, report)
    return CheckedProgram(
        statements=tuple(statements.result),
        warnings=without_errors(module, report, pedantic),
        path=path,
        models=tuple(model for model in module.models.values() if model is not None),
        source=source,
    )


def without_errors(module: Module, report: Report, pedantic: bool) -> tuple[Diagnostic, ...]:
    """Return the warnings.

    Raises:
        ProgramError: there are errors.
    """
    errors = report.errors(module.path)
    warnings = report.warnings(module.path, pedantic)
    if errors:
        raise ProgramError([*with_notations(errors, module), *warnings])
    return tuple(warnings)


MAX_STATEMENTS = 20_000
"""How many statements a program may come to when its loops are written out."""

MAX_COUNT = 1_000_000

DEFINITIONS = nodes.Model | nodes.Import | nodes.Let | nodes.Def
"""The statements that run nothing."""


class Statements:
    """Turns the statements of a program to their checked forms.

    `groups` are those that earlier statements made, where `module` goes on from them.

    Attributes:
        result: the statements without errors, in order.
        models: those that statements are of, by name.
    """

    def __init__(self, module: Module, library: Library, groups: Groups | None = None) -> None:
        self.module = module
        self.library = library
        self.groups = groups if groups is not None else Groups()
        self.groups.reserve(set(_names_written(module.program.statements)))
        self.frame = Frame(module, library.report)
        self.result: list[ir.Statement] = []
        self.models: dict[str, ir.ModelSpec] = {}
        self._left = MAX_STATEMENTS
        self._stopped = False

    def run(self, model: ir.ModelSpec | None = None) -> None:
        """Check all statements of the program, and the definitions that none of them uses.

        `model` is what those are checked against where no statement has a model.
        """
        try:
            for node in self.module.program.statements:
                if self._left >= 0:
                    self._statement(node, self.frame)
            used = list(self.models.values())
            if used:
                model = used[0] if len(used) == 1 else None
            # Those that use others come first: what they use is then checked already.
            for definition in reversed(self.module.order):
                if not definition.seen:
                    self._check_alone(definition, model)
        except RecursionError:
            # Limits on nesting keep the stack shallow; a caller deep in its own may still run out.
            message, program = "there is no room left to check this", self.module.program
            self.frame.say("LACE307", message, program)

    def _check_alone(self, definition: Definition, model: ir.ModelSpec | None) -> None:
        definition.seen = True
        body, module = definition.body, definition.module
        if definition.circular or isinstance(body, nodes.Quantity):
            return
        if isinstance(body, nodes.Reference) and not definition.parameters:
            other = module.find(body.name.name)
            if other is not None and isinstance(other.body, nodes.Quantity):
                return
        here = evolve(self.frame, module=module)
        bindings = {p.name: Binding(None, here) for p in definition.parameters}
        Conditions(model).resolve(body, evolve(here, bindings=bindings))

    def _statement(self, node: nodes.Statement, frame: Frame) -> None:
        self._left -= 1
        made: ir.Statement | None = None
        match node:
            case nodes.For():
                self._for(node, frame)
            case nodes.Sample():
                made = self._sample(node, frame)
            case nodes.Edit():
                made = check_edit(node, frame, self)
            case nodes.Measure():
                made = self._measure(node, frame)
            case nodes.Expect():
                made = self._expect(node, frame)
        if made is not None:
            self.result.append(made)

    # Loops

    def _for(self, node: nodes.For, frame: Frame) -> None:
        name = node.variable.name
        if name in frame.bindings or self.module.find(name) is not None:
            message = f"the loop variable `{name}` hides another `{name}`"
            frame.say("LACE512", message, node.variable)
        seen: set[nodes.Value | str] = set()
        for value in node.values:
            same = value.name if isinstance(value, nodes.Text) else value
            if same in seen:
                frame.say("LACE514", "the loop has this value already", value)
            seen.add(same)
        for inner in node.body:
            if isinstance(inner, DEFINITIONS):
                message = f"`{type(inner).__name__.lower()}` cannot stand inside `for`"
                frame.say("LACE308", message, inner, "put it before the loop")
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
            frame.say("LACE307", message, node.variable, "loop over fewer values")
        if not used and node.body and not self.module.broken:
            message = f"nothing in the loop uses `{name}`"
            frame.say("LACE515", message, node.variable)

    # Kinds of statements

    def _sample(self, node: nodes.Sample, frame: Frame) -> ir.SampleStatement | None:
        read = self._clauses("sample", node, frame)
        count = self._count(node, read)
        where = self._condition(read, "where")
        options = read.condition_options(() if where is None else (where,))
        truncation, seed = read.value("truncation"), read.value("seed")
        sampler = read.value("with") or defaults.sampler()
        refuse_unfit(read, judged=read.get("where", nodes.PredicateClause))
        if where is not None and SAMPLERS[sampler.name].probability:
            _refuse_negative(where, options, read)
        name, model = self.groups.add(read), read.model
        if read.wrong or model is None:
            return None
        return ir.SampleStatement(
            name, count, model, where, options, truncation, seed, sampler, span=node.span
        )

    def _count(self, node: nodes.Sample, read: Clauses) -> int:
        if node.count is None or (_forgotten_from(node) is not None and read.wrong):
            return defaults.COUNT
        unit = node.count.unit if isinstance(node.count, nodes.Quantity) else None
        try:
            if unit is not None:
                message = f"the number of samples stands alone, without `{unit.name}`"
                raise read.say("LACE202", message, unit, "leave it out")
            count = read.number(node.count, "the number of samples")
            if count.is_integer() and 1 <= count <= MAX_COUNT:
                return int(count)
            given = f"a whole number from 1 to {MAX_COUNT}, and not {number_text(count)}"
            raise read.say("LACE205", f"the number of samples is {given}", node.count)
        except LostError:
            read.wrong = True
            return defaults.COUNT

    def _measure(self, node: nodes.Measure, frame: Frame) -> ir.MeasureStatement | None:
        read = self._clauses("measure", node, frame)
        what = self.resolved(node.what, read.model, frame)
        given = self._condition(read, "given")
        truncation, seed = read.value("truncation"), read.value("seed")
        read.refuse_beyond_bounds([p for p in (what, given) if p is not None])
        refuse_unfit(read, judged=node.what)
        name, model = self.groups.add(read), read.model
        if read.wrong or model is None or what is None:
            return None
        text = what.text if given is None else f"{what.text} given {given.text}"
        if given is not None:
            self._warn_of_certainty(what, given, node.what, frame)
        return ir.MeasureStatement(
            name, model, what, given, truncation, seed, span=node.span, text=text
        )

    def _warn_of_certainty(
        self, what: ir.Predicate, given: ir.Predicate, at: nodes.Node, frame: Frame
    ) -> None:
        """Warn of a probability that need not be measured."""
        if never_together([what]) or never_together([given]):
            return  # said already
        never = never_together([what, given])
        if never or follows(what, given):
            code, how = ("LACE501", "never") if never else ("LACE502", "always")
            message = f"`{what.text}` {how} holds given `{given.text}`"
            frame.say(code, message, at)

    def _expect(self, node: nodes.Expect, frame: Frame) -> ir.ExpectStatement | None:
        found = self.groups.model_of(node.group, frame)
        what = self.resolved(node.what, found[1] if found is not None else None, frame)
        share = node.share.number
        if not 0 <= share <= 100:
            message = f"a share lies between 0 and 100 %; {number_text(share)} does not"
            frame.say("LACE212", message, node.share)
            return None
        if what is None or refuse_unseen(what, node.what, frame) or found is None:
            return None
        name, model = found
        group = name if isinstance(node.group, nodes.Word) else f'"{name}"'
        text = f"{what.text} in {node.share.text}% of {group}"
        return ir.ExpectStatement(what, share / 100, name, model, span=node.span, text=text)

    # What several kinds have

    def find_model(self, word: nodes.Word, frame: Frame) -> ir.ModelSpec | None:
        """Return the model that a word names; None if there is none, which has been reported."""
        binding = frame.bindings.get(word.name)
        if binding is not None and isinstance(binding.argument, nodes.Word):
            binding.used = True
            word = nodes.Word(binding.argument.name, span=word.span)
        model = self.library.find_model(word, self.module)
        if model is not None:
            self.models[model.name] = model
        return model

    def resolved(
        self, node: nodes.Predicate, model: ir.ModelSpec | None, frame: Frame
    ) -> ir.Predicate | None:
        """Return the checked condition; None if it is wrong, which has been reported."""
        predicate = Conditions(model).resolve(node, frame)
        if predicate is not None:
            warn_contradictions(predicate, self.module, frame.report)
        return predicate

    def _clauses(self, statement: str, node: nodes.Sample | nodes.Measure, frame: Frame) -> Clauses:
        """Return the clauses of a statement that names its model."""
        read = Clauses(statement, node.clauses, frame)
        clause = read.get("from", nodes.FromClause)
        if clause is not None:
            read.model = self.find_model(clause.model, frame)
        elif not self.module.broken:
            start, forgotten = node.span, _forgotten_from(node)
            end = start.column + len(statement)
            keyword = nodes.Word(statement, span=evolve(start, end_line=start.line, end_column=end))
            hint = "add `from ffhq`" if forgotten is None else f"put `from` before `{forgotten}`"
            read.say("LACE302", f"`{statement}` needs to know its model", keyword, hint)
        return read

    def _condition(self, read: Clauses, keyword: str) -> ir.Predicate | None:
        clause = read.get(keyword, nodes.PredicateClause)
        if clause is None:
            return None
        predicate = self.resolved(clause.predicate, read.model, read.frame)
        read.wrong = read.wrong or predicate is None
        return predicate


def _refuse_negative(where: ir.Predicate, options: ir.ConditionOptions, read: Clauses) -> None:
    """Report a sampler that takes e^-E for a probability, if the energy may go below zero."""
    clause = read.get("with", nodes.WithClause)
    terms = list(ir.walk(where))
    if options.negation[0] == "contrast" and any(isinstance(term, ir.Not) for term in terms):
        why, hint = "`negation contrast(…)`", "leave `negation contrast(…)` out"
    elif options.logit_temp is not None or any(term.logit_temp is not None for term in terms):
        why, hint = "`temp logit(…)`", "write `temp …` without `logit`"
    else:
        return
    assert clause is not None  # the default sampler takes any energy
    message = f"`{clause.sampler.name}` needs energies of at least 0, and {why} makes lower ones"
    read.say("LACE311", message, clause.sampler, f"{hint}, or sample with `smc`")


def _names_written(statements: Sequence[nodes.Statement]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, nodes.For):
            yield from _names_written(statement.body)
        for clause in getattr(statement, "clauses", ()):
            if isinstance(clause, nodes.AsClause):
                yield clause.name.name


def _forgotten_from(node: nodes.Sample | nodes.Measure) -> str | None:
    """Return `ffhq` of `sample 8 ffhq`, where it looks like the unit of 8."""
    count = node.count if isinstance(node, nodes.Sample) else None
    unit = count.unit if isinstance(count, nodes.Quantity) else None
    return unit.name if unit is not None and unit.name not in UNITS else None
